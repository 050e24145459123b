"""The default store: one folder, one process, SQLite as the only truth."""

from __future__ import annotations

import os
import sys
from contextlib import AbstractContextManager, ExitStack

from habitus.memory.errors import InvalidInputError
from habitus.memory.index import outbox
from habitus.memory.index.indexer import INDEX_AFTER, Indexer
from habitus.memory.index.reembedding import adopt
from habitus.memory.index.unindexed import Unindexed
from habitus.memory.index.wide import search_wide
from habitus.memory.storage import reading, writing
from habitus.memory.storage.backup import check_integrity
from habitus.memory.storage.connecting import SqliteConnection
from habitus.memory.storage.encryption import EncryptionKey
from habitus.memory.storage.folder import DataFolder
from habitus.memory.storage.locking import UserLocks
from habitus.memory.storage.reading import Bounds, Size
from habitus.memory.storage.relational import EXACT_LIMIT, RESIDENT_BYTES, RelationalStore
from habitus.memory.storage.replacing import DATABASE
from habitus.memory.storage.sql import Connection
from habitus.memory.storage.sqlite import Database
from habitus.memory.storage.verifying import Verified
from habitus.memory.store import Candidates, Progress, Query, StoreStats
from habitus.retrievers.encoder import Encoder, Vectors


