"""The table of faults: how often tried, and what was lost."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from habitus.evals.faults.killing import Killed
from habitus.evals.faults.trials import NotTriedError

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True, kw_only=True)
class Row:
    """One kind of fault.

    Attributes:
        fault: its name.
        n: how often it was tried.
        found: what was lost, doubled or not reported; empty is what one hopes for.
        not_tried: why it could not be tried on this machine, or empty.
        details: figures by name.
    """

    fault: str
    n: int
    found: tuple[str, ...]
    not_tried: str = ""
    details: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of_kills(cls, backend: str, killed: Killed, *, n_memories: int = 0) -> Row:
        """The row of all kills of writers on a backend, which held so many made-up memories before."""
        median, longest = killed.opening
        return cls(
            fault=f"kill -9 at a random moment, {backend}",
            n=killed.n_kills,
            found=tuple(killed.found),
            details={
                "acknowledged": killed.n_done,
                "interrupted": killed.n_in_flight,
                "made-up memories": n_memories,
                "turns in the end": killed.n_turns,
                "released longest s": round(max(killed.release_s), 4),
                "opening median s": round(median, 4),
                "opening longest s": round(longest, 4),
            },
        )

    @classmethod
    def of_trials(
        cls, fault: str, trial: Callable[[Path, int], list[str]], folder: Path, n: int, seed: int
    ) -> Row:
        """Try a fault n times, each in a folder of its own."""
        found: list[str] = []
        for number in range(n):
            try:
                lost = trial(folder / str(number), seed + number)
            except NotTriedError as error:
                return cls(fault=fault, n=0, found=(), not_tried=str(error))
            found += [f"trial {number + 1}: {what}" for what in lost]
        return cls(fault=fault, n=n, found=tuple(found))


def show(rows: Sequence[Row], console: Console) -> None:
    """Print the table, and under it what was lost."""
    from rich.table import Table

    table = Table("fault", "tried", "lost", "details")
    for row in rows:
        details = "; ".join(f"{name}: {_plain(value)}" for name, value in row.details.items())
        table.add_row(
            row.fault, str(row.n), str(len(row.found)) if row.found else "nothing", details or row.not_tried
        )
    console.print(table)
    for row in rows:
        for what in row.found:
            console.print(f"{row.fault}: {what}", markup=False)


def _plain(value: object) -> str:
    return ", ".join(f"{n} {name}" for name, n in value.items()) if isinstance(value, dict) else str(value)


def write(rows: Sequence[Row], path: Path) -> None:
    """Write all of it as JSON."""
    path.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n", encoding="utf-8")
