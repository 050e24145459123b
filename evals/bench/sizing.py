"""`habitus bench sizing`: what a user and a turn cost in rows, bytes and milliseconds, and what many would.

The first half of the turns gives what a user has anyway, the second half what each turn adds. What is told of
more users is those figures times their number: a plan for machines, not a measurement of them.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from habitus.evals.bench.clock import Times, load
from habitus.evals.bench.soak_users import Users

if TYPE_CHECKING:
    from habitus.memory.store import MemoryStore
    from habitus.retrievers.encoder import Encoder

SCHEMA = "habitus_sizing"
POPULATIONS = (10**6, 10**8)
PEAK = 3.0
"""The busiest second of a day has so many times its average."""

_DAY = 86_400.0
_GB = 1e9


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What was measured of one store.

    Attributes:
        n_users, n_turns: a turn is a message and its reply.
        bytes_per_user: before anything is said, indexes included.
        bytes_per_turn: of every turn of a user who is known.
        rows_per_turn: by table.
        turn_ms: by the clock and by this process's processors, see `Times`; the database's are not in it.
    """

    n_users: int
    n_turns: int
    bytes_per_user: float
    bytes_per_turn: float
    rows_per_turn: dict[str, float]
    turn_ms: dict[str, float]


@dataclass(frozen=True, kw_only=True)
class Life:
    """How much users talk.

    Attributes:
        turns_a_day: of each user, on average.
        days: for which everything is kept.
    """

    turns_a_day: float
    days: float


def measure(
    store: MemoryStore,
    sizes: Callable[[], tuple[int, Mapping[str, int]]],
    n_users: int,
    n_turns: int,
    seed: int,
) -> Cost:
    """Let users talk and return what it cost.

    Args:
        store: an empty one; it is closed.
        sizes: return the bytes and the rows by table of what is stored.
        n_users: who talk in turn.
        n_turns: of each; an even number.
        seed: of what they say.
    """
    from habitus.agent.agent import Agent
    from habitus.agent.defaults import default_generator

    times = Times()
    names = [f"user{number}" for number in range(n_users)]
    with Agent(store=store, generator=default_generator(store.encoder)) as agent:
        empty, _ = sizes()
        users = [Users(agent, [name], 0, seed + place) for place, name in enumerate(names)]
        half = n_turns // 2
        _talk(users, half, Times())
        agent.settle()
        middle, before = sizes()
        _talk(users, half, times)
        agent.settle()
        end, after = sizes()
    per_turn = (end - middle) / (half * n_users)
    return Cost(
        n_users=n_users,
        n_turns=2 * half * n_users,
        bytes_per_user=max((middle - empty) / n_users - half * per_turn, 0.0),
        bytes_per_turn=per_turn,
        rows_per_turn={
            table: round((n - before.get(table, 0)) / (half * n_users), 2)
            for table, n in sorted(after.items())
            if n > before.get(table, 0)
        },
        turn_ms=times.summary(),
    )


def _talk(users: Sequence[Users], n_turns: int, times: Times) -> None:
    for _ in range(n_turns):
        for one in users:
            times.measure(one.talk)


def planned(cost: Cost, life: Life, n_users: int) -> dict[str, float]:
    """Return what so many users would take, by proportion.

    Returns:
        `stored_gb`; `turns_per_s` at the busiest hour; `agent_cores`, all of them busy, for those turns, by
        the mean of what one took; `rows_per_s` that are written then.
    """
    turns_per_s = n_users * life.turns_a_day / _DAY * PEAK
    turns = life.turns_a_day * life.days
    return {
        "stored_gb": round(n_users * (cost.bytes_per_user + turns * cost.bytes_per_turn) / _GB, 1),
        "turns_per_s": round(turns_per_s, 1),
        "agent_cores": round(turns_per_s * cost.turn_ms["cpu_mean"] / 1e3, 1),
        "rows_per_s": round(turns_per_s * sum(cost.rows_per_turn.values()), 1),
    }


def sqlite_sizes(folder: Path) -> tuple[int, dict[str, int]]:
    """Return the bytes of a data folder's database, all written to the file, and its rows by table."""
    path = folder / "memory.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        rows = {
            name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]
            for name in names
            if not name.startswith("sqlite_")
        }
        (n_pages,) = connection.execute("PRAGMA page_count").fetchone()
        (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
    return n_pages * page_bytes, rows


def postgres_sizes(server: str, schema: str) -> tuple[int, dict[str, int]]:
    """Return the bytes of a schema with its indexes, and its rows by table."""
    import psycopg
    from psycopg import sql

    with psycopg.connect(server, autocommit=True) as connection:
        found = connection.execute(
            "SELECT c.relname, pg_total_relation_size(c.oid) FROM pg_class c"
            " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %s AND c.relkind = 'r'",
            (schema,),
        ).fetchall()
        rows = {}
        for name, _ in found:
            count = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, name))
            rows[name] = (connection.execute(count).fetchone() or (0,))[0]
    return sum(int(n_bytes) for _, n_bytes in found), rows


def compare(server: str, encoder: Encoder, users: int, turns: int, life: Life, seed: int) -> dict[str, Any]:
    """Measure both stores and plan for more users."""
    import psycopg

    from habitus.memory.storage.embedded import EmbeddedStore
    from habitus.memory.storage.postgres.store import PostgresStore

    drop = f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE".encode()
    with tempfile.TemporaryDirectory() as folder, psycopg.connect(server, autocommit=True) as admin:
        admin.execute(drop)
        try:
            embedded = measure(
                EmbeddedStore.open(folder, encoder), lambda: sqlite_sizes(Path(folder)), users, turns, seed
            )
            postgres = measure(
                PostgresStore.open(server, encoder, schema=SCHEMA),
                lambda: postgres_sizes(server, SCHEMA),
                users,
                turns,
                seed,
            )
        finally:
            admin.execute(drop)
    return {
        "load": round(load(), 1),
        "encoder": encoder.fingerprint,
        "turns_a_day": life.turns_a_day,
        "days": life.days,
        "peak": PEAK,
        **{
            name: {**vars(cost), "planned": {f"{n:.0e}": planned(cost, life, n) for n in POPULATIONS}}
            for name, cost in (("embedded", embedded), ("postgres", postgres))
        },
    }


def sizing(
    users: Annotated[int, typer.Option(min=1, help="Who talk.")] = 50,
    turns: Annotated[int, typer.Option(min=2, help="Of each.")] = 20,
    turns_a_day: Annotated[float, typer.Option(min=0.0, help="Of each user, to plan with.")] = 5.0,
    days: Annotated[float, typer.Option(min=0.0, help="Kept, to plan with.")] = 365.0,
    url: Annotated[
        str | None, typer.Option(help=f"PostgreSQL to use; the schema `{SCHEMA}` is made and dropped.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of what is said.")] = 0,
) -> None:
    """Measure what a user and a turn cost in both stores, and what 10^6 and 10^8 users would take."""
    from habitus.agent.defaults import default_encoder
    from habitus.evals.bench.servers import postgres_server
    from habitus.evals.cli import user_errors

    with user_errors(), postgres_server(url) as server:
        life = Life(turns_a_day=turns_a_day, days=days)
        report = compare(server, default_encoder(), users, turns, life, seed)
    sys.stdout.write(json.dumps(report, indent=2) + "\n")
