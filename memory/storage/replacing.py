"""Putting another file in the place of a database, so that a crash at any moment leaves one of the two.

The new file is written under a name of its own. When it is whole, the old one steps aside, the new one takes
its name, and the old one is erased. Whoever owns the folder next finishes what was interrupted.
"""

from __future__ import annotations

import os
from pathlib import Path

from habitus.memory.errors import StoreFullError
from habitus.memory.storage.erasing import erase

DATABASE = "memory.db"
"""The file in a data folder."""

UNFINISHED = f"{DATABASE}.unfinished"
REPLACED = f"{DATABASE}.replaced"


def holds_store(folder: Path) -> bool:
    """Tell whether there is a database in a folder, also one whose replacement was interrupted."""
    return (folder / DATABASE).exists() or (folder / REPLACED).exists()


def logs_of(database: Path) -> list[Path]:
    return [database.with_name(f"{database.name}-{kind}") for kind in ("wal", "journal")]


def replace(folder: Path) -> None:
    """Put the unfinished file, which is whole and on the disk by now, in the place of the database.

    The database must have no log: SQLite would play it into the new one.

    Raises:
        StoreFullError: a name cannot be changed, or the old file not erased; opening the folder tries again.
    """
    try:
        (folder / DATABASE).rename(folder / REPLACED)
        (folder / UNFINISHED).rename(folder / DATABASE)
        _settle_names(folder)
    except OSError as error:
        raise StoreFullError(
            f"files in {folder} cannot be renamed ({error.strerror}); nothing is lost: check the rights"
            " there and try again"
        ) from error
    erase(folder / REPLACED)


def finish_replacing(folder: Path) -> None:
    """Finish, or undo, what was interrupted; the folder must be owned.

    Raises:
        StoreFullError: a file that was left behind cannot be erased.
    """
    database, replaced = folder / DATABASE, folder / REPLACED
    if replaced.exists():
        if not database.exists():
            replaced.rename(database)
        _settle_names(folder)
        erase(replaced)
    unfinished = folder / UNFINISHED
    for one in (unfinished, *logs_of(unfinished)):
        erase(one)


def _settle_names(folder: Path) -> None:
    """Wait until the names of files are on the disk; Windows, which opens no folder, sees to it itself."""
    if os.name == "nt":
        return
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
