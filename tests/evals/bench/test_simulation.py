"""The simulation runs, and its checks notice what they are for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from habitus.evals.bench.simulated import mark
from habitus.evals.bench.simulation import Line, broken_invariants, run
from habitus.memory.records import Changes, Turn
from habitus.memory.store import MemoryStore

pytest.importorskip("psycopg", reason="no driver for PostgreSQL: install the extra `postgres`")

MakeTurns = Callable[..., tuple[Turn, ...]]
AT = datetime(2026, 1, 1, tzinfo=UTC)
WORD = mark("u1", "0x0", 3)
SAID = f"I like {WORD}. Which code did I like before?"


def told(kind: str, **more: str) -> Line:
    return {"kind": kind, "user": "u1", "mark": WORD, "reply": "Noted.", "ms": 1.0, **more}


@pytest.fixture
def lived(postgres_store: MemoryStore, make_turns: MakeTurns) -> MemoryStore:
    postgres_store.commit("u1", Changes(turns=make_turns("u1", "s", SAID, "Noted.")))
    return postgres_store


def test_what_holds_is_not_reported(lived: MemoryStore) -> None:
    assert list(broken_invariants(lived, [told("turn")])) == []


@pytest.mark.parametrize(
    ("line", "broken"),
    [
        (told("turn", mark=mark("u1", "0x0", 4)), "acknowledged and is lost"),
        (told("turn", reply=f"You like {mark('u2', '0x0', 1)}."), "a reply to u1 holds words of ['u2']"),
        (told("rating", turn="s.1"), "a rating of u1 is lost"),
    ],
)
def test_what_was_lost_or_leaked_is_reported(lived: MemoryStore, line: Line, broken: str) -> None:
    assert any(broken in one for one in broken_invariants(lived, [told("turn"), line]))


def test_what_was_forgotten_and_is_there_is_reported(lived: MemoryStore) -> None:
    lines = [told("turn"), told("forgetting"), told("forgotten")]
    assert [one for one in broken_invariants(lived, lines) if "forgotten and is stored" in one]


def test_words_of_others_and_doubles_are_reported(lived: MemoryStore, make_turns: MakeTurns) -> None:
    strange = make_turns("u1", "t", SAID, mark("u2", "0x0", 1))
    lived.commit("u1", Changes(turns=strange))
    found = "; ".join(broken_invariants(lived, [told("turn")]))
    assert "u1 has words of ['u2']" in found
    assert "is stored 2 times" in found


@pytest.mark.slow
def test_processes_that_share_users_and_are_killed_break_nothing(postgres_url: str) -> None:
    report = run(postgres_url, processes=3, users=3, turns=6, kills=2, seed=1)
    assert report["broken"] == []
    assert report["turns"] >= 18
    assert report["told"]["turn"] == report["turns"]
