"""How files of a run are read: whatever they have become, what is wrong is said with the name of the file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from habitus.evals.running import UsageError


def parsed(content: bytes) -> dict[str, Any]:
    """Return a JSON object.

    Raises:
        ValueError: it is none.
    """
    try:
        found = json.loads(content)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(found, dict):
        raise ValueError("it is no JSON object")
    return found


def read_object(path: Path) -> dict[str, Any]:
    """Read a file that holds one JSON object.

    Raises:
        UsageError: it holds something else.
    """
    try:
        return parsed(path.read_bytes())
    except ValueError:
        raise UsageError(f"{str(path)!r} is damaged; run the same command again to write it anew") from None


def numbered_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the lines of a JSONL file, counted from 1."""
    with path.open("rb") as file:
        yield from enumerate(file, start=1)


@contextmanager
def fitting(folder: Path) -> Iterator[None]:
    """Name the folder whose files, each whole by itself, are not what one run of this version leaves.

    Every command has a report of its own shape: what is missing or of another kind is met where it is drawn.

    Raises:
        UsageError: it is so.
    """
    from habitus.evals.longmemeval.files import DatasetError

    try:
        yield
    except (UsageError, DatasetError):
        raise
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise UsageError(
            f"the files in {str(folder)!r} are not those of one run, or were written by another version; run "
            "the same command again to write them anew"
        ) from error
