"""The command `habitus eval isolation`."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer

from habitus.evals.running import FAILED


def isolation(
    operations: Annotated[int, typer.Option(min=1, help="Steps of the walk.")] = 100_000,
    users: Annotated[int, typer.Option(min=2, help="People who act.")] = 50,
    url: Annotated[
        str | None,
        typer.Option(help="An empty PostgreSQL database instead of a folder.", show_default="a folder"),
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="People who act at once; 1 can be repeated.")] = 4,
    exact_limit: Annotated[
        int, typer.Option(min=1, help="Users with more messages are searched through the derived indexes.")
    ] = 300,
    seed: Annotated[int, typer.Option(help="Of everything that is done.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Write what was seen to this JSON file as well.")] = None,
) -> None:
    """Let many users act at random, by every way in there is, and see that nobody gets another's words.

    Every sentence carries a word of its user. It must come out to nobody else by any way there is, never be
    in the log at DEBUG, in metrics or traces, and after a deletion be in no file or table. Needs the extras
    serve, mcp, langchain and traces. Exit code 0: nothing came out; 1: something did, or an operation
    failed, and is listed; 2: the command cannot be run as given.
    """
    from rich.console import Console

    from habitus.agent.errors import ExtraMissingError
    from habitus.evals.cli import user_errors
    from habitus.evals.faults.places import DIM, open_store
    from habitus.evals.isolation.remains import in_files, in_tables
    from habitus.evals.isolation.walking import walk_through
    from habitus.evals.running import UsageError, progress
    from habitus.retrievers.encoder import HashingEncoder

    console, began = Console(), perf_counter()
    with user_errors(), tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "data"
        encoder = HashingEncoder(DIM)
        store = open_store(url or str(folder), encoder, exact_limit=exact_limit)
        if store.users():
            store.close()
            raise UsageError("there are users in that database already; give an empty one")
        try:
            with progress("Steps", operations) as done:
                walk, dead = walk_through(
                    store,
                    Path(scratch),
                    n_operations=operations,
                    n_users=users,
                    seed=seed,
                    n_threads=threads,
                    progress=done,
                )
        except ModuleNotFoundError as error:
            raise UsageError(f"{error}; pip install 'habitus[serve,mcp,langchain,traces]'") from error
        except ExtraMissingError as error:
            raise UsageError(str(error)) from error
        remains = in_tables(url, dead) if url else in_files(folder, dead, walk.alive, encoder)
    seconds = perf_counter() - began
    for line in (
        f"{sum(walk.done.values()):,} operations of {len(walk.done)} kinds by {walk.n_users} users,"
        f" {walk.n_deleted} deletions of a user, {seconds:,.0f} s",
        f"{walk.n_chars:,} characters came back; {walk.n_lines:,} log lines and {walk.n_spans:,} spans",
        f"words of another, or of a deleted user: {walk.n_leaks}; operations that failed: {len(walk.errors)}",
        f"{'tables' if url else 'files'} with a word of one of the {len(dead)} deleted lives: {len(remains)}",
        *walk.leaks,
        *walk.errors[:50],
        *remains,
    ):
        console.print(line, markup=False, highlight=False)
    if out is not None:
        seen = {
            **vars(walk),
            "remains": remains,
            "seconds": seconds,
            "place": "PostgreSQL" if url else "a folder",
        }
        out.write_text(json.dumps(seen, indent=2) + "\n", encoding="utf-8")
    raise typer.Exit(FAILED if walk.n_leaks or walk.errors or remains else 0)
