"""One SQLite file: connections, transactions, and errors in the words of the store."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from habitus.memory.errors import StoreClosedError, StoreCorruptError, StoreFullError
from habitus.memory.index.outbox import put_added, put_removed, shard_of
from habitus.memory.storage import reading
from habitus.memory.storage.reading import Size
from habitus.memory.storage.schema import migrate
from habitus.memory.storage.scrubbing import UnknownLayoutError, scrub_pages
from habitus.memory.storage.sql import FeatureRow
from habitus.memory.storage.writing import new_epoch

DATABASE = "memory.db"
"""The file in a data folder."""

_BUSY_SECONDS = 30.0
_MAX_IDLE = 8
"""Readers kept open; each holds up to 2 MB of pages."""
_VACUUM_IN_MEMORY_PAGES = 16_384
_MAX_UNUSED = 0.25
"""Of the pages of a file; with more of them it is made smaller."""

_UNREADABLE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_UNWRITABLE = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_PERM,
}
_UNREADABLE_IO = {sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ, sqlite3.SQLITE_IOERR_CORRUPTFS}


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn SQLite's errors about the file into the store's; errors about the SQL stay as they are."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
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


class SqliteConnection(sqlite3.Connection):
    """A `habitus.memory.storage.sql.Connection`."""

    with_features = "JOIN features f USING (seq)"
    derived_tables = ("outbox",)

    def begin_change(self, user_id: str) -> Callable[[], Size]:
        self.execute(
            "INSERT INTO users (user_id, shard, epoch) VALUES (?, ?, ?)"
            " ON CONFLICT (user_id) DO UPDATE SET version = version + 1",
            (user_id, shard_of(user_id), new_epoch()),
        )
        size = reading.size(self, user_id)
        return lambda: size

    def reserve(self, user_id: str, n: int) -> int:
        # Numbers of the whole table, so that they name a turn in the indexes by themselves.
        row = self.execute("SELECT seq FROM sqlite_sequence WHERE name = 'turns'").fetchone()
        return (row[0] if row else 0) + 1

    def add_features(self, user_id: str, rows: Sequence[FeatureRow]) -> None:
        self.executemany("INSERT INTO features VALUES (?, ?, ?, ?, ?, ?)", rows)
        put_added(self, user_id, [row[0] for row in rows])

    def was_removed(self, user_id: str, seqs: Sequence[int]) -> None:
        put_removed(self, user_id, seqs)


class Database:
    """A database in WAL mode with one writer and a pool of readers.

    Every transaction that has returned is on the disk (`synchronous=FULL`). Readers see the last
    committed state and never wait for the writer.

    Args:
        path: the file; made if it does not exist.
        max_pages: refuse to grow beyond so many pages of 4 KiB; None is no bound.

    Raises:
        StoreCorruptError: the file is no database, or of a newer version.
        StoreFullError: the folder cannot be written.
    """

    def __init__(self, path: Path, *, max_pages: int | None = None) -> None:
        self.path = path
        self._max_pages = max_pages
        self._lock = threading.RLock()
        self._idle: list[SqliteConnection] = []
        self._idle_lock = threading.Lock()
        self._closed = False
        with translated(path):
            self._writer = self._connect_writer()
            try:
                self._writer.execute("PRAGMA journal_mode=WAL")
                migrate(self._writer)
                self._file = path.open("r+b", buffering=0)
            except OSError as error:
                self._writer.close()
                raise StoreFullError(f"{path} cannot be written: {error}") from error
            except BaseException:
                self._writer.close()
                raise

    def _connect_writer(self) -> SqliteConnection:
        connection = self._connect()
        if self._max_pages is not None:
            connection.execute(f"PRAGMA max_page_count={self._max_pages:d}")
        return connection

    def _connect(self) -> SqliteConnection:
        connection: SqliteConnection = sqlite3.connect(
            self.path,
            timeout=_BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            factory=SqliteConnection,
        )
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA secure_delete=ON")
        # Temporary files would hold content outside the folder.
        connection.execute("PRAGMA temp_store=MEMORY")
        return connection

    def _check_open(self) -> None:
        if self._closed:
            raise StoreClosedError(f"the store at {str(self.path.parent)!r} is closed; open it again")

    @contextmanager
    def write(self) -> Iterator[SqliteConnection]:
        """Run one transaction: durable when the block ends, undone when it raises."""
        with self._lock, translated(self.path):
            self._check_open()
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                # SQLite has already rolled back by itself after some errors, a full disk among them.
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise

    @contextmanager
    def read(self) -> Iterator[SqliteConnection]:
        """Look at one committed state of the database throughout the block."""
        with translated(self.path):
            connection = self._borrow()
            try:
                connection.execute("BEGIN")
                yield connection
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                self._give_back(connection)

    def _borrow(self) -> SqliteConnection:
        with self._idle_lock:
            self._check_open()
            if self._idle:
                return self._idle.pop()
        return self._connect()

    def _give_back(self, connection: SqliteConnection) -> None:
        with self._idle_lock:
            if not self._closed and len(self._idle) < _MAX_IDLE:
                self._idle.append(connection)
                return
        connection.close()

    def scrub(self) -> None:
        """Overwrite what the file still holds of deleted rows, and empty the write-ahead log.

        Reads the whole file once. It is written anew where much of it is unused, which takes many times
        as long and for a while as much space again.
        """
        with self._lock, translated(self.path):
            self._check_open()
            (n_pages,) = self._writer.execute("PRAGMA page_count").fetchone()
            (n_unused,) = self._writer.execute("PRAGMA freelist_count").fetchone()
            if n_unused > n_pages * _MAX_UNUSED:
                self._vacuum(n_pages)
            self._empty_log()
            try:
                scrub_pages(self._file)
            except UnknownLayoutError:
                self._vacuum(n_pages)
                self._empty_log()
            except OSError as error:
                raise StoreFullError(
                    f"{self.path} cannot be written ({error}); what was deleted may still be in its unused"
                    " parts: repeat the deletion"
                ) from error
            # Its cache holds pages as they were, and would write them back with the next change.
            writer, self._writer = self._writer, self._connect_writer()
            writer.close()

    def _vacuum(self, n_pages: int) -> None:
        if n_pages > _VACUUM_IN_MEMORY_PAGES:
            # Holds only what is kept, and has no name: SQLite unlinks it as soon as it is open.
            self._writer.execute("PRAGMA temp_store=FILE")
        try:
            self._writer.execute("VACUUM")
        finally:
            self._writer.execute("PRAGMA temp_store=MEMORY")

    def _empty_log(self) -> None:
        (busy, _, _) = self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise StoreFullError(
                f"{self.path} was still being read {_BUSY_SECONDS:.0f} s after a deletion; what was"
                " deleted is not yet gone from the write-ahead log: repeat the deletion"
            )

    def close(self) -> None:
        """Close all connections; a second call does nothing."""
        with self._lock, self._idle_lock:
            if self._closed:
                return
            self._closed = True
            for connection in self._idle:
                connection.close()
            self._idle.clear()
            self._writer.close()
            # Last: to close any file on it lets go of the locks that SQLite holds in this process.
            self._file.close()
