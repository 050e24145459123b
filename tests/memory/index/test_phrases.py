from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import numpy as np

from habitus.memory.index import phrases
from habitus.memory.index.phrases import phrases_of, preference_phrases, recollect, vectors_of
from habitus.memory.records import Changes, Preference
from habitus.memory.store import MemoryStore
from habitus.retrievers.encoder import HashingEncoder, Vectors


class Counting(HashingEncoder):
    def __init__(self) -> None:
        super().__init__(64)
        self.n_texts = 0

    @property
    def fingerprint(self) -> str:
        return f"counting-{id(self)}"

    def encode(self, texts: object) -> Vectors:
        assert isinstance(texts, list)
        self.n_texts += len(texts)
        return super().encode(texts)


def test_a_text_is_encoded_once() -> None:
    encoder = Counting()

    first = vectors_of(["a lake", "a hill", "a lake"], encoder)
    second = vectors_of(["a hill"], encoder)

    assert encoder.n_texts == 2
    assert np.array_equal(first[1], second[0])
    assert vectors_of([], encoder).shape == (0, 64)


def test_a_long_text_is_encoded_once_and_its_words_are_not_kept() -> None:
    encoder = Counting()
    long = "a very long situation " * 1_000

    one, other = (vectors_of([long, long + "ends"], encoder) for _ in range(2))

    assert encoder.n_texts == 2
    assert np.array_equal(one, other)
    assert not np.array_equal(one[0], one[1])
    assert max(len(text) for _, text in phrases._cache) <= phrases.MAX_CHARS


def test_a_vector_that_is_kept_does_not_keep_those_made_with_it() -> None:
    encoder = Counting()

    vectors_of(["a lake", "a hill"], encoder)

    kept = [vector for (name, _), vector in phrases._cache.items() if name == encoder.fingerprint]
    assert [vector.base for vector in kept] == [None, None]


class Kept:
    """A store that keeps the vectors of some preferences."""

    def __init__(self, preferences: list[Preference], encoder: Counting) -> None:
        texts = [text for one in preferences for text in phrases_of(one)]
        self.encoder = encoder
        self.vectors = dict(zip(texts, HashingEncoder(encoder.dim).encode(texts), strict=True))
        self.n_read = 0

    def preference_vectors(self, user_id: str) -> Mapping[str, Vectors]:
        self.n_read += 1
        return self.vectors


def likes(what: str) -> Preference:
    at = datetime(2024, 1, 1, tzinfo=UTC)
    return Preference.model_validate(
        {
            "user_id": "ann",
            "statement": f"I like {what}",
            "topic": "general",
            "target": what,
            "stance": "like",
            "valid_from": at,
            "learnt_at": at,
        }
    )


def test_what_the_store_keeps_is_read_once_and_not_encoded() -> None:
    encoder = Counting()
    known, unkept = [likes("quinces"), likes("sloes")], likes("medlars")
    store = Kept(known, encoder)
    recollect(store, "ann", known)
    recollect(store, "ann", known)
    assert store.n_read == 1
    assert preference_phrases(known, encoder).shape == (2, 2, encoder.dim)
    assert encoder.n_texts == 0
    recollect(store, "ann", [*known, unkept])
    assert np.array_equal(vectors_of(["medlars"], encoder), HashingEncoder(encoder.dim).encode(["medlars"]))
    assert encoder.n_texts == 1


def test_a_preference_that_is_changed_meanwhile_lends_its_vectors_to_no_other_words(
    store: MemoryStore,
) -> None:
    before = likes("quinces")
    store.commit("ann", Changes(preferences=(before,)))
    changed = before.model_copy(update={"statement": "I like sloes", "target": "sloes"})
    store.commit("ann", Changes(preferences=(changed,)))
    phrases._cache.clear()
    recollect(store, "ann", [before])  # read before the change
    texts = ["I like quinces", "quinces", "I like sloes", "sloes"]
    np.testing.assert_allclose(vectors_of(texts, store.encoder), store.encoder.encode(texts), atol=1e-6)
