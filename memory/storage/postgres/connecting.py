"""Connections to a PostgreSQL database: pools, transactions, turns of users, errors in the store's words."""

from __future__ import annotations

import logging
import selectors
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache, lru_cache
from threading import RLock
from typing import Any

import psycopg
from psycopg import errors, sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import PGconn, Ping
from psycopg.types.string import TextBinaryLoader, TextLoader
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout

from habitus.memory.errors import (
    EncoderChangedError,
    InvalidInputError,
    StoreClosedError,
    StoreCorruptError,
    StoreFullError,
    StoreUnreachableError,
    TurnTimeoutError,
)
from habitus.memory.storage.locking import UserLocks
from habitus.memory.storage.postgres.schema import alone, migrate
from habitus.memory.storage.postgres.url import check_url
from habitus.memory.storage.postgres.wide import forget_postings
from habitus.memory.storage.reading import Size
from habitus.memory.storage.sql import NO_TEXT, FeatureRow, Result
from habitus.memory.storage.writing import new_epoch
from habitus.retrievers.encoder import Encoder

logger = logging.getLogger(__name__)

_CONNECT_SECONDS = 10
_PATIENCE_SECONDS = 3.0
"""Without a connection for so long the server is asked whether it is there at all."""
_RECONNECT_SECONDS = 5.0
"""For longer the pool would pause for minutes between two attempts, also when the server is back."""
_NOTICE_LOST_CLIENTS = (
    "SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3"
)
_UNWRITABLE = (errors.DiskFull, errors.ReadOnlySqlTransaction, errors.InsufficientPrivilege)
_DAMAGED = (errors.DataCorrupted, errors.IndexCorrupted)


@lru_cache(maxsize=512)
def _placed(statement: str) -> bytes:
    return statement.replace("?", "%s").encode()


class PostgresConnection:
    """A `habitus.memory.storage.sql.Connection`.

    Within a pipeline statements are sent without waiting for the one before: a commit of 18 statements takes
    two round trips.
    """

    with_features = "JOIN features f USING (user_id, seq)"
    derived_tables = ("passages", "postings")

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        self._last_seq: Callable[[], int] | None = None

    def execute(self, statement: str, values: Sequence[Any] = (), /) -> Result:
        return self._connection.execute(_placed(statement), values or None, binary=True)

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]], /) -> None:
        with self._connection.cursor() as cursor:
            cursor.executemany(_placed(statement), rows)

    def begin_change(self, user_id: str) -> Callable[[], Size]:
        begun = self.execute(
            "INSERT INTO users (user_id, epoch) VALUES (?, ?)"
            " ON CONFLICT (user_id) DO UPDATE SET version = users.version + 1"
            " RETURNING last_seq, n_turns, n_passages, epoch, version",
            (user_id, new_epoch()),
        )

        @cache
        def row() -> tuple[int, ...]:
            found: tuple[int, ...] = begun.fetchone()
            return found

        self._last_seq = lambda: row()[0]
        return lambda: Size(*row()[1:])

    def reserve(self, user_id: str, n: int) -> int:
        assert self._last_seq is not None, "no change has begun"
        # The user's row is locked since, so that numbers become visible in their order.
        last = self._last_seq()
        self._last_seq = lambda: last + n
        self.execute("UPDATE users SET last_seq = ? WHERE user_id = ?", (last + n, user_id))
        return last + 1

    def add_features(self, user_id: str, rows: Sequence[FeatureRow]) -> None:
        self.executemany(
            "INSERT INTO features (user_id, seq, n_passages, n_terms, terms, counts, vectors)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(user_id, *row) for row in rows],
        )

    def was_removed(self, user_id: str, seqs: Sequence[int]) -> None:
        forget_postings(self, user_id, seqs)


@dataclass
class _Turn:
    """A turn that is running: its connection holds the lock, and carries what the turn writes."""

    connection: psycopg.Connection
    writing: RLock = field(default_factory=RLock)


