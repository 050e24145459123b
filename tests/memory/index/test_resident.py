"""The in-memory form of a user's turns, and the cache that bounds it."""

from __future__ import annotations

import numpy as np
import pytest

from habitus.memory.index.bm25 import Collection, Postings, bm25
from habitus.memory.index.resident import Resident
from habitus.memory.index.residents import Residents
from habitus.memory.index.rows import Rows
from habitus.memory.index.terms import Terms, count_terms, hash_term, terms_of

DIM = 8


def rows(first: int, n: int, *, n_sessions: int = 3, seed: int = 0) -> Rows:
    """Random turns with sequence numbers from `first`, of one to three passages and zero to five terms."""
    rng = np.random.default_rng([seed, first])
    n_passages = rng.integers(1, 4, n)
    n_terms = rng.integers(0, 6, n)
    vectors = rng.normal(size=(int(n_passages.sum()), DIM)).astype(np.float32)
    hashes = [np.sort(rng.choice(np.arange(40, dtype=np.uint64), k, replace=False)) for k in n_terms]
    return Rows(
        seqs=np.arange(first, first + n),
        turn_ids=[f"t{seq}" for seq in range(first, first + n)],
        session_ids=[f"s{seq % n_sessions}" for seq in range(first, first + n)],
        index=np.arange(first, first + n),
        is_user=rng.random(n) < 0.5,
        at=np.arange(first, first + n, dtype=np.float64),
        n_passages=n_passages,
        vectors=vectors / np.linalg.norm(vectors, axis=1, keepdims=True),
        n_terms=n_terms,
        hashes=np.concatenate([*hashes, np.empty(0, dtype=np.uint64)]),
        counts=rng.integers(1, 5, int(n_terms.sum())).astype(np.uint32),
    )


def split(whole: Rows, at: int) -> tuple[Rows, Rows]:
    passages, terms = int(whole.n_passages[:at].sum()), int(whole.n_terms[:at].sum())
    parts = []
    for turn, passage, term in (
        (slice(at), slice(passages), slice(terms)),
        (slice(at, None), slice(passages, None), slice(terms, None)),
    ):
        parts.append(
            Rows(
                seqs=whole.seqs[turn],
                turn_ids=whole.turn_ids[turn],
                session_ids=whole.session_ids[turn],
                index=whole.index[turn],
                is_user=whole.is_user[turn],
                at=whole.at[turn],
                n_passages=whole.n_passages[turn],
                vectors=whole.vectors[passage],
                n_terms=whole.n_terms[turn],
                hashes=whole.hashes[term],
                counts=whole.counts[term],
            )
        )
    return parts[0], parts[1]


QUERY = Terms(np.array([3, 7, 11, 39, 1000], dtype=np.uint64), np.array([1, 2, 1, 1, 1], dtype=np.uint32))
VECTOR = np.eye(DIM, dtype=np.float32)[0]


@pytest.mark.parametrize("at", [1, 17, 399])
def test_it_does_not_matter_how_turns_arrive(at: int) -> None:
    whole = rows(1, 400)
    at_once, in_parts, one_by_one = Resident(DIM), Resident(DIM), Resident(DIM)
    at_once.append(whole)
    for part in split(whole, at):
        in_parts.append(part)
    rest = whole
    while len(rest):
        head, rest = split(rest, 1)
        one_by_one.append(head)
    expected = at_once.search(VECTOR, QUERY)
    for resident in (in_parts, one_by_one):
        found = resident.search(VECTOR, QUERY)
        assert found.turn_ids == expected.turn_ids
        assert resident.last_seq == 400
        for arm, scores in expected.arms.items():
            np.testing.assert_allclose(found.arms[arm], scores, rtol=1e-4, atol=1e-5)


def test_cosine_is_the_best_of_the_passages() -> None:
    whole = rows(1, 50)
    resident = Resident(DIM)
    resident.append(whole)
    ends = np.cumsum(whole.n_passages)
    expected = [
        (whole.vectors[end - n : end] @ VECTOR).max() for n, end in zip(whole.n_passages, ends, strict=True)
    ]
    np.testing.assert_allclose(resident.search(VECTOR, QUERY).arms["cosine"], expected, rtol=1e-5)


def test_a_new_epoch_forgets_everything() -> None:
    resident = Resident(DIM)
    resident.enter(5)
    resident.append(rows(1, 10))
    resident.enter(5)
    assert len(resident) == 10
    resident.enter(6)
    assert len(resident) == 0
    assert resident.last_seq == 0
    assert len(resident.search(VECTOR, QUERY)) == 0


def test_only_some_turns_can_be_asked_for() -> None:
    resident = Resident(DIM)
    resident.append(rows(1, 10))
    found = resident.search(VECTOR, QUERY, only=[4, 2, 77])
    assert found.turn_ids == ["t2", "t4"]
    assert not found.complete


def test_an_empty_resident_scores_nothing() -> None:
    found = Resident(DIM).search(VECTOR, QUERY)
    assert found.turn_ids == []
    assert {scores.shape for scores in found.arms.values()} == {(0,)}


