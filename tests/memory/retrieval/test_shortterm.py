"""Short-term memory: exact search and window of one session within a budget."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from habitus.memory.errors import InvalidInputError
from habitus.memory.index.units import units
from habitus.memory.records import Changes, Turn
from habitus.memory.retrieval.shortterm import ShortTermMemory
from habitus.memory.store import MemoryStore
from habitus.retrievers.encoder import HashingEncoder

MakeTurns = Callable[..., tuple[Turn, ...]]


def count_words(text: str) -> int:
    return len(text.split())


def remember(encoder: HashingEncoder, max_tokens: int, *turns: Turn) -> ShortTermMemory:
    memory = ShortTermMemory(max_tokens, count_words)
    for turn in turns:
        memory.add(turn, encoder.encode(units(turn.role, turn.text)))
    return memory


def test_search_scores_every_turn(encoder: HashingEncoder, make_turns: MakeTurns) -> None:
    turns = make_turns("ann", "s", "I like figs", "Noted", "Plums are sour")
    memory = remember(encoder, 100, *turns)
    found = memory.search("sour plums", encoder.encode(["sour plums"])[0])
    assert found.turn_ids == ["s.0", "s.1", "s.2"]
    assert found.session_ids == ["s"] * 3
    assert found.index.tolist() == [0, 1, 2]
    assert found.is_user.tolist() == [True, False, True]
    assert found.at.tolist() == [turn.at.timestamp() for turn in turns]
    assert set(found.arms) == {"cosine", "bm25"}
    assert found.complete
    assert int(np.argmax(found.arms["cosine"])) == int(np.argmax(found.arms["bm25"])) == 2
    expected = encoder.encode([turn.text for turn in turns]) @ encoder.encode(["sour plums"])[0]
    np.testing.assert_allclose(found.arms["cosine"], expected, atol=1e-6)


def test_a_match_scores_above_zero_however_few_turns_there_are(
    encoder: HashingEncoder, make_turns: MakeTurns
) -> None:
    turns = make_turns("ann", "s", "figs", "figs")
    for n in (1, 2):
        scores = remember(encoder, 100, *turns[:n]).search("figs", encoder.encode(["figs"])[0]).arms["bm25"]
        assert (scores > 0).all()


def test_the_best_passage_of_a_long_turn_counts(
    encoder: HashingEncoder, make_turns: MakeTurns, babble: Callable[[int], str]
) -> None:
    turns = make_turns("ann", "s", f"{babble(300)}. My cat is Ginger. {babble(300)}", "ok")
    vector = encoder.encode(["cat Ginger"])[0]
    scores = remember(encoder, 10_000, *turns).search("cat", vector).arms["cosine"]
    assert scores[0] == pytest.approx(
        float((encoder.encode(units("user", turns[0].text)) @ vector).max()), abs=1e-6
    )


def test_nothing_to_search(encoder: HashingEncoder) -> None:
    found = ShortTermMemory(10, count_words).search("figs", encoder.encode(["figs"])[0])
    assert len(found) == 0
    assert found.arms["cosine"].shape == found.arms["bm25"].shape == (0,)


def test_turns_over_the_budget_leave_oldest_first(encoder: HashingEncoder, make_turns: MakeTurns) -> None:
    turns = make_turns("ann", "s", "a b c", "d e", "f g", "h")
    memory = remember(encoder, 5, *turns)
    assert [turn.id for turn in memory.turns] == ["s.1", "s.2", "s.3"]
    assert memory.n_tokens == 5
    assert memory.search("a", encoder.encode(["a"])[0]).turn_ids == ["s.1", "s.2", "s.3"]


def test_the_newest_turn_stays_even_alone_over_the_budget(
    encoder: HashingEncoder, make_turns: MakeTurns
) -> None:
    memory = remember(encoder, 3, *make_turns("ann", "s", "a", "one two three four five"))
    assert [turn.id for turn in memory.turns] == ["s.1"]
    assert memory.window(3) == []


@pytest.mark.parametrize(
    ("budget", "expected"),
    [(0, []), (1, ["s.2"]), (2, ["s.2"]), (4, ["s.1", "s.2"]), (99, ["s.0", "s.1", "s.2"])],
)
def test_the_window_holds_the_most_recent_turns_that_fit(
    encoder: HashingEncoder, make_turns: MakeTurns, budget: int, expected: list[str]
) -> None:
    memory = remember(encoder, 100, *make_turns("ann", "s", "a", "b c d", "e"))
    assert [turn.id for turn in memory.window(budget)] == expected


def test_a_turn_with_a_known_id_takes_the_place_of_the_old(
    encoder: HashingEncoder, make_turns: MakeTurns
) -> None:
    memory = remember(encoder, 100, *make_turns("ann", "s", "I like figs", "ok"))
    memory.search("figs", encoder.encode(["figs"])[0])
    (edited,) = make_turns("ann", "s", "I like plums")
    memory.add(edited, encoder.encode([edited.text]))
    assert [turn.text for turn in memory.turns] == ["I like plums", "ok"]
    assert memory.search("plums", encoder.encode(["plums"])[0]).arms["bm25"][0] > 0


def test_it_can_be_made_again_from_the_store(
    store: MemoryStore, encoder: HashingEncoder, make_turns: MakeTurns
) -> None:
    turns = make_turns("ann", "s", "I like figs", "Noted", "Plums are sour")
    store.commit("ann", Changes(turns=turns))
    before = remember(encoder, 100, *turns)
    stored = store.turns("ann", session_id="s")
    after = ShortTermMemory(100, count_words, reversed(stored), partial(store.turn_vectors, "ann"))
    assert after.turns == before.turns
    vector = encoder.encode(["figs"])[0]
    for arm in ("cosine", "bm25"):
        np.testing.assert_allclose(
            after.search("figs", vector).arms[arm], before.search("figs", vector).arms[arm], atol=1e-6
        )


def test_what_does_not_belong_is_refused(encoder: HashingEncoder, make_turns: MakeTurns) -> None:
    first, second = make_turns("ann", "s", "a", "b")
    memory = remember(encoder, 100, second)
    vectors = encoder.encode(["x"])
    with pytest.raises(InvalidInputError, match="session"):
        memory.add(make_turns("ann", "other", "x", first=5)[0], vectors)
    with pytest.raises(InvalidInputError, match="session"):
        memory.add(make_turns("bob", "s", "x", first=5)[0], vectors)
    with pytest.raises(InvalidInputError, match="comes after"):
        memory.add(first, vectors)
    with pytest.raises(InvalidInputError, match="columns"):
        memory.add(make_turns("ann", "s", "x", first=5)[0], vectors[:, :5])
    with pytest.raises(InvalidInputError, match="shape"):
        memory.add(make_turns("ann", "s", "x", first=5)[0], vectors[0])
    with pytest.raises(InvalidInputError, match="missing"):
        ShortTermMemory(10, count_words, [first], lambda ids: {})
    with pytest.raises(InvalidInputError, match="max_tokens"):
        ShortTermMemory(0, count_words)
    assert memory.turns == [second]


LENGTHS = st.lists(st.integers(1, 12), min_size=1, max_size=300)


@given(lengths=LENGTHS, max_tokens=st.integers(1, 60), budget=st.integers(0, 40), restart=st.integers(0, 300))
@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
def test_a_session_of_any_length_keeps_within_its_budgets(
    lengths: list[int], max_tokens: int, budget: int, restart: int
) -> None:
    """However long the turns are: the newest that fit are held and shown, also when read anew on the way."""
    turns = [
        Turn(
            id=str(index),
            user_id="ann",
            session_id="s",
            index=index,
            role="assistant" if index % 2 else "user",
            text=" ".join([f"w{index}"] * n),
            at=datetime(2026, 1, 1, tzinfo=UTC),
        )
        for index, n in enumerate(lengths)
    ]
    vector = np.full((1, 4), 0.5, dtype=np.float32)
    memory = ShortTermMemory(max_tokens, count_words)
    for turn in turns:
        memory.add(turn, vector)
        if turn.index == restart:
            memory = ShortTermMemory(
                max_tokens, count_words, turns[: restart + 1], lambda ids: dict.fromkeys(ids, vector)
            )
    held, window = memory.turns, memory.window(budget)
    assert held == turns[len(turns) - len(held) :]
    assert memory.n_tokens <= max_tokens or held == turns[-1:]
    assert len(held) == len(turns) or memory.n_tokens + lengths[-len(held) - 1] > max_tokens
    assert window == held[len(held) - len(window) :]
    n_shown = sum(count_words(turn.text) for turn in window)
    assert n_shown <= budget
    assert len(window) == len(held) or n_shown + count_words(held[-len(window) - 1].text) > budget
    found = memory.search(f"w{len(turns) - 1}", vector[0])
    assert found.turn_ids == [turn.id for turn in held]
    assert found.arms["bm25"].argmax() == len(held) - 1
