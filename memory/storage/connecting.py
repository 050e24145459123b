"""The one place where a SQLite file is connected to, plain or encrypted, and where its errors are told."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, cast

from habitus.memory.errors import InvalidInputError, StoreCorruptError, StoreFullError
from habitus.memory.index.outbox import put_added, put_removed, shard_of
from habitus.memory.storage import reading
from habitus.memory.storage.encryption import EncryptionKey, refused, sqlcipher
from habitus.memory.storage.reading import Size
from habitus.memory.storage.sql import NO_TEXT, Connection, FeatureRow, Statements
from habitus.memory.storage.writing import new_epoch

BUSY_SECONDS = 30.0

_UNREADABLE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_UNWRITABLE = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_PERM,
}
_UNREADABLE_IO = {sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ, sqlite3.SQLITE_IOERR_CORRUPTFS}


class _Dialect:
    """What is SQLite's own way in a `habitus.memory.storage.sql.Connection`."""

    with_features = "JOIN features f USING (seq)"
    derived_tables = ("outbox",)

    def begin_change(self: Connection, user_id: str) -> Callable[[], Size]:
        self.execute(
            "INSERT INTO users (user_id, shard, epoch) VALUES (?, ?, ?)"
            " ON CONFLICT (user_id) DO UPDATE SET version = version + 1",
            (user_id, shard_of(user_id), new_epoch()),
        )
        size = reading.size(self, user_id)
        return lambda: size

    def reserve(self: Statements, user_id: str, n: int) -> int:
        # Numbers of the whole table, so that they name a turn in the indexes by themselves.
        row = self.execute("SELECT seq FROM sqlite_sequence WHERE name = 'turns'").fetchone()
        return (row[0] if row else 0) + 1

    def add_features(self: Statements, user_id: str, rows: Sequence[FeatureRow]) -> None:
        self.executemany("INSERT INTO features VALUES (?, ?, ?, ?, ?, ?)", rows)


class SqliteConnection(_Dialect, sqlite3.Connection):
    """To a plain file, beside which indexes lie."""

    def add_features(self, user_id: str, rows: Sequence[FeatureRow]) -> None:
        super().add_features(user_id, rows)
        put_added(self, user_id, [row[0] for row in rows])

    def was_removed(self, user_id: str, seqs: Sequence[int]) -> None:
        put_removed(self, user_id, seqs)


@cache
def _encrypted_connection() -> Any:
    class EncryptedConnection(_Dialect, sqlcipher().Connection):  # type: ignore[misc]
        """To an encrypted file; there are no indexes that would have to know of a change."""

        def was_removed(self, user_id: str, seqs: Sequence[int]) -> None:
            pass

    return EncryptedConnection


def connect(path: Path, key: EncryptionKey | None, *, read_only: bool = False) -> SqliteConnection:
    """Connect to a file, in autocommit; what is wrong with it shows with the first statement.

    Args:
        path: the file; made by the first statement that writes.
        key: that it is encrypted with. The connection is then one of `sqlcipher3`, a fork of the standard
            library's module with the same methods.
        read_only: whether nothing may be written, and a file not made.

    Raises:
        EncryptionError: there is a key, and SQLCipher is not installed.
    """
    module: Any = sqlite3 if key is None else sqlcipher()
    connection = cast(
        "SqliteConnection",
        module.connect(
            f"{path.absolute().as_uri()}{'?mode=ro' if read_only else ''}",
            uri=True,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            factory=SqliteConnection if key is None else _encrypted_connection(),
        ),
    )
    if key is not None:
        # It would write on stderr whatever it finds damaged, page by page; errors tell.
        connection.execute("PRAGMA cipher_log_level=NONE")
        connection.execute(f'PRAGMA key="{key.raw}"')
    # Temporary files would hold content outside the folder.
    connection.execute("PRAGMA temp_store=MEMORY")
    return connection


def _kinds() -> tuple[type[Exception], ...]:
    """Return the classes of SQLite's errors; those of SQLCipher only where it has been loaded."""
    loaded = sys.modules.get("sqlcipher3.dbapi2")
    return (sqlite3.Error,) if loaded is None else (sqlite3.Error, loaded.Error)


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn SQLite's errors about the file into the store's; errors about the SQL stay as they are."""
    try:
        yield
    except UnicodeEncodeError:
        raise InvalidInputError(NO_TEXT) from None
    except _kinds() as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
        if code == sqlite3.SQLITE_NOTADB:
            if of_key := refused(path, with_key=not isinstance(error, sqlite3.Error)):
                raise of_key from error
        if code & 0xFF in _UNREADABLE or code in _UNREADABLE_IO:
            raise StoreCorruptError(
                f"{path} cannot be read ({error}). The file was left as it is: restore a backup over it,"
                " or move it away to begin anew"
            ) from error
        if code & 0xFF in _UNWRITABLE:
            raise StoreFullError(
                f"{path} cannot be written ({error}). Nothing was stored: free some space on the disk and"
                " check that the folder is writable, then try again"
            ) from error
        raise
