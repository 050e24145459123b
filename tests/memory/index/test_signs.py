"""The first look by signs: what it finds, and that it finds enough of what is near."""

from __future__ import annotations

import numpy as np
import pytest

from habitus.memory.index.resident import COMPLETE_LIMIT, Resident
from habitus.memory.index.rows import Rows
from habitus.memory.index.signs import Signs
from habitus.memory.index.terms import Terms
from habitus.retrievers.encoder import Vectors

DIM = 96


def unit(rng: np.random.Generator, n: int, dim: int = DIM) -> Vectors:
    vectors: Vectors = rng.standard_normal((n, dim), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


@pytest.mark.parametrize("dim", [1, 8, 64, 65, 384])
def test_the_nearest_share_the_most_signs(dim: int) -> None:
    rng = np.random.default_rng(dim)
    vectors, query = unit(rng, 300, dim), unit(rng, 1, dim)[0]
    signs = Signs(dim)
    signs.append(vectors[:100])
    signs.append(vectors[100:])
    differing = ((vectors > 0) != (query > 0)).sum(axis=1)
    found = signs.nearest(query, 25)
    assert len(signs) == 300
    assert found.tolist() == np.flatnonzero(differing <= sorted(differing)[24]).tolist()


def test_all_rows_where_fewer_are_held() -> None:
    signs = Signs(DIM)
    assert signs.nearest(np.ones(DIM, dtype=np.float32), 3).tolist() == []
    signs.append(unit(np.random.default_rng(0), 3))
    assert signs.nearest(np.ones(DIM, dtype=np.float32), 3).tolist() == [0, 1, 2]


@pytest.fixture(scope="module")
def many() -> Resident:
    """More turns than are all scored; around each of a hundred topics lie some that are near each other."""
    rng = np.random.default_rng(1)
    n = COMPLETE_LIMIT + 1_000
    n_passages = rng.integers(1, 3, n)
    topics = unit(np.random.default_rng(0), 100)
    vectors = topics[rng.integers(0, 100, n_passages.sum())] + 0.8 * unit(rng, int(n_passages.sum()))
    resident = Resident(DIM)
    resident.append(
        Rows(
            seqs=np.arange(1, n + 1),
            turn_ids=[f"t{row}" for row in range(n)],
            session_ids=[f"s{row // 10}" for row in range(n)],
            index=np.arange(n) % 10,
            is_user=np.arange(n) % 2 == 0,
            at=np.arange(n, dtype=np.float64),
            n_passages=n_passages,
            vectors=(vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32),
            n_terms=np.ones(n, dtype=np.int64),
            hashes=rng.integers(0, 500, n).astype(np.uint64),
            counts=rng.integers(1, 4, n).astype(np.uint32),
        )
    )
    return resident


QUERY = Terms(np.array([3, 7], dtype=np.uint64), np.ones(2, dtype=np.uint32))


def test_the_best_of_many_turns_carry_the_scores_they_have_among_all(many: Resident) -> None:
    for vector in unit(np.random.default_rng(0), 100)[:10]:
        every, best = many.search(vector, QUERY), many.search(vector, QUERY, limit=50)
        assert every.complete and not best.complete
        row_of = {turn_id: row for row, turn_id in enumerate(every.turn_ids)}
        rows = [row_of[turn_id] for turn_id in best.turn_ids]
        assert rows == sorted(set(rows))
        for arm, scores in every.arms.items():
            np.testing.assert_allclose(best.arms[arm], scores[rows], rtol=1e-4, atol=1e-6)
        np.testing.assert_array_equal(best.at, every.at[rows])
        by_words = np.argsort(-every.arms["bm25"])[:50]
        assert np.sort(best.arms["bm25"])[-50:] == pytest.approx(np.sort(every.arms["bm25"][by_words]))
        by_meaning = set(np.argsort(-every.arms["cosine"])[:50].tolist())
        assert len(by_meaning & set(rows)) >= 45


def test_turns_added_later_are_among_the_best(many: Resident) -> None:
    vector = unit(np.random.default_rng(4), 1)[0]
    many.search(vector, QUERY, limit=50)
    seq = many.last_seq + 1
    many.append(
        Rows(
            seqs=np.array([seq]),
            turn_ids=["late"],
            session_ids=["late"],
            index=np.array([0]),
            is_user=np.array([True]),
            at=np.array([1e9]),
            n_passages=np.array([1]),
            vectors=vector[None, :],
            n_terms=np.array([0]),
            hashes=np.empty(0, dtype=np.uint64),
            counts=np.empty(0, dtype=np.uint32),
        )
    )
    found = many.search(vector, QUERY, limit=50)
    assert found.turn_ids[int(np.argmax(found.arms["cosine"]))] == "late"