class PostgresDatabase:
    """One schema of a database, used by any number of processes.

    Args:
        url: `postgresql://USER:PASSWORD@HOST:PORT/DATABASE`, or anything else that libpq understands.
        schema: where the tables are; made if it is not there.
        max_connections: for reading and writing.
        max_turns: turns that run at once; each keeps a connection, as its lock lasts as long as that.
        turn_timeout: seconds to wait for another turn of the same user, and for a connection.

    Raises:
        InvalidInputError: the URL cannot be read.
        StoreUnreachableError: no connection, no right, or no pgvector.
        StoreCorruptError: the tables were made by a newer version of the library.
    """

    def __init__(
        self,
        url: str,
        *,
        schema: str,
        max_connections: int,
        max_turns: int,
        turn_timeout: float,
    ) -> None:
        check_url(url)
        self._url = url
        self._schema = schema
        self._turn_timeout = turn_timeout
        self._closed = False
        self._locks = UserLocks()
        self._turns: dict[str, _Turn] = {}
        with self._translated():
            self._search_path = self._set_up()
        options: dict[str, Any] = {
            "kwargs": {"autocommit": True, "connect_timeout": _CONNECT_SECONDS},
            "configure": self._configure,
            "check": _check,
            "reconnect_timeout": _RECONNECT_SECONDS,
            "open": True,
        }
        self._pool = ConnectionPool(
            url, min_size=1, max_size=max_connections, timeout=turn_timeout, **options
        )
        # Apart: a turn that held one and waited for another would wait for itself.
        self._turn_pool = ConnectionPool(url, min_size=0, max_size=max_turns, timeout=turn_timeout, **options)

    @property
    def name(self) -> str:
        """Where it is, without the password."""
        parts = conninfo_to_dict(self._url)
        place = f"{parts.get('host', 'localhost')}:{parts.get('port', 5432)}/{parts.get('dbname', '')}"
        return f"{parts['user']}@{place}" if parts.get("user") else place

    def _set_up(self) -> sql.Composed:
        """Make what is missing; return what `search_path` must be."""
        with (
            psycopg.connect(self._url, autocommit=True, connect_timeout=_CONNECT_SECONDS) as connection,
            alone(connection),
        ):
            extension = _extension_schema(connection)
            if extension is None:
                extension = self._make_extension(connection)
            # `IF NOT EXISTS` asks for the right to make one even where there is one.
            known = connection.execute("SELECT FROM pg_namespace WHERE nspname = %s", (self._schema,))
            if known.fetchone() is None:
                connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(self._schema)))
            path = sql.SQL("SET search_path TO {}, {}").format(
                sql.Identifier(self._schema), sql.Identifier(extension)
            )
            connection.execute(path)
            migrate(connection)
        return path

    def _make_extension(self, connection: psycopg.Connection) -> str:
        try:
            connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
        except (errors.UndefinedFile, errors.FeatureNotSupported, errors.InsufficientPrivilege) as error:
            raise StoreUnreachableError(
                f"the database {self.name} lacks the extension pgvector and it cannot be made here"
                f" ({_first_line(error)}): install pgvector on the server, then have a superuser run CREATE"
                " EXTENSION vector in this database"
            ) from error
        found = _extension_schema(connection)
        assert found is not None
        return found

    def _configure(self, connection: psycopg.Connection) -> None:
        connection.execute(self._search_path)
        connection.execute(_NOTICE_LOST_CLIENTS)
        # As texts: records are checked by their own models.
        connection.adapters.register_loader("json", TextLoader)
        connection.adapters.register_loader("json", TextBinaryLoader)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn errors of the server into the store's; errors about the SQL stay as they are."""
        try:
            yield
        except PoolClosed as error:
            raise StoreClosedError(f"the store at {self.name} is closed; open it again") from error
        except PoolTimeout as error:
            raise StoreUnreachableError(
                f"no connection to {self.name} became free within {self._turn_timeout:.0f} s: too many turns"
                " run at once (raise max_connections and max_turns), or the server does not answer"
            ) from error
        except _DAMAGED as error:
            raise StoreCorruptError(
                f"the database {self.name} is damaged ({_first_line(error)}): restore a backup"
            ) from error
        except _UNWRITABLE as error:
            raise StoreFullError(
                f"the database {self.name} cannot be written ({_first_line(error)}). Nothing was stored: free"
                " space on the server, or have somebody grant the right"
            ) from error
        except errors.DataError as error:
            raise InvalidInputError("PostgreSQL cannot hold this value") from error
        except UnicodeEncodeError:
            raise InvalidInputError(NO_TEXT) from None
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            if isinstance(error, errors.LockNotAvailable):
                raise
            raise StoreUnreachableError(
                f"PostgreSQL at {self.name} cannot be used ({_first_line(error)}). {_advice(error)}"
            ) from error

    def _check_open(self) -> None:
        if self._closed:
            raise StoreClosedError(f"the store at {self.name} is closed; open it again")

    def adopt(self, encoder: Encoder) -> None:
        """Make sure that all vectors come from this encoder; the first one that opens the store decides.

        Raises:
            EncoderChangedError: they come from another.
        """
        with self._translated(), self._lent(self._pool) as connection:
            connection.execute(
                "INSERT INTO meta VALUES ('encoder', %s) ON CONFLICT (name) DO NOTHING",
                (encoder.fingerprint,),
            )
            row = connection.execute("SELECT value FROM meta WHERE name = 'encoder'").fetchone()
        assert row is not None
        if row[0] != encoder.fingerprint:
            raise EncoderChangedError(
                f"the vectors in {self.name} were made by encoder {row[0]!r}, this one is"
                f" {encoder.fingerprint!r}: open it with the former, or move the users with `habitus migrate`"
                " to another database, which computes them anew"
            )

    def bytes_on_disk(self, connection: PostgresConnection) -> int:
        """Return the size of the tables with their indexes."""
        (size,) = connection.execute(
            "SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint FROM pg_class c"
            " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = ? AND c.relkind = 'r'",
            (self._schema,),
        ).fetchone()
        return int(size)

    @contextmanager
    def read(self) -> Iterator[PostgresConnection]:
        """Look at one committed state of the database throughout the block."""
        self._check_open()
        with self._translated(), self._lent(self._pool) as connection:
            with _transaction(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"):
                yield PostgresConnection(connection)

    @contextmanager
    def glance(self) -> Iterator[PostgresConnection]:
        """Run one statement that reads, in one round trip."""
        self._check_open()
        with self._translated(), self._lent(self._pool) as connection:
            yield PostgresConnection(connection)

    @contextmanager
    def write(self, user_id: str) -> Iterator[PostgresConnection]:
        """Run one transaction on a user: durable when the block ends, undone when it raises.

        Within a turn of the user it runs on the connection that keeps other turns out: if that is lost,
        and with it the lock, nothing can be written any more.
        """
        self._check_open()
        with self._translated(), self._writing(user_id) as connection:
            with _transaction(connection, "BEGIN"):
                transaction = PostgresConnection(connection)
                transaction.execute("SELECT FROM users WHERE user_id = ? FOR UPDATE", (user_id,))
                yield transaction

    @contextmanager
    def _writing(self, user_id: str) -> Iterator[psycopg.Connection]:
        """Lend the connection to write a user on, to nobody else meanwhile."""
        while (turn := self._turns.get(user_id)) is not None:
            with turn.writing:
                # While this thread waited the turn may have ended, and its connection serve another.
                if self._turns.get(user_id) is turn:
                    yield turn.connection
                    return
        with self._lent(self._pool) as connection:
            yield connection

    @contextmanager
    def turn_of(self, user_id: str) -> Iterator[None]:
        """Keep other turns of a user out, in every process; see `MemoryStore.turn_of`.

        Raises:
            TurnTimeoutError: another process did not end its turn in time.
        """
        self._check_open()
        with self._locks.of(user_id), self._lent(self._turn_pool) as connection:
            with self._translated():
                self._lock(connection, user_id)
            self._turns[user_id] = turn = _Turn(connection)
            try:
                yield
            finally:
                # Another thread may be writing; its transaction must not end with the turn.
                with turn.writing:
                    del self._turns[user_id]
                    self._unlock(connection, user_id)

    @contextmanager
    def _lent(self, pool: ConnectionPool) -> Iterator[psycopg.Connection]:
        with self._translated():
            connection = self._awaited(pool)
        try:
            yield connection
        finally:
            pool.putconn(connection)

    def _awaited(self, pool: ConnectionPool) -> psycopg.Connection:
        """Wait until a connection is free, but not for a server that is not there.

        Raises:
            PoolTimeout: none became free in time.
            StoreUnreachableError: the server does not answer.
        """
        left, patience = self._turn_timeout, _PATIENCE_SECONDS
        while patience < left:
            try:
                return pool.getconn(patience)
            except PoolTimeout:
                self._check_answers()
            # Whoever asks again waits behind the others, so seldom.
            left, patience = left - patience, 2 * patience
        return pool.getconn(left)

    def _check_answers(self) -> None:
        where = make_conninfo(self._url, connect_timeout=_CONNECT_SECONDS)
        if PGconn.ping(where.encode()) == Ping.NO_RESPONSE:
            raise StoreUnreachableError(
                f"PostgreSQL at {self.name} does not answer: check that the server runs. Nothing was stored"
            )

    def _lock(self, connection: psycopg.Connection, user_id: str) -> None:
        limit = f"{self._turn_timeout * 1000:.0f}"
        try:
            with connection.pipeline():
                connection.execute("SELECT set_config('lock_timeout', %s, false)", (limit,))
                connection.execute("SELECT pg_advisory_lock(hashtextextended(%s, 1))", (self._key(user_id),))
                connection.execute("RESET lock_timeout")
        except errors.LockNotAvailable as error:
            connection.execute("RESET lock_timeout")
            raise TurnTimeoutError(
                f"another process has been at a turn of user {user_id!r} for {self._turn_timeout:.0f} s: try"
                " again later; ending that process ends its turn"
            ) from error

    def _unlock(self, connection: psycopg.Connection, user_id: str) -> None:
        try:
            connection.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 1))", (self._key(user_id),))
        except psycopg.OperationalError as error:
            # The server has let go of the lock with the connection. What was written, was.
            logger.warning("the connection of a turn was lost before its end (%s)", type(error).__name__)

    def _key(self, user_id: str) -> str:
        return f"{self._schema} {user_id}"

    def close(self) -> None:
        """Close all connections; a second call does nothing."""
        if not self._closed:
            self._closed = True
            self._turn_pool.close()
            self._pool.close()


