"""Users too large for memory: found through tables, with the scores that the search in memory gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from habitus.memory.records import Changes, Turn
from habitus.memory.store import Candidates, Query
from habitus.retrievers.encoder import HashingEncoder

pytest.importorskip("psycopg", reason="no driver for PostgreSQL: install the extra `postgres`")
from habitus.memory.storage.postgres.store import PostgresStore

MakeTurns = Callable[..., tuple[Turn, ...]]
Babble = Callable[[int], str]
N_SESSIONS = 60


@pytest.fixture
def stores(
    postgres_url: str, postgres_schema: str, encoder: HashingEncoder, make_turns: MakeTurns, babble: Babble
) -> Iterator[tuple[PostgresStore, PostgresStore]]:
    """The same memories through tables and in memory: 360 messages of Ann's, and some of Bob's."""
    with (
        PostgresStore.open(postgres_url, encoder, schema=postgres_schema, exact_limit=40) as wide,
        PostgresStore.open(postgres_url, encoder, schema=postgres_schema) as exact,
    ):
        for user, n in (("ann", N_SESSIONS), ("bob", 20)):
            for number in range(n):
                texts = [f"{babble(7)}. {babble(6)}." for _ in range(6)]
                wide.commit(user, Changes(turns=make_turns(user, f"s{number}", *texts, day=number)))
        yield wide, exact


def search(store: PostgresStore, text: str, limit: int = 20) -> Candidates:
    return store.search("ann", Query(text=text, vector=store.encoder.encode([text])[0], limit=limit))


def scores(found: Candidates, arm: str) -> dict[str, float]:
    return dict(zip(found.turn_ids, found.arms[arm].tolist(), strict=True))


@pytest.mark.parametrize("flushed", [False, True])
def test_scores_are_those_of_the_search_in_memory(
    stores: tuple[PostgresStore, PostgresStore], flushed: bool, babble: Babble
) -> None:
    wide, exact = stores
    if flushed:
        wide.flush()
        assert wide.stats("ann").n_pending == 0
    for text in (babble(4), babble(8), "neverseen"):
        some, every = search(wide, text), search(exact, text)
        assert every.complete
        assert not some.complete
        assert 20 <= len(some) < len(every) == 360
        for arm in ("cosine", "bm25", "session_cosine"):
            all_scores = scores(every, arm)
            for turn_id, score in scores(some, arm).items():
                assert score == pytest.approx(all_scores[turn_id], rel=1e-4, abs=1e-5)
        for arm in ("cosine", "bm25"):
            best = int(np.argmax(every.arms[arm]))
            if every.arms[arm][best] > 0.0:
                assert every.turn_ids[best] in some.turn_ids, arm


def test_what_was_just_said_is_found_and_what_was_forgotten_is_not(
    stores: tuple[PostgresStore, PostgresStore], make_turns: MakeTurns
) -> None:
    wide, _ = stores
    wide.commit("ann", Changes(turns=make_turns("ann", "late", "Xylophones are mine.", day=99)))
    assert "late.0" in search(wide, "xylophones").turn_ids
    wide.flush()
    assert "late.0" in search(wide, "xylophones").turn_ids
    wide.forget("ann", turn_ids=["late.0", "s3.0"], rewrites={"s4.0": "Marimbas."})
    found = search(wide, "xylophones marimbas")
    assert not {"late.0", "s3.0"} & {*found.turn_ids}
    assert "s4.0" in found.turn_ids
    wide.flush()
    assert "s4.0" in search(wide, "marimbas").turn_ids


def test_tables_hold_large_users_alone_and_nothing_of_deleted_ones(
    stores: tuple[PostgresStore, PostgresStore], make_turns: MakeTurns
) -> None:
    wide, _ = stores
    wide.commit("eve", Changes(turns=make_turns("eve", "s", "Hello.")))

    def owners(table: str) -> set[str]:
        with wide._read() as connection:
            return {user for (user,) in connection.execute(f"SELECT DISTINCT user_id FROM {table}")}

    assert owners("passages") == owners("postings") == {"ann", "bob"}
    wide.delete_user("bob")
    assert owners("passages") == owners("postings") == {"ann"}
    wide.forget("ann", turn_ids=[turn.id for turn in wide.turns("ann")])
    assert owners("passages") == owners("postings") == set()


def test_reindexing_gives_the_same_answers(
    stores: tuple[PostgresStore, PostgresStore], babble: Babble
) -> None:
    wide, _ = stores
    wide.flush()
    text = babble(5)
    before = search(wide, text)
    steps: list[tuple[int, int]] = []
    wide.reindex(lambda done, total: steps.append((done, total)))
    assert steps[-1] == (480, 480)
    after = search(wide, text)
    assert after.turn_ids == before.turn_ids
    for arm, expected in before.arms.items():
        np.testing.assert_array_equal(after.arms[arm], expected)
