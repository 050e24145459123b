"""`habitus memory backup`, `restore` and `verify`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from habitus.agent.commands.options import (
    AsJson,
    Place,
    console,
    embedded_folder,
    opened,
    show_json,
)

_INSTEAD = "a database is backed up by its own tools: pg_dump --schema=habitus, or continuous archiving"


def backup(
    out: Annotated[Path, typer.Argument(help="Folder to make.")],
    folder: Place = None,
    as_json: AsJson = False,
) -> None:
    """Write a backup of a data folder, also while an agent uses it, with a checksum to verify it by."""
    from habitus.agent.configuration import load
    from habitus.memory.storage.backup import back_up

    made = back_up(embedded_folder(folder, instead=_INSTEAD), out, key=load().encryption_key())
    if not show_json(made.model_dump(mode="json"), as_json):
        console().print(f"Backed up {made.n_turns} messages of {made.n_users} users to {out}.", markup=False)


def restore(
    backup: Annotated[Path, typer.Argument(help="A folder that `backup` made.")],
    folder: Place = None,
    as_json: AsJson = False,
) -> None:
    """Make a data folder of a backup, verified first; a folder that holds memories is left alone."""
    from habitus.agent.configuration import load
    from habitus.memory.storage.backup import restore as restore_to

    target = embedded_folder(folder, instead=_INSTEAD)
    made = restore_to(backup, target, key=load().encryption_key())
    if not show_json(made.model_dump(mode="json"), as_json):
        console().print(
            f"Restored {made.n_turns} messages of {made.n_users} users to {target}.", markup=False
        )


def verify(
    folder: Place = None,
    backup: Annotated[Path | None, typer.Option("--backup", help="A backup instead of a store.")] = None,
    as_json: AsJson = False,
) -> None:
    """Check that all that is stored, or a backup of it, holds together; else exit code 1."""
    from habitus.agent.configuration import load
    from habitus.agent.progress import progress_bar
    from habitus.memory.errors import StoreCorruptError
    from habitus.memory.storage.backup import check_backup

    if backup is not None:
        manifest = check_backup(backup, key=load().encryption_key())
        n_users, n_turns = manifest.n_users, manifest.n_turns
    else:
        with opened(folder) as agent, progress_bar("Verifying") as progress:
            found = agent.store.verify(progress)
        if found.problems:
            raise StoreCorruptError("; ".join(found.problems[:20]))
        n_users, n_turns = found.n_users, found.n_turns
    if not show_json({"n_users": n_users, "n_turns": n_turns}, as_json):
        console().print(f"All is well: {n_turns} messages of {n_users} users.")
