"""`habitus bench commits`: what a commit, a read and a turn cost in both kinds of store, side by side."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from habitus.evals.bench.clock import Times, load

if TYPE_CHECKING:
    from habitus.evals.bench.wire import Wire
    from habitus.memory.records import Changes
    from habitus.memory.store import MemoryStore

SCHEMA = "habitus_commits"
DIM = 384
START = datetime(2026, 1, 1, tzinfo=UTC)


def commits(
    n: Annotated[int, typer.Option(help="Of each.", min=1)] = 100,
    round_trip_ms: Annotated[
        float, typer.Option(help="What a round trip to PostgreSQL takes more, as over a network.", min=0.0)
    ] = 0.0,
    url: Annotated[
        str | None,
        typer.Option(help=f"PostgreSQL on a local socket; the schema `{SCHEMA}` is made and dropped."),
    ] = None,
) -> None:
    """Time commits, reads and turns in a folder and in PostgreSQL, and count round trips to the server."""
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    from habitus.evals.bench.servers import postgres_server
    from habitus.evals.bench.wire import Wire, through
    from habitus.evals.cli import user_errors
    from habitus.memory.storage.embedded import EmbeddedStore
    from habitus.memory.storage.postgres.store import PostgresStore
    from habitus.retrievers.encoder import HashingEncoder

    encoder = HashingEncoder(DIM)
    report: dict[str, Any] = {"n": n, "round_trip_ms": round_trip_ms}
    with user_errors(), tempfile.TemporaryDirectory() as folder, postgres_server(url) as server:
        report["embedded"] = measure(EmbeddedStore.open(folder, encoder), n)
        drop = f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE".encode()
        host = str(conninfo_to_dict(server)["host"])
        with psycopg.connect(server, autocommit=True) as admin:
            admin.execute(drop)
            with Wire(host, round_trip_s=round_trip_ms / 1e3) as wire:
                store = PostgresStore.open(through(wire, server), encoder, schema=SCHEMA)
                report["postgres"] = measure(store, n, wire)
            admin.execute(drop)
    sys.stdout.write(json.dumps({**report, "load": load()}, indent=2) + "\n")


def measure(store: MemoryStore, n: int, wire: Wire | None = None) -> dict[str, Any]:
    """Time commits, reads and turns, `n` of each, and close the store.

    Args:
        store: any, without users `ann` and `bob`.
        n: of each.
        wire: between the store and its server, whose round trips are counted.
    """
    from habitus.agent.agent import Agent
    from habitus.agent.defaults import default_generator

    with Agent(store=store, generator=default_generator(store.encoder)) as agent:

        def chat(number: int) -> object:
            at = START + timedelta(minutes=number)
            return agent.chat("bob", f"I like fig {number} and jam. What do I like?", session_id="s", at=at)

        return {
            "commit of a turn": _of(lambda number: store.commit("ann", _turn(number)), n, wire),
            "read": _of(lambda number: store.preferences("ann"), n, wire),
            "whole turn": _of(chat, n, wire),
        }


def _of(call: Callable[[int], object], n: int, wire: Wire | None) -> dict[str, Any]:
    call(n)  # what is done once is done
    times, before = Times(), 0 if wire is None else wire.round_trips
    for number in range(n):
        times.measure(lambda number=number: call(number))  # type: ignore[misc]
    found: dict[str, Any] = {**times.summary()}
    if wire is not None:
        found["round_trips"] = round((wire.round_trips - before) / n, 2)
    return found


def _turn(number: int) -> Changes:
    from habitus.memory.records import Changes, Preference, Profile, Turn

    at = START + timedelta(minutes=number)
    turns = tuple(
        Turn(
            id=f"{number}.{index}",
            user_id="ann",
            session_id="s",
            index=2 * number + index,
            role="assistant" if index else "user",
            text=f"I like fig {number}, and quiet rooms.",
            at=at,
        )
        for index in range(2)
    )
    liked = Preference(
        id=f"p{number % 5}",
        user_id="ann",
        statement=f"The user likes fig {number}.",
        topic="food",
        target=f"fig {number}",
        stance="like",
        valid_from=at,
        learnt_at=at,
    )
    profile = Profile(user_id="ann", version=number + 1, made_at=at)
    return Changes(turns=turns, preferences=(liked,), profile=profile)
