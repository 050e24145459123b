"""One SQLite file: its connections and transactions, and what is left in it of deleted rows."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from habitus.memory.errors import StoreClosedError, StoreCorruptError, StoreFullError
from habitus.memory.storage.connecting import BUSY_SECONDS, SqliteConnection, connect, translated
from habitus.memory.storage.encryption import EncryptionKey
from habitus.memory.storage.schema import check_is_ours, migrate
from habitus.memory.storage.scrubbing import UnknownLayoutError, scrub_pages

_MAX_IDLE = 8
"""Readers kept open; each holds up to 2 MB of pages."""
_VACUUM_IN_MEMORY_PAGES = 16_384
_MAX_UNUSED = 0.25
"""Of the pages of a file; with more of them it is made smaller."""


class Database:
    """A database in WAL mode with one writer and a pool of readers.

    Every transaction that has returned is on the disk (`synchronous=FULL`). Readers see the last
    committed state and never wait for the writer. A file that is removed, moved or replaced while it is open
    is neither read nor written any more: what is stored in a file without a name is gone when it is closed.

    Args:
        path: the file; made if it does not exist.
        key: that it is encrypted with; None leaves it plain.
        max_pages: refuse to grow beyond so many pages of 4 KiB; None is no bound.

    Raises:
        EncryptionError: the file is encrypted and the key is missing or another, or it is not and there is
            one; or SQLCipher is not installed. Nothing was touched.
        InvalidInputError: the file is another program's database.
        StoreCorruptError: the file is no database, or of a newer version.
        StoreFullError: the folder cannot be written.
    """

    def __init__(self, path: Path, *, key: EncryptionKey | None = None, max_pages: int | None = None) -> None:
        self.path = path
        self._key = key
        self._max_pages = max_pages
        self._lock = threading.RLock()
        self._idle: list[SqliteConnection] = []
        self._idle_lock = threading.Lock()
        self._closed = False
        with translated(path):
            self._check_key()
            self._writer = self._connect_writer()
            try:
                check_is_ours(self._writer, path)
                self._writer.execute("PRAGMA journal_mode=WAL")
                migrate(self._writer)
                self._file = path.open("r+b", buffering=0)
                self._opened = os.fstat(self._file.fileno())
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
        connection = connect(self.path, self._key)
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA secure_delete=ON")
        return connection

    def _check_key(self) -> None:
        """Look at a file beside which a log was left; whoever may write carries the log out when closing."""
        if self.path.with_name(f"{self.path.name}-wal").exists():
            with closing(connect(self.path, self._key, read_only=True)) as connection:
                connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()

    def _check_open(self) -> None:
        if self._closed:
            raise StoreClosedError(f"the store at {str(self.path.parent)!r} is closed; open it again")
        self._check_in_place()

    def _check_in_place(self) -> None:
        try:
            in_place = os.path.samestat(self.path.stat(), self._opened)
        except OSError:
            in_place = False
        if not in_place:
            raise StoreCorruptError(
                f"{self.path} was removed, moved or replaced while it was open, so nothing is read from it or"
                " stored any more: put it back, or close the store and open it again"
            )

    @contextmanager
    def write(self) -> Iterator[SqliteConnection]:
        """Run one transaction: durable when the block ends, undone when it raises."""
        with self._lock, translated(self.path):
            self._check_open()
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._check_in_place()
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

        Reads the whole file once. It is written anew where much of it is unused, or where it is encrypted,
        which takes many times as long and for a while as much space again.
        """
        with self._lock, translated(self.path):
            self._check_open()
            (n_pages,) = self._writer.execute("PRAGMA page_count").fetchone()
            (n_unused,) = self._writer.execute("PRAGMA freelist_count").fetchone()
            # What lies where in an encrypted page cannot be seen from outside.
            if self._key is not None or n_unused > n_pages * _MAX_UNUSED:
                self._vacuum(n_pages)
            self._empty_log()
            if self._key is None:
                self._overwrite(n_pages)
            # Its cache holds pages as they were, and would write them back with the next change.
            writer, self._writer = self._writer, self._connect_writer()
            writer.close()

    def _overwrite(self, n_pages: int) -> None:
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

    def _vacuum(self, n_pages: int) -> None:
        if n_pages > _VACUUM_IN_MEMORY_PAGES:
            # Holds only what is kept, and has no name: SQLite unlinks it as soon as it is open. SQLCipher
            # encrypts it.
            self._writer.execute("PRAGMA temp_store=FILE")
        try:
            self._writer.execute("VACUUM")
        finally:
            self._writer.execute("PRAGMA temp_store=MEMORY")

    def _empty_log(self) -> None:
        (busy, _, _) = self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise StoreFullError(
                f"{self.path} was still being read {BUSY_SECONDS:.0f} s after a deletion; what was"
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
