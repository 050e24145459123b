"""What a native index library raises, told apart: files that are damaged, or a disk that is full."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from habitus.retrievers.errors import IndexCorruptError, IndexFullError

# The libraries give no codes: the words are those of SQLite, of Rust's io::Error and of the C library.
_FULL = ("disk is full", "no space left", "os error 28", "readonly database", "read-only file", "os error 30")

_LITTLE_BYTES = 2**22
"""Free on the disk: hnswlib tells of a write that failed as of any other error."""


@contextmanager
def told_apart(what: str, path: str, *others: type[Exception]) -> Iterator[None]:
    """Turn whatever an index raises into `IndexFullError` or `IndexCorruptError`, without contents.

    Args:
        what: of the index, for the message.
        path: its folder.
        others: what tells of neither, and is raised as it is.
    """
    try:
        yield
    except others:
        raise
    except (KeyboardInterrupt, SystemExit, GeneratorExit, MemoryError):
        raise
    except BaseException as error:  # Rust code panics with an exception that is no Exception
        said = str(error).lower()
        if any(words in said for words in _FULL) or cannot_be_written(path):
            raise IndexFullError(f"the {what} index in {path!r} has no room or may not be written") from error
        raise IndexCorruptError(f"the {what} index in {path!r} failed: {type(error).__name__}") from error


def cannot_be_written(path: str) -> bool:
    """Tell whether the disk has hardly any room or may not be written; damage is found again later."""
    place = Path(path).absolute()
    while not place.exists():
        place = place.parent
    return shutil.disk_usage(place).free < _LITTLE_BYTES or not os.access(place, os.W_OK)
