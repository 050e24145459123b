"""Where the stores under test are: the one place that knows how a backend is opened."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter, sleep

from habitus.evals.bench.servers import postgres_server
from habitus.memory.opening import is_url
from habitus.memory.storage.embedded import EmbeddedStore
from habitus.memory.store import MemoryStore
from habitus.retrievers.encoder import Encoder

DIM = 64
"""Of the hashing encoder: what is lost does not depend on what vectors mean."""

SCHEMA = "habitus_faults"
"""Where the tables are in PostgreSQL, and the beginning of the name where users are moved to."""

WRITER = "habitus-faults"
"""What a writer's connections to PostgreSQL are called."""

ENCRYPTED = "encrypted:"
"""Stands before a folder that is encrypted."""

_KEY = "5ea1ed" * 10 + "beef"
"""Of folders that are thrown away."""

_MOVED = "_moved"
_GONE_SECONDS = 60.0


def open_store(place: str, encoder: Encoder, *, exact_limit: int, moved: bool = False) -> MemoryStore:
    """Open the store at a place.

    Args:
        place: a data folder, one after `ENCRYPTED`, or the URL of a PostgreSQL database.
        encoder: makes the vectors.
        exact_limit: users with more turns are searched through the derived indexes.
        moved: the store of the same kind beside it, which users are moved to.
    """
    beside = _MOVED if moved else ""
    if is_url(place):
        from habitus.memory.storage.postgres.store import PostgresStore

        return PostgresStore.open(place, encoder, exact_limit=exact_limit, schema=SCHEMA + beside)
    folder, key = place.removeprefix(ENCRYPTED) + beside, _KEY if place.startswith(ENCRYPTED) else None
    return EmbeddedStore.open(folder, encoder, exact_limit=exact_limit, index_after=8, key=key)


@contextmanager
def postgres_place(url: str | None) -> Iterator[str]:
    """Give a PostgreSQL database without any store of faults, before and after.

    Args:
        url: of the database; without it a server of our own is started.

    Raises:
        UsageError: there is neither a URL nor a server to start.
    """
    with postgres_server(url) as server:
        _drop(server)
        try:
            yield server
        finally:
            _drop(server)


def _drop(server: str) -> None:
    import psycopg

    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA IF EXISTS {SCHEMA}, {SCHEMA}{_MOVED} CASCADE".encode())


def wait_until_gone(place: str) -> float:
    """Wait until a server has noticed the death of a writer; return the seconds that took.

    What a writer had sent before it died may still be carried out after its death. A folder is free at once.

    Raises:
        RuntimeError: its connections are still there a minute later.
    """
    if not is_url(place):
        return 0.0
    import psycopg

    begun = perf_counter()
    with psycopg.connect(place, autocommit=True) as connection:
        sql = "SELECT FROM pg_stat_activity WHERE application_name = %s"
        while connection.execute(sql, (WRITER,)).fetchone() is not None:
            if perf_counter() - begun > _GONE_SECONDS:
                raise RuntimeError(f"a dead writer still holds a connection after {_GONE_SECONDS:.0f} s")
            sleep(0.002)
    return perf_counter() - begun
