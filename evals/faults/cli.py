"""The command `habitus eval faults`."""

from __future__ import annotations

import tempfile
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from habitus.evals.running import FAILED, UsageError


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
    opens_within: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            help="Seconds; a store that opens later after a kill is a fault.",
            show_default="no bound",
        ),
    ] = None,
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
    from habitus.evals.faults.killing import kill
    from habitus.evals.faults.places import ENCRYPTED, postgres_place
    from habitus.evals.faults.report import Row, show, write
    from habitus.evals.faults.trials import TRIALS

    console = Console()
    wanted = backend or list(Backend)
    rows: list[Row] = []
    with user_errors(), console.status("") as status, tempfile.TemporaryDirectory() as folder:

        def kills_on(name: str, place: str) -> Row:
            killed = kill(
                place,
                kills,
                seed=seed,
                n_memories=memories,
                most_lines=2 * operations,
                opens_within=opens_within,
                progress=lambda done, of: status.update(f"{name}: kill {done} of {of}"),
            )
            return Row.of_kills(name, killed, n_memories=memories)

        if Backend.EMBEDDED in wanted:
            rows.append(kills_on("embedded", str(Path(folder) / "killed")))
            for name, trial in TRIALS.items():
                status.update(name)
                rows.append(Row.of_trials(name, trial, Path(folder) / name, trials, seed))
        if Backend.ENCRYPTED in wanted:
            rows.append(kills_on("encrypted", f"{ENCRYPTED}{Path(folder) / 'sealed'}"))
        if Backend.POSTGRES in wanted:
            try:
                with postgres_place(url) as place:
                    rows.append(kills_on("PostgreSQL", place))
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
