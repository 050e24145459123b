"""The shared store: one PostgreSQL database, any number of processes."""

from __future__ import annotations

from contextlib import AbstractContextManager

from habitus.memory.index.wide import score_candidates
from habitus.memory.storage import reading
from habitus.memory.storage.postgres.connecting import PostgresConnection, PostgresDatabase
from habitus.memory.storage.postgres.schema import SCHEMA
from habitus.memory.storage.postgres.wide import candidates, index_after, unindex
from habitus.memory.storage.reading import Bounds, Size
from habitus.memory.storage.relational import EXACT_LIMIT, RESIDENT_BYTES, RelationalStore
from habitus.memory.storage.sql import Connection
from habitus.memory.store import Candidates, Progress, Query, StoreStats
from habitus.retrievers.encoder import Encoder, Vectors

MAX_CONNECTIONS = 8
MAX_TURNS = 16
TURN_TIMEOUT_SECONDS = 120.0

_INDEXED_BESIDE = 64
"""Messages of a large user that are indexed with each change, beside its own."""

_INDEXED_AT_ONCE = 1_024


class PostgresStore(RelationalStore):
    """A `MemoryStore` in PostgreSQL with pgvector; make one with `PostgresStore.open`.

    What is deleted is in no table any more. The server keeps the bytes of deleted rows in its files until
    they are overwritten: `VACUUM (FULL)` of the schema rewrites them, and its write-ahead log, archives and
    backups end by their own rules.
    """

    def __init__(
        self, database: PostgresDatabase, encoder: Encoder, *, in_memory: Bounds, resident_bytes: int
    ) -> None:
        super().__init__(encoder, in_memory=in_memory, resident_bytes=resident_bytes)
        self._database = database

    @classmethod
    def open(
        cls,
        url: str,
        encoder: Encoder,
        *,
        schema: str = SCHEMA,
        exact_limit: int = EXACT_LIMIT,
        resident_bytes: int = RESIDENT_BYTES,
        max_connections: int = MAX_CONNECTIONS,
        max_turns: int = MAX_TURNS,
        turn_timeout: float = TURN_TIMEOUT_SECONDS,
    ) -> PostgresStore:
        """Connect to a database, and make or upgrade its tables.

        Args:
            url: `postgresql://USER:PASSWORD@HOST:PORT/DATABASE`, or anything else that libpq understands.
            encoder: makes the vectors; all processes on one database must have the same.
            schema: where the tables are.
            exact_limit: users with at most so many turns are searched in memory.
            resident_bytes: bound on the memory for users searched last.
            max_connections: of this process for reading and writing.
            max_turns: that run at once in this process, each with a connection more.
            turn_timeout: seconds to wait for another turn of the same user, or for a free connection.

        Raises:
            StoreUnreachableError: the server does not answer, refuses, or lacks pgvector.
            EncoderChangedError: the vectors in the database come from another encoder.
            StoreCorruptError: the tables were made by a newer version of the library.
        """
        database = PostgresDatabase(
            url,
            schema=schema,
            max_connections=max_connections,
            max_turns=max_turns,
            turn_timeout=turn_timeout,
        )
        try:
            database.adopt(encoder)
        except BaseException:
            database.close()
            raise
        return cls(database, encoder, in_memory=Bounds.of(exact_limit), resident_bytes=resident_bytes)

    @property
    def location(self) -> str:
        """Where it is stored, without the password."""
        return self._database.name

    def turn_of(self, user_id: str) -> AbstractContextManager[None]:
        return self._database.turn_of(user_id)

    def _read(self) -> AbstractContextManager[PostgresConnection]:
        return self._database.read()

    def _glance(self) -> AbstractContextManager[PostgresConnection]:
        return self._database.glance()

    def _change(self, user_id: str) -> AbstractContextManager[PostgresConnection]:
        return self._database.write(user_id)

    def _search_wide(self, user_id: str, query: Query, vector: Vectors) -> Candidates:
        with self._read() as connection:
            pending, found, frequencies = candidates(connection, user_id, query, vector)
            return score_candidates(connection, user_id, query, vector, pending, found, frequencies)

    def _index(self, connection: Connection, user_id: str, n_turns: int, size: Size) -> None:
        # More than came in, so that a user is indexed to the end long before that is needed.
        if self._in_memory.halves.is_exceeded_by(size):
            index_after(connection, user_id, self._encoder.dim, n_turns + _INDEXED_BESIDE)

    def _was_changed(self, n_turns: int, size: Size) -> None:
        pass

    def _index_more(self, user_id: str) -> int:
        with self._change(user_id) as connection:
            return index_after(connection, user_id, self._encoder.dim, _INDEXED_AT_ONCE)

    def _large_users(self) -> list[str]:
        with self._read() as connection:
            return reading.large_users(connection, self._in_memory.halves)

    def _will_delete(self, connection: Connection, user_id: str, *, turns: bool) -> None:
        pass

    def _was_deleted(self, user_id: str) -> None:
        pass

    def reindex(self, progress: Progress | None = None) -> None:
        """Build the tables of large users anew, others are searched without any; complete preferences."""
        self._complete_preferences()
        users = self._large_users()
        with self._read() as connection:
            total = reading.counts(connection, None)["n_turns"]
            done = total - sum(reading.size(connection, user_id).n_turns for user_id in users)
        for user_id in users:
            with self._change(user_id) as connection:
                unindex(connection, user_id)
            while n_indexed := self._index_more(user_id):
                done += n_indexed
                if progress:
                    progress(min(done, total), total)
        if progress:
            progress(total, total)

    def flush(self) -> None:
        for user_id in self._large_users():
            while self._index_more(user_id):
                continue

    def _n_pending(self, connection: Connection, user_id: str | None) -> int:
        large = reading.large_users(connection, self._in_memory.halves)
        sql = (
            "SELECT count(*) FROM turns t JOIN users u USING (user_id)"
            " WHERE t.user_id = ? AND t.seq > u.indexed_seq"
        )
        return sum(
            connection.execute(sql, (one,)).fetchone()[0]
            for one in large
            if user_id is None or one == user_id
        )

    def stats(self, user_id: str | None = None) -> StoreStats:
        with self._read() as connection:
            counts = reading.counts(connection, user_id)
            n_pending = self._n_pending(connection, user_id)
            size = self._database.bytes_on_disk(connection)
        return StoreStats(
            **counts, n_pending=n_pending, bytes_on_disk=size, encoder=self._encoder.fingerprint
        )

    def close(self) -> None:
        """Close all connections; a second call does nothing."""
        self._database.close()