class EmbeddedStore(RelationalStore):
    """A `MemoryStore` in a folder; make one with `EmbeddedStore.open`."""

    def __init__(
        self,
        folder: DataFolder,
        database: Database,
        indexer: Indexer | Unindexed,
        encoder: Encoder,
        *,
        in_memory: Bounds,
        resident_bytes: int,
    ) -> None:
        super().__init__(encoder, in_memory=in_memory, resident_bytes=resident_bytes)
        self._folder = folder
        self._database = database
        self._indexer = indexer
        self._turns = UserLocks()

    @classmethod
    def open(
        cls,
        folder: str | os.PathLike[str],
        encoder: Encoder,
        *,
        progress: Progress | None = None,
        reembed: bool = True,
        exact_limit: int = EXACT_LIMIT,
        resident_bytes: int = RESIDENT_BYTES,
        index_after: int = INDEX_AFTER,
        max_pages: int | None = None,
        chroma_url: str | None = None,
        key: EncryptionKey | str | None = None,
    ) -> EmbeddedStore:
        """Open a data folder, or make it, and own it until `close`.

        What a crash interrupted is finished first: a deletion is carried through, a change of encoder
        goes on where it was. The derived indexes catch up in the background.

        Args:
            folder: where everything is kept.
            encoder: makes the vectors. If others are stored, all are computed anew.
            progress: called with (done, total) turns while they are.
            reembed: False raises instead when the encoder has changed.
            exact_limit: users with at most so many turns are searched in memory; larger ones through
                the derived indexes, which are filled for them alone unless `flush` is called.
            resident_bytes: bound on the memory for users searched last.
            index_after: how many turns of large users may wait before the derived indexes are brought up
                to date in the background; until then they are searched all the same.
            max_pages: bound on the size of the database in pages of 4 KiB; None is no bound.
            chroma_url: a Chroma server, `http://HOST:PORT`, that keeps the vectors of the derived indexes; by
                default the folder does. What is deleted is removed there at once, but its vectors may stay in
                the server's files until `chroma vacuum`.
            key: that the folder is, or is to be, encrypted with: 64 hexadecimal digits. There are no derived
                indexes then, which would lie open: every user is searched in memory, whatever `exact_limit`
                says, and one who takes more than `resident_bytes` is read anew for each search.

        Raises:
            EncryptionError: the key is missing or another, or the folder is not encrypted.
            FolderInUseError: somebody owns the folder already.
            InvalidInputError: the path leads to something that is no folder; or there are a key and a Chroma
                server, which would keep vectors in the open.
            EncoderChangedError: the encoder has changed and `reembed` is False.
            StoreFullError: the folder cannot be written.
            StoreCorruptError: the database cannot be read.
            StoreUnreachableError: a deletion is to be carried through on the Chroma server, which does not
                answer.
        """
        if key is not None and chroma_url is not None:
            raise InvalidInputError(
                "a Chroma server keeps vectors in the open, from which texts can be approximated: leave out"
                " chroma_url or the key"
            )
        key = None if key is None else EncryptionKey.of(key)
        data = DataFolder(folder)
        with ExitStack() as undo:
            undo.callback(data.release)
            database = Database(data.path / DATABASE, key=key, max_pages=max_pages)
            undo.callback(database.close)
            is_new = adopt(database, encoder, reembed=reembed, progress=progress)
            index = data.path / "index"
            indexer: Indexer | Unindexed
            if key is None:
                in_memory = Bounds.of(exact_limit)
                indexer = Indexer(
                    database,
                    index,
                    encoder.dim,
                    in_memory=in_memory,
                    index_after=index_after,
                    chroma_url=chroma_url,
                )
            else:
                in_memory = Bounds(sys.maxsize, sys.maxsize)
                indexer = Unindexed(database, index)
            store = cls(data, database, indexer, encoder, in_memory=in_memory, resident_bytes=resident_bytes)
            indexer.start(is_new=is_new)
            store._scrub()
            undo.pop_all()
        return store

    @property
    def folder(self) -> str:
        """Where it is stored."""
        return str(self._folder.path)

    def turn_of(self, user_id: str) -> AbstractContextManager[None]:
        # This process alone owns the folder.
        return self._turns.of(user_id)

    def _read(self) -> AbstractContextManager[SqliteConnection]:
        return self._database.read()

    def _change(self, user_id: str) -> AbstractContextManager[SqliteConnection]:
        return self._database.write()

    def _search_wide(self, user_id: str, query: Query, vector: Vectors) -> Candidates:
        # Without indexes nobody is too large for memory.
        assert isinstance(self._indexer, Indexer)
        return search_wide(self._database, self._indexer, user_id, query, vector)

    def _index(self, connection: Connection, user_id: str, n_turns: int, size: Size) -> None:
        pass

    def _was_changed(self, n_turns: int, size: Size) -> None:
        self._indexer.notify(n_turns, size)

    def _will_delete(self, connection: Connection, user_id: str, *, turns: bool) -> None:
        outbox.begin_scrub(connection, [outbox.shard_of(user_id)] if turns else [])

    def _was_deleted(self, user_id: str) -> None:
        self._scrub()

    def _scrub(self) -> None:
        """Carry a deletion through to every file, also one that a crash interrupted."""
        self._indexer.drop_stale()
        with self._database.read() as connection:
            pending = reading.get_meta(connection, "scrub")
        if pending is None:
            return
        self._database.scrub()
        with self._database.write() as connection:
            # Another deletion may have begun meanwhile; its own scrub is still to come.
            if reading.get_meta(connection, "scrub") == pending:
                writing.set_meta(connection, "scrub", None)

    def reindex(self, progress: Progress | None = None) -> None:
        self._complete_preferences()
        self._indexer.reindex(progress)

    def flush(self) -> None:
        self._indexer.drain()

    def verify(self, progress: Progress | None = None) -> Verified:
        with self._read() as connection:
            check_integrity(connection, self._database.path)
        return super().verify(progress)

    def stats(self, user_id: str | None = None) -> StoreStats:
        with self._database.read() as connection:
            counts, n_pending = reading.counts(connection, user_id), outbox.n_pending(connection, user_id)
        return StoreStats(
            **counts,
            n_pending=n_pending,
            bytes_on_disk=self._folder.bytes_on_disk(),
            encoder=self._encoder.fingerprint,
        )

    def close(self) -> None:
        """Release the folder; a second call does nothing.

        Raises:
            Exception: what stopped the indexer in the background, unless a later `flush` made it good.
                The store is closed all the same.
        """
        try:
            self._indexer.close()
        finally:
            self._database.close()
            self._folder.release()
