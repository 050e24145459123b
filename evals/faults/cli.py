"""The command `habitus eval faults`."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from habitus.evals.running import FAILED, UsageError

if TYPE_CHECKING:
    from habitus.evals.faults.report import Row


class Backend(StrEnum):
    """A kind of store."""

    EMBEDDED = "embedded"
    ENCRYPTED = "encrypted"
    POSTGRES = "postgres"


def faults(
    kills: Annotated[int, typer.Option(min=1, help="Writers that are killed, on each backend.")] = 300,
    backend: Annotated[
        list[Backend] | None,
        typer.Option(help="Where; may be repeated. All faults but the kills are tried on the embedded one."),
    ] = None,
    operations: Annotated[int, typer.Option(min=1, help="Of a writer before it is killed, at most.")] = 30,
    memories: Annotated[int, typer.Option(min=0, help="Made-up memories that the store holds before.")] = 0,
    url: Annotated[
        str | None,
        typer.Option(
            help="PostgreSQL to use; its schemas `habitus_faults` and `habitus_faults_moved` are dropped.",
            show_default="a server of its own",
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
    from habitus.evals.faults.places import ENCRYPTED, postgres_place
    from habitus.evals.faults.report import Row, show, write
    from habitus.evals.faults.trials import TRIALS

    console = Console()
    wanted = backend or list(Backend)
    rows: list[Row] = []
    with user_errors(), console.status("") as status, tempfile.TemporaryDirectory() as folder:

        def tell(what: str) -> None:
            status.update(what)

        if Backend.EMBEDDED in wanted:
            rows.append(
                _kills("embedded", str(Path(folder) / "killed"), kills, operations, memories, seed, tell)
            )
            for name, trial in TRIALS.items():
                status.update(name)
                rows.append(Row.of_trials(name, trial, Path(folder) / name, trials, seed))
        if Backend.ENCRYPTED in wanted:
            place = f"{ENCRYPTED}{Path(folder) / 'sealed'}"
            rows.append(_kills("encrypted", place, kills, operations, memories, seed, tell))
        if Backend.POSTGRES in wanted:
            try:
                with postgres_place(url) as place:
                    rows.append(_kills("PostgreSQL", place, kills, operations, memories, seed, tell))
            except UsageError as error:
                if backend:
                    raise
                rows.append(
                    Row(fault="kill -9 at a random moment, PostgreSQL", n=0, found=(), not_tried=str(error))
                )
    show(rows, console)
    if out is not None:
        write(rows, out)
    raise typer.Exit(FAILED if any(row.found for row in rows) else 0)


def _kills(
    name: str, place: str, n: int, operations: int, memories: int, seed: int, tell: Callable[[str], None]
) -> Row:
    from habitus.evals.faults.killing import kill
    from habitus.evals.faults.report import Row

    def progress(done: int, of: int) -> None:
        tell(f"{name}: kill {done} of {of}")

    return Row.of_kills(
        name, kill(place, n, seed=seed, n_memories=memories, most_lines=2 * operations, progress=progress)
    )
