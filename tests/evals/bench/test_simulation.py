"""The simulation runs, and its checks notice what they are for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from habitus.evals.bench.invariants import Line, broken_invariants
from habitus.evals.bench.simulated import mark
from habitus.evals.bench.simulation import run
from habitus.memory.records import Changes, Persona, PersonaLine, Preference, Stance, Turn
from habitus.memory.store import MemoryStore

pytest.importorskip("psycopg", reason="no driver for PostgreSQL: install the extra `postgres`")

MakeTurns = Callable[..., tuple[Turn, ...]]
AT = datetime(2026, 1, 1, tzinfo=UTC)
WORD = mark("u1", "0x0", 3)
SAID = f"I like {WORD}. Which code did I like before?"


def told(kind: str, **more: Any) -> Line:
    times = {"ms": 1_000.0, "began": 1.0, "ended": 2.0}
    return {"kind": kind, "user": "u1", "mark": WORD, "reply": "Noted.", **times, **more}


def olives(stance: Stance, **more: Any) -> Preference:
    said: dict[str, Any] = {
        "statement": "I hate olives.",
        "topic": "food",
        "target": "olives",
        "stance": stance,
    }
    return Preference(user_id="u1", valid_from=AT, learnt_at=AT, **said, **more)


def persona(version: int, *ids: str) -> Persona:
    lines = tuple(PersonaLine(text="olives", preference_id=one) for one in ids)
    return Persona(user_id="u1", version=version, made_at=AT, reason="r", lines=lines)


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


@pytest.mark.parametrize(("began", "is_broken"), [(0.5, False), (3.0, True)])
def test_a_turn_that_began_later_and_stands_earlier_is_reported(
    lived: MemoryStore, make_turns: MakeTurns, began: float, is_broken: bool
) -> None:
    other = mark("u1", "1x0", 0)
    lived.commit("u1", Changes(turns=make_turns("u1", "s", f"I like {other}.", "Noted.", first=2)))
    lines = [told("turn", began=began, ended=began + 1), told("turn", mark=other)]
    assert any("before which it stands" in one for one in broken_invariants(lived, lines)) is is_broken


@pytest.mark.parametrize(
    ("preferences", "broken"),
    [
        ([olives("dislike")], None),
        ([olives("like")], "in force is not what was said last"),
        ([olives("dislike"), olives("like")], "side by side"),
        ([olives("like", id="old"), olives("dislike", supersedes="old")], "superseded and holds"),
        (
            [
                olives("like", id="old", status="superseded", valid_to=AT),
                olives("dislike", supersedes="old", status="superseded", valid_to=AT),
                olives("dislike", supersedes="old"),
            ],
            "superseded twice",
        ),
        ([olives("dislike", valid_to=AT)], "is active and ends at"),
    ],
)
def test_preferences_that_contradict_each_other_are_reported(
    postgres_store: MemoryStore, make_turns: MakeTurns, preferences: list[Preference], broken: str | None
) -> None:
    turns = make_turns("u1", "s", "I love olives.", "Noted.", f"I hate olives. It is {WORD}.", "Noted.")
    postgres_store.commit("u1", Changes(turns=turns, preferences=tuple(preferences)))
    found = list(broken_invariants(postgres_store, [told("turn")]))
    assert found == [] if broken is None else any(broken in one for one in found)


@pytest.mark.parametrize(
    ("personas", "broken"),
    [
        ([persona(1, "p"), persona(2)], None),
        ([persona(1, "p"), persona(3)], "do not follow one another: [1, 3]"),
        ([persona(1, "gone")], "a line of a preference that does not hold"),
    ],
)
def test_a_persona_that_does_not_fit_is_reported(
    lived: MemoryStore, personas: list[Persona], broken: str | None
) -> None:
    hated = olives("dislike", id="p")
    said = Turn(id="said", user_id="u1", session_id="s", index=2, role="user", text="I hate olives.", at=AT)
    lived.commit("u1", Changes(turns=(said,), preferences=(hated,), persona=personas[0]))
    for one in personas[1:]:
        lived.commit("u1", Changes(persona=one))
    found = list(broken_invariants(lived, [told("turn")]))
    assert found == [] if broken is None else any(broken in one for one in found)


@pytest.mark.slow
def test_processes_that_share_users_and_are_killed_break_nothing(postgres_url: str) -> None:
    report = run(postgres_url, processes=3, users=3, turns=6, kills=2, seed=1)
    assert report["broken"] == []
    assert report["turns"] >= 18
    assert report["told"]["turn"] == report["turns"]
