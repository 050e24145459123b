"""Encrypting a data folder, decrypting it, or giving it another key."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import zip_longest
from pathlib import Path
from typing import Any

from habitus.memory.errors import (
    EncryptionError,
    FolderInUseError,
    InvalidInputError,
    NotFoundError,
    StoreCorruptError,
    StoreFullError,
)
from habitus.memory.index.outbox import mark_stale
from habitus.memory.index.unindexed import erase_indexes
from habitus.memory.storage.backup import check_integrity
from habitus.memory.storage.connecting import BUSY_SECONDS, connect, translated
from habitus.memory.storage.encryption import EncryptionKey, sqlcipher
from habitus.memory.storage.erasing import erase
from habitus.memory.storage.folder import DataFolder
from habitus.memory.storage.replacing import DATABASE, UNFINISHED, logs_of, replace


def recrypt(
    folder: str | os.PathLike[str],
    *,
    old: EncryptionKey | None,
    new: EncryptionKey | None,
    chroma_url: str | None = None,
) -> int:
    """Write the database of a folder anew under another key, compare them, and put it in the old one's place.

    A process killed meanwhile leaves a folder that opens with the old key or with the new one, with
    everything in it; what it left behind is erased by whoever opens it next. There must be room for the
    database once more. The indexes of a plain folder are erased; a decrypted one builds its own again.

    Args:
        folder: the data folder.
        old: its key; None where it is not encrypted.
        new: the key to come; None leaves it plain.
        chroma_url: a Chroma server with vectors of the folder, where it does not note it itself.

    Returns:
        the number of messages stored.

    Raises:
        EncryptionError: the old key does not fit, the folder is encrypted already, or SQLCipher is missing.
        InvalidInputError: nothing would change.
        NotFoundError: there is no store in the folder.
        FolderInUseError: a process owns the folder, or makes a backup of it.
        StoreCorruptError: the database does not hold together, or the copy differs; the folder is as it was.
        StoreFullError: the folder cannot be written.
        StoreUnreachableError: the Chroma server does not answer.
    """
    sqlcipher()
    if old == new:
        raise InvalidInputError("the new key is the old one: there is nothing to do")
    database = Path(folder).expanduser().absolute() / DATABASE
    if not database.parent.is_dir():
        raise NotFoundError(f"there is no data folder {os.fspath(folder)!r}")
    data = DataFolder(folder)
    unfinished = data.path / UNFINISHED
    try:
        if not database.is_file():
            raise NotFoundError(f"there is no store in {os.fspath(folder)!r}")
        _check(database, old)
        with translated(database), _at_rest(database), closing(connect(database, old)) as connection:
            # From here on no file of an index counts: if this stops half-way, they are built anew.
            mark_stale(connection)
            connection.execute("DELETE FROM outbox")
            erase_indexes(data.path / "index", chroma_url)
            connection.execute("PRAGMA journal_mode=DELETE")
        with translated(unfinished):
            _write(database, old, unfinished, new)
            n_turns = _compare(database, old, unfinished, new)
        replace(data.path)
    finally:
        try:
            for one in (unfinished, *logs_of(unfinished)):
                erase(one)
        finally:
            data.release()
    return n_turns


def _check(database: Path, key: EncryptionKey | None) -> None:
    """Check the key and every page, without touching anything."""
    try:
        with translated(database), closing(connect(database, key, read_only=True)) as connection:
            check_integrity(connection, database)
    except EncryptionError as error:
        if key is None:
            raise EncryptionError(
                f"{database.parent} is encrypted already; `habitus memory rekey` gives it another key"
            ) from error
        raise


@contextmanager
def _at_rest(database: Path) -> Iterator[None]:
    """Tell a database that is being read from one that nobody uses."""
    try:
        yield
    except (sqlite3.Error, sqlcipher().Error) as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_BUSY:
            raise
        raise FolderInUseError(
            f"{database} was still being read after {BUSY_SECONDS:.0f} s, as by a backup: try again when that"
            " is done"
        ) from error


@contextmanager
def _both(database: Path, old: EncryptionKey | None, copy: Path, new: EncryptionKey | None) -> Iterator[Any]:
    """Connect to a database, called `old`, and its copy, called `new`."""
    with closing(sqlcipher().connect(":memory:", isolation_level=None)) as connection:
        connection.execute("PRAGMA cipher_log_level=NONE")
        connection.execute("PRAGMA temp_store=MEMORY")
        for name, path, key in (("old", database, old), ("new", copy, new)):
            # An empty key is none.
            connection.execute(f"ATTACH DATABASE ? AS {name} KEY ?", (str(path), key.raw if key else ""))
        yield connection


def _write(database: Path, old: EncryptionKey | None, copy: Path, new: EncryptionKey | None) -> None:
    with _both(database, old, copy, new) as both:
        both.execute("PRAGMA new.synchronous=FULL")
        try:
            both.execute("SELECT sqlcipher_export('new', 'old')").fetchall()
        except sqlcipher().Error as error:
            # A function in SQL tells no code of what failed; what is read was checked before.
            raise StoreFullError(
                f"the copy of {database} cannot be written ({error}). The folder is as it was: free some"
                " space on the disk, then try again"
            ) from error
        (version,) = both.execute("PRAGMA old.user_version").fetchone()
        both.execute(f"PRAGMA new.user_version={version:d}")
    with copy.open("rb") as written:
        os.fsync(written.fileno())


def _compare(database: Path, old: EncryptionKey | None, copy: Path, new: EncryptionKey | None) -> int:
    """Compare every row with what it was copied from; return the number of messages."""
    with closing(connect(copy, new, read_only=True)) as connection:
        check_integrity(connection, copy)
        (n_turns,) = connection.execute("SELECT count(*) FROM turns").fetchone()
    with _both(database, old, copy, new) as both:
        schema, copied = (
            both.execute(f"SELECT name, type, sql FROM {one}.sqlite_schema ORDER BY name").fetchall()
            for one in ("old", "new")
        )
        if schema != copied:
            raise _differs(database)
        for name, kind, _ in schema:
            # In the order of storing, whatever indexes there are.
            rows, others = (
                (both.execute(f'SELECT * FROM {one}."{name}" NOT INDEXED') for one in ("old", "new"))
                if kind == "table"
                else ((), ())
            )
            if any(row != other for row, other in zip_longest(rows, others)):
                raise _differs(database)
    return int(n_turns)


def _differs(database: Path) -> StoreCorruptError:
    return StoreCorruptError(f"the copy of {database} differs from it, which was left as it is: try again")
