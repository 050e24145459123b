"""The whole search: what is said later or left out is not found, and the second look is part of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np

from habitus.memory.records import Changes, Turn
from habitus.memory.retrieval.question import Question
from habitus.memory.retrieval.recall import rank
from habitus.memory.retrieval.reranking import rerank, to_read
from habitus.memory.retrieval.searching import Found, read_best, search_memory
from habitus.memory.store import MemoryStore, Query

NOON = datetime(2026, 5, 20, 12, 0, tzinfo=UTC)


def told(session: str, text: str, *, days_ago: int) -> Turn:
    return Turn(
        id=f"{session}.0",
        user_id="ann",
        session_id=session,
        index=0,
        role="user",
        text=text,
        at=NOON - timedelta(days=days_ago),
    )


HISTORY = (
    told("old", "I have 12 tomato plants in the garden now.", days_ago=40),
    told("new", "I have 20 tomato plants in the garden now.", days_ago=4),
    told("asked", "Which tomato plants grow in a garden?", days_ago=20),
    told("films", "I saw three films about the sea.", days_ago=10),
)


def search(store: MemoryStore, text: str, **options: object) -> Found:
    question, vector = Question(meaning=text, words=text), store.encoder.encode([text])[0]
    return search_memory(store, "ann", question, vector, **{"at": NOON, **options})  # type: ignore[arg-type]


def test_it_ranks_as_search_first_ranking_and_second_look_one_after_the_other(store: MemoryStore) -> None:
    store.commit("ann", Changes(turns=HISTORY))
    text = "tomato plants garden"
    question, vector = Question(meaning=text, words=text), store.encoder.encode([text])[0]
    candidates = store.search("ann", Query(text=text, vector=vector))
    first = rank(candidates, question)
    said = read_best(store, "ann", to_read(candidates, first))
    second = rerank(candidates, first, question, vector, said)
    found = search(store, text)
    assert found.ranking.session_ids == second.session_ids
    assert found.ranking.session_scores.tolist() != first.session_scores.tolist()
    np.testing.assert_array_equal(found.ranking.session_scores, second.session_scores)
    assert set(found.said) == {turn.id for turn in HISTORY}


def test_every_turn_is_ranked_also_where_nothing_was_stated(store: MemoryStore) -> None:
    said = [told(f"s{n}", f"Where do tomato plants grow in garden {n}?", days_ago=n + 1) for n in range(50)]
    store.commit("ann", Changes(turns=tuple(said)))
    assert sorted(search(store, "tomato plants garden").ranking.ranked_turn_ids) == sorted(t.id for t in said)


def test_the_later_statement_of_a_number_replaces_the_earlier_and_stands_above_it(store: MemoryStore) -> None:
    store.commit("ann", Changes(turns=HISTORY))
    found = search(store, "tomato plants garden 12")
    assert found.replacing == {"old.0": "new.0"}
    ids = found.ranking.ranked_turn_ids
    assert ids.index("new.0") < ids.index("old.0")


def test_what_is_left_out_or_was_said_later_is_not_found(store: MemoryStore) -> None:
    store.commit("ann", Changes(turns=HISTORY))
    found = search(store, "tomato plants garden", leave_out={"asked.0"}, at=NOON - timedelta(days=15))
    assert found.candidates.turn_ids == ["old.0"]
    assert found.ranking.ranked_turn_ids == ("old.0",)


def test_a_user_without_memories_has_none(store: MemoryStore) -> None:
    found = search(store, "tomato")
    assert found.ranking.session_ids == () and not found.said and not found.replacing
