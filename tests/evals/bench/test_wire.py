"""What is asked of PostgreSQL takes few round trips, whatever a commit holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from statistics import median_low

import pytest

from habitus.evals.bench.wire import Wire, through
from habitus.memory.records import Changes, Feedback, Persona, Preference, Profile, Turn
from habitus.retrievers.encoder import HashingEncoder

psycopg = pytest.importorskip("psycopg", reason="no driver for PostgreSQL: install the extra `postgres`")
from psycopg.conninfo import conninfo_to_dict  # noqa: E402

from habitus.memory.storage.postgres.store import PostgresStore  # noqa: E402

MakeTurns = Callable[..., tuple[Turn, ...]]


@pytest.fixture
def wire(postgres_url: str) -> Iterator[Wire]:
    with Wire(str(conninfo_to_dict(postgres_url)["host"])) as made:
        yield made


@pytest.fixture
def store(
    wire: Wire, postgres_url: str, postgres_schema: str, encoder: HashingEncoder
) -> Iterator[PostgresStore]:
    with PostgresStore.open(through(wire, postgres_url), encoder, schema=postgres_schema) as opened:
        yield opened


def everything(turns: tuple[Turn, ...]) -> Changes:
    at, user = turns[0].at, turns[0].user_id
    liked = Preference(
        id=turns[0].id,
        user_id=user,
        statement="The user likes figs.",
        topic="food",
        target="figs",
        stance="like",
        valid_from=at,
        learnt_at=at,
    )
    return Changes(
        turns=turns,
        preferences=(liked,),
        feedback=(Feedback(id=turns[0].id, user_id=user, turn_id=turns[0].id, at=at, rating=1.0),),
        profile=Profile(user_id=user, version=1, made_at=at),
        persona=Persona(user_id=user, version=1, made_at=at, reason="first"),
        ends_sessions=(turns[0].session_id,),
        unread=(turns[0].id,),
    )


def test_each_question_and_answer_is_a_round_trip(wire: Wire, postgres_url: str) -> None:
    with psycopg.connect(through(wire, postgres_url), autocommit=True) as connection:
        connection.execute("SELECT 1")
        before = wire.round_trips
        for _ in range(3):
            connection.execute("SELECT 1")
        assert wire.round_trips - before == 3
        with connection.pipeline():
            for _ in range(3):
                connection.execute("SELECT 2")
        assert wire.round_trips - before == 4


def count(wire: Wire, call: Callable[[], object]) -> int:
    before = wire.round_trips
    call()
    return wire.round_trips - before


def enter(store: PostgresStore) -> None:
    with store.turn_of("ann"):
        pass


def test_a_commit_takes_few_round_trips_and_a_read_one(
    wire: Wire, store: PostgresStore, make_turns: MakeTurns
) -> None:
    """The fewest of several: the pool of connections may open another meanwhile."""
    taken = []
    for number in range(8):
        turns = make_turns("ann", f"s{number}", "I like figs.", "Noted.", day=number)
        taken.append(count(wire, lambda turns=turns: store.commit("ann", everything(turns))))  # type: ignore[misc]
    # What is stored, whether the session is known, and all the rest; two answers may come as one.
    assert min(taken) in {2, 3}
    # The middle: an answer may be seen only after the count was taken.
    assert median_low(count(wire, lambda: store.preferences("ann")) for _ in range(5)) == 1
    assert median_low(count(wire, lambda: enter(store)) for _ in range(5)) == 2
    assert store.turns("ann")[-1].at - store.turns("ann")[0].at > timedelta(days=6)
    assert store.verify().problems == ()
