"""The command `habitus eval faults`."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from habitus.evals.running import FAILED


def faults(
    kills: Annotated[int, typer.Option(min=1, help="Writers that are killed.")] = 300,
    memories: Annotated[int, typer.Option(min=0, help="Made-up memories that the store holds before.")] = 0,
    url: Annotated[
        str | None,
        typer.Option(
            help="An empty PostgreSQL database instead of a folder; only the kills are tried there.",
            show_default="a folder",
        ),
    ] = None,
    trials: Annotated[int, typer.Option(min=0, help="Of every other fault.")] = 20,
    out: Annotated[Path | None, typer.Option(help="Write everything to this JSON file as well.")] = None,
    seed: Annotated[int, typer.Option(help="Of what is done, and of when it is broken off.")] = 0,
) -> None:
    """Break things on purpose, and count what is lost: kill -9, full disks, damaged files.

    Exit code 0: nothing was lost; 1: something was, and is listed.
    """
    from rich.console import Console

    from habitus.evals.cli import user_errors
    from habitus.evals.faults.killing import kill
    from habitus.evals.faults.report import Row, show, write
    from habitus.evals.faults.trials import TRIALS

    console = Console()
    rows: list[Row] = []
    with user_errors(), console.status("") as status, tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        killed = kill(
            url or str(place / "killed"),
            kills,
            seed=seed,
            n_memories=memories,
            progress=lambda done, of: status.update(f"kill {done} of {of}"),
        )
        rows.append(Row.of_kills(killed))
        for name, trial in () if url else TRIALS.items():
            status.update(name)
            rows.append(Row.of_trials(name, trial, place / name, trials, seed))
    show(rows, console)
    if out is not None:
        write(rows, out)
    raise typer.Exit(FAILED if any(row.found for row in rows) else 0)
