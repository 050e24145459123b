"""LangGraph's checkpointer in the database of a shared store, for larger graphs that use Habitus within."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from habitus.agent.errors import ExtraMissingError

if TYPE_CHECKING:
    from langgraph.checkpoint.postgres import PostgresSaver


@contextmanager
def postgres_checkpointer(url: str, *, max_connections: int = 4) -> Iterator[PostgresSaver]:
    """Give a checkpointer whose threads any process can go on with; its tables are made.

    An `Agent` needs none: what it knows is in its store. Give it to `build_graph`, or to the graph that
    calls the agent. What a thread holds is not deleted with the user: `delete_thread` does that.

    Args:
        url: `postgresql://USER:PASSWORD@HOST:PORT/DATABASE`; the tables are in the first schema of the
            `search_path` there, `public` as a rule.
        max_connections: at most so many at once.

    Raises:
        ExtraMissingError: the extra `postgres` is not installed.
        InvalidInputError: the URL cannot be read.
        StoreUnreachableError: the server does not answer, or refuses.
    """
    try:
        import psycopg
        from langgraph.checkpoint.postgres import PostgresSaver
        from psycopg.rows import DictRow, dict_row
        from psycopg_pool import ConnectionPool
    except ModuleNotFoundError as error:
        raise ExtraMissingError("postgres", error) from error
    from habitus.memory.errors import StoreUnreachableError
    from habitus.memory.storage.postgres.schema import alone
    from habitus.memory.storage.postgres.url import check_url

    check_url(url)
    try:
        door = psycopg.connect(url, autocommit=True, connect_timeout=10)
    except psycopg.OperationalError as error:
        first = str(error).strip().splitlines()[0]
        raise StoreUnreachableError(f"the database of the checkpointer cannot be used ({first})") from error
    with door, alone(door), PostgresSaver.from_conn_string(url) as made:
        made.setup()
    kwargs = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}
    with ConnectionPool[psycopg.Connection[DictRow]](
        url, min_size=1, max_size=max_connections, kwargs=kwargs, open=True
    ) as pool:
        yield PostgresSaver(pool)