@contextmanager
def _transaction(connection: psycopg.Connection, begin: str) -> Iterator[None]:
    """Run one transaction in a pipeline: committed when the block ends, undone when it raises.

    Whatever is raised, the connection is left outside of any transaction, or closed.
    """
    try:
        with connection.pipeline() as pipeline:
            try:
                connection.execute(begin.encode())
                yield
                done = connection.execute("COMMIT")
            except BaseException:
                # What was sent after the statement that failed has failed with it, and is of no interest.
                with suppress(psycopg.Error):
                    pipeline.sync()
                raise
    except BaseException as error:
        with suppress(psycopg.Error):
            connection.rollback()
        if isinstance(error, errors.PipelineAborted) and isinstance(error.__context__, psycopg.Error):
            raise error.__context__ from None  # what failed first
        raise
    assert done.statusmessage == "COMMIT", done.statusmessage


def _check(connection: psycopg.Connection) -> None:
    """Raise if the server has closed an idle connection, so that the pool takes another; costs no round trip.

    What it says to a connection that asks nothing is as a rule that it is leaving.
    """
    with selectors.DefaultSelector() as waiting:
        waiting.register(connection.fileno(), selectors.EVENT_READ)
        has_said_something = bool(waiting.select(0))
    if has_said_something:
        ConnectionPool.check_connection(connection)


def _extension_schema(connection: psycopg.Connection) -> str | None:
    row = connection.execute(
        "SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace"
        " WHERE e.extname = 'vector'"
    ).fetchone()
    return None if row is None else str(row[0])


def _first_line(error: psycopg.Error) -> str:
    """Return what the server says of itself; further lines may repeat values."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _advice(error: psycopg.Error) -> str:
    said = str(error)
    if "authentication failed" in said or "no password supplied" in said:
        return "Check user and password in the URL"
    if "does not exist" in said:
        return "Check the names of user and database in the URL"
    return "Check that the server runs and that the URL names it; nothing was stored"
