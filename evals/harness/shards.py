"""A run spread over processes or machines that share nothing but the output folder.

`--shard 2/4` runs every fourth sample, the second first, in a folder of its own below the output folder. The
same command without `--shard` merges: it takes up what the shards finished, does what is missing, and writes
the report.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from habitus.evals.running import UsageError

FOLDER = "shards"
_FORM = re.compile(r"(\d+)/(\d+)")


@dataclass(frozen=True, slots=True)
class Shard:
    """The samples at places `number - 1`, `number - 1 + of`, ...; `number` counts from 1."""

    number: int
    of: int

    @classmethod
    def parse(cls, text: str | None) -> Self | None:
        """Read a shard such as `2/4`; None stays None.

        Raises:
            UsageError: it is not one.
        """
        if text is None:
            return None
        found = _FORM.fullmatch(text.strip())
        if found is None or not 1 <= int(found[1]) <= int(found[2]):
            raise UsageError(f"--shard must be I/N with I from 1 to N, such as 2/4; got {text!r}")
        return cls(int(found[1]), int(found[2]))

    def holds(self, place: int) -> bool:
        """Return whether the sample at this place, counted from 0, belongs to it."""
        return place % self.of == self.number - 1

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


def run_folder(out: Path, shard: Shard | None) -> Path:
    """Return the folder that a run, or one shard of it, writes to."""
    return out if shard is None else out / FOLDER / f"{shard.number}-of-{shard.of}"


def shard_folders(out: Path) -> list[Path]:
    """Return the folders that shards of a run have written to."""
    return sorted(path.parent for path in (out / FOLDER).glob("*-of-*/manifest.json"))
