"""The shared store: one PostgreSQL database, any number of processes."""

from __future__ import annotations

from contextlib import AbstractContextManager

from habitus.memory import reading
from habitus.memory.postgres.connecting import PostgresConnection, PostgresDatabase
from habitus.memory.reading import Bounds, Size
from habitus.memory.relational import EXACT_LIMIT, RESIDENT_BYTES, RelationalStore
from habitus.memory.sql import Connection
from habitus.memory.store import Candidates, Progress, Query, StoreStats
from habitus.retrievers.encoder import Encoder, Vectors

SCHEMA = "habitus"
MAX_CONNECTIONS = 8
MAX_TURNS = 16
TURN_TIMEOUT_SECONDS = 120.0


class PostgresStore(RelationalStore):
    """A `MemoryStore` in PostgreSQL with pgvector; make one with `PostgresStore.open`."""

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

    def _change(self, user_id: str) -> AbstractContextManager[PostgresConnection]:
        return self._database.write(user_id)

    def _search_wide(self, user_id: str, query: Query, vector: Vectors) -> Candidates:
        with self._read() as connection:
            size = reading.size(connection, user_id)
        return self._search_in_memory(user_id, size, query, vector)

    def _was_changed(self, n_turns: int, size: Size) -> None:
        pass

    def _will_delete(self, connection: Connection, user_id: str, *, turns: bool) -> None:
        pass

    def _was_deleted(self, user_id: str) -> None:
        pass

    def reindex(self, progress: Progress | None = None) -> None:
        with self._read() as connection:
            n_turns = reading.counts(connection, None)["n_turns"]
        if progress:
            progress(n_turns, n_turns)

    def flush(self) -> None:
        with self._read():
            pass

    def stats(self, user_id: str | None = None) -> StoreStats:
        with self._read() as connection:
            counts = reading.counts(connection, user_id)
            size = self._database.bytes_on_disk(connection)
        return StoreStats(**counts, n_pending=0, bytes_on_disk=size, encoder=self._encoder.fingerprint)

    def close(self) -> None:
        """Close all connections; a second call does nothing."""
        self._database.close()
