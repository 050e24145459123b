"""What a later statement replaces, and what only looks like it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from habitus.memory.records import Evidence, Fact
from habitus.memory.retrieval.recall import Ranking
from habitus.memory.retrieval.reranking import Said
from habitus.memory.retrieval.updates import Statement, newer_first, replaced, restated, superseded
from habitus.memory.store import Candidates

DAY = datetime(2026, 1, 1, tzinfo=UTC)


def told(*texts: str, near: float = 0.8, apart: timedelta = timedelta(days=7)) -> dict[str, str]:
    """Statements `0`, `1`, ... told one after the other, any two so near in meaning."""
    side = (1.0 - near) ** 0.5
    vectors = np.eye(len(texts) + 1, dtype=np.float32)[1:] * side
    vectors[:, 0] = near**0.5
    return replaced(
        [
            Statement(turn_id=str(n), at=DAY + n * apart, text=text, vector=vectors[n])
            for n, text in enumerate(texts)
        ]
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("I have 12 violins in my workshop.", "I have 15 violins in my workshop now."),
        ("I've restored three clocks so far.", "I've restored five clocks so far."),
        (
            "I've built 4 boats since spring.",
            "I just finished and now have the 5th of my boats since spring.",
        ),
        ("My choir rehearsal is on Monday evening.", "I have my choir rehearsal on Tuesday evening now."),
        ("I usually swim at 7:00 am before the office.", "I usually swim at 6:30 am before the office."),
        ("I work at a bakery in Lyon.", "I've moved to a bakery in Nice where I work."),
    ],
)
def test_the_same_attribute_with_another_value_is_replaced(old: str, new: str) -> None:
    assert told(old, new) == {"0": "1"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        # The same value once more.
        ("I have 12 violins in my workshop.", "I have 12 violins in my workshop now."),
        # Single events, both of which stay true.
        ("I caught 7 trouts at the lake with Ann.", "I caught 9 trouts at the lake with Ann."),
        # Numbers of different things.
        ("I have 12 violins in my workshop.", "I have 15 cellos in my workshop."),
        # Attributes of things that have different names.
        ("I've had my cello by Montagnana for 5 years.", "I've had my cello by Stradivari for 8 years."),
        # An amount of money and a count.
        ("I have sold 40 dozen eggs so far.", "I have sold eggs at $3 a dozen so far."),
        # Nothing but the topic in common.
        ("I love the workshop.", "I now clean violins."),
    ],
)
def test_what_only_sounds_alike_is_not_replaced(old: str, new: str) -> None:
    assert told(old, new) == {}


def test_what_is_far_in_meaning_or_said_in_one_conversation_is_not_replaced() -> None:
    pair = ("I have 12 violins in my workshop.", "I have 15 violins in my workshop now.")
    assert told(*pair, near=0.3) == {}
    assert told(*pair, apart=timedelta(minutes=2)) == {}


def test_the_latest_of_several_replaces_all_earlier_ones() -> None:
    assert told(*(f"I have {n} violins in my workshop." for n in (3, 4, 5))) == {"0": "2", "1": "2"}


def fact(name: str, turn: str, **kwargs: str) -> Fact:
    return Fact.model_validate(
        {
            "id": name,
            "user_id": "u",
            "statement": name,
            "attribute": "lives_in",
            "value": name,
            "evidence": (Evidence(turn_id=turn, quote=name),),
            "valid_from": DAY,
            "learnt_at": DAY,
            **kwargs,
        }
    )


def test_what_the_store_superseded_is_replaced() -> None:
    old, new = fact("Lyon", "t1", status="superseded"), fact("Nice", "t2", supersedes="Lyon")
    assert superseded([old, new]) == {"t1": "t2"}
    assert superseded([fact("Lyon", "t1"), new]) == {}
    # One message that says both is not older than itself.
    assert superseded([old, fact("Nice", "t1", supersedes="Lyon")]) == {}


def test_what_replaces_stands_above_what_it_replaces() -> None:
    ranking = Ranking(
        session_ids=("s",),
        session_scores=np.zeros(1),
        turn_ids=["a", "b", "c", "d"],
        rows=np.array([2, 0, 1, 3]),
        scores=np.array([4.0, 3.0, 2.0, 1.0]),
    )
    found = newer_first(ranking, {"c": "b"})
    assert found.ranked_turn_ids == ("b", "c", "a", "d")
    assert np.all(np.diff(found.scores) <= 0)
    assert newer_first(ranking, {"b": "c", "d": "gone"}) is ranking


def test_of_two_that_say_much_the_same_the_newer_is_wanted() -> None:
    vectors = np.array([[0.8, 0.6, 0.0], [0.78, 0.6, 0.178], [0.8, -0.6, 0.0]], dtype=np.float32)
    said = {
        f"t{n}": Said(text="I like to walk in the hills.", vectors=vector[None])
        for n, vector in enumerate(vectors)
    }
    found = Candidates(
        turn_ids=["t0", "t1", "t2"],
        session_ids=["a", "b", "c"],
        index=np.zeros(3, dtype=np.int64),
        is_user=np.ones(3, dtype=np.bool_),
        at=np.array([(DAY + timedelta(days=n)).timestamp() for n in range(3)]),
        arms={},
        complete=True,
    )
    asked = np.array([1.0, 0.0, 0.0], dtype=np.float32)

    def ranking(*scores: float) -> Ranking:
        return Ranking(
            session_ids=("a", "b", "c"),
            session_scores=np.zeros(3),
            turn_ids=found.turn_ids,
            rows=np.arange(3),
            scores=np.array(scores),
        )

    assert restated(ranking(2.0, 1.5, 1.4), found, said, asked) == {"t0": "t1"}
    # Far behind, it answers another question.
    assert restated(ranking(4.0, 1.5, 1.4), found, said, asked) == {}
    # The same conversation goes on.
    one = replace(found, session_ids=["a", "a", "c"])
    assert restated(ranking(2.0, 1.5, 1.4), one, said, asked) == {}