def test_the_cache_keeps_within_its_bound_and_drops_the_longest_unused() -> None:
    one = Resident(DIM)
    one.append(rows(1, 100))
    cache = Residents(3 * one.nbytes, DIM)
    for user in ("ann", "bob", "cid"):
        resident = cache.get(user)
        resident.append(rows(1, 100))
        cache.settle(user, resident)
    assert cache.users == ["ann", "bob", "cid"]
    cache.get("ann")
    resident = cache.get("dan")
    resident.append(rows(1, 100))
    cache.settle("dan", resident)
    assert cache.users == ["cid", "ann", "dan"]
    assert cache.nbytes == 3 * one.nbytes
    assert cache.get("ann").last_seq == 100
    cache.drop("ann")
    assert cache.nbytes == 2 * one.nbytes
    assert cache.get("ann").last_seq == 0
    again = cache.get("ann")
    again.append(rows(1, 50))
    cache.settle("ann", again)
    again.append(rows(51, 50))
    cache.settle("ann", again)
    assert cache.nbytes == 2 * one.nbytes + again.nbytes


def test_a_user_larger_than_the_bound_is_not_kept() -> None:
    cache = Residents(1000, DIM)
    resident = cache.get("ann")
    resident.append(rows(1, 100))
    cache.settle("ann", resident)
    assert cache.users == []
    assert cache.nbytes == 0


def test_a_resident_that_was_dropped_meanwhile_is_not_counted() -> None:
    cache = Residents(10**9, DIM)
    resident = cache.get("ann")
    cache.drop("ann")
    resident.append(rows(1, 100))
    cache.settle("ann", resident)
    assert cache.nbytes == 0


def test_memory_is_that_of_the_arrays() -> None:
    resident = Resident(384)
    n = 500
    vectors = np.ones((n, 384), dtype=np.float32)
    resident.append(
        Rows(
            seqs=np.arange(1, n + 1),
            turn_ids=[str(number) for number in range(n)],
            session_ids=["s"] * n,
            index=np.arange(n),
            is_user=np.ones(n, dtype=np.bool_),
            at=np.zeros(n),
            n_passages=np.ones(n, dtype=np.int64),
            vectors=vectors,
            n_terms=np.zeros(n, dtype=np.int64),
            hashes=np.empty(0, dtype=np.uint64),
            counts=np.empty(0, dtype=np.uint32),
        )
    )
    assert vectors.nbytes < resident.nbytes < 1.5 * vectors.nbytes


class TestPostings:
    def test_large_and_small_appends_find_the_same(self) -> None:
        rng = np.random.default_rng(1)
        hashes = rng.integers(0, 500, 20_000).astype(np.uint64)
        documents = np.sort(rng.integers(0, 3000, 20_000))
        counts = rng.integers(1, 4, 20_000).astype(np.uint32)
        at_once, in_parts = Postings(), Postings()
        at_once.append(hashes, documents, counts)
        for begin in range(0, 20_000, 321):
            part = slice(begin, begin + 321)
            in_parts.append(hashes[part], documents[part], counts[part])
        query = Terms(np.array([5, 100, 499, 7777], dtype=np.uint64), np.ones(4, dtype=np.uint32))
        found = [
            sorted(zip(f.terms.tolist(), f.documents.tolist(), f.counts.tolist(), strict=True))
            for f in (at_once.find(query), in_parts.find(query))
        ]
        assert found[0] == found[1]
        assert len(found[0]) == np.isin(hashes, query.hashes).sum()

    def test_a_query_without_terms_finds_nothing(self) -> None:
        postings = Postings()
        postings.append(np.array([1], dtype=np.uint64), np.array([0]), np.array([1], dtype=np.uint32))
        found = postings.find(count_terms([]))
        assert len(found.terms) == 0
        assert bm25(found, np.array([1])).tolist() == [0.0]


def test_idf_is_positive_even_where_every_document_has_the_term() -> None:
    collection = Collection(n_documents=1, mean_length=1.0, frequencies=np.array([0.0, 1.0, 2.0]))
    assert (collection.idf > 0).all()
    assert (np.diff(collection.idf) < 0).all()


class TestTerms:
    def test_counts_of_stems_in_the_order_of_their_hashes(self) -> None:
        terms = terms_of("The cats saw a cat")
        assert terms.length == 5
        assert (np.diff(terms.hashes.astype(object)) > 0).all()
        assert terms.counts[np.flatnonzero(terms.hashes == hash_term("cat"))].tolist() == [2]

    def test_a_text_without_words_has_none(self) -> None:
        assert terms_of("?!").length == 0


@pytest.mark.parametrize("spread", [2**63, 300])
def test_postings_of_many_documents_are_found_whatever_their_hashes(spread: int) -> None:
    """Hashes that differ in their last bits alone are told apart too."""
    rng = np.random.default_rng(2)
    terms = rng.choice(np.arange(300, dtype=np.uint64), 300, replace=False) * np.uint64(spread // 300)
    postings, held = Postings(), []
    for document in range(400):
        hashes = np.sort(rng.choice(terms, 30, replace=False))
        held.append(set(hashes.tolist()))
        postings.append(hashes, np.full(30, document), np.ones(30, dtype=np.uint32))
    for term in terms[:20]:
        query = Terms(hashes=np.array([term]), counts=np.ones(1, dtype=np.uint32))
        found = postings.find(query).documents.tolist()
        assert found == [document for document, hashes in enumerate(held) if int(term) in hashes]
