"""The cache of embeddings: the same vectors, computed once, whoever asks and whatever was cut off."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from habitus.evals.embedding_cache import CachingEncoder, EmbeddingCacheError
from habitus.retrievers.encoder import HashingEncoder, Vectors


class CountingEncoder(HashingEncoder):
    """Remembers the texts that it was asked for."""

    def __init__(self, dim: int = 8) -> None:
        super().__init__(dim)
        self.asked: list[str] = []

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.asked += texts
        return super().encode(texts)


def files(folder: Path) -> dict[str, Path]:
    return {path.name: path for path in folder.rglob("*") if path.is_file()}


def test_vectors_are_those_of_the_encoder_and_computed_once(tmp_path: Path) -> None:
    inner = CountingEncoder()
    cache = CachingEncoder(inner, tmp_path)
    texts = ["green tea", "black tea", "green tea", "", "\ud800 tea"]
    expected = HashingEncoder(8).encode(texts)
    for _ in range(2):
        np.testing.assert_array_equal(cache.encode(texts), expected)
    assert sorted(inner.asked) == sorted(set(texts))
    assert len(cache) == 4


def test_a_later_run_computes_only_what_is_new(tmp_path: Path) -> None:
    first = CachingEncoder(CountingEncoder(), tmp_path / "deep" / "cache")
    first.encode(["a", "b"])
    inner = CountingEncoder()
    cache = CachingEncoder(inner, tmp_path / "deep" / "cache")
    np.testing.assert_array_equal(cache.encode(["c", "b", "a"]), HashingEncoder(8).encode(["c", "b", "a"]))
    assert inner.asked == ["c"]


@pytest.mark.parametrize("name", ["keys.bin", "vectors.f32"])
@pytest.mark.parametrize("n_bytes", [1, 15, 16, 32, 40])
def test_a_tail_that_was_cut_off_is_computed_again(name: str, n_bytes: int, tmp_path: Path) -> None:
    texts = [f"text {n}" for n in range(5)]
    first = CachingEncoder(CountingEncoder(), tmp_path)
    first.encode(texts)
    path = files(tmp_path)[name]
    path.write_bytes(path.read_bytes()[:-n_bytes])
    for n_expected in (None, 0):
        inner = CountingEncoder()
        cache = CachingEncoder(inner, tmp_path)
        np.testing.assert_array_equal(cache.encode(texts), HashingEncoder(8).encode(texts))
        assert inner.asked if n_expected is None else not inner.asked


def test_encoders_of_different_spaces_never_share_vectors(tmp_path: Path) -> None:
    small, large = CachingEncoder(HashingEncoder(4), tmp_path), CachingEncoder(HashingEncoder(8), tmp_path)
    assert small.encode(["tea"]).shape == (1, 4)
    assert large.encode(["tea"]).shape == (1, 8)
    assert (small.fingerprint, small.dim) == ("hashing-4", 4)


def test_two_runs_may_share_a_cache(tmp_path: Path) -> None:
    one, other = CachingEncoder(CountingEncoder(), tmp_path), CachingEncoder(CountingEncoder(), tmp_path)
    one.encode(["a", "b"])
    other.encode(["b", "c"])
    one.encode(["d"])
    expected = HashingEncoder(8).encode(["a", "b", "c", "d"])
    for cache in (one, other, CachingEncoder(CountingEncoder(), tmp_path)):
        np.testing.assert_array_equal(cache.encode(["a", "b", "c", "d"]), expected)
    assert files(tmp_path)["keys.bin"].stat().st_size == 4 * 16


def test_threads_may_share_a_cache(tmp_path: Path) -> None:
    cache = CachingEncoder(HashingEncoder(8), tmp_path)
    groups = [[f"text {(start + n) % 40}" for n in range(20)] for start in range(0, 80, 5)]
    with ThreadPoolExecutor(8) as pool:
        for group, found in zip(groups, pool.map(cache.encode, groups), strict=True):
            np.testing.assert_array_equal(found, HashingEncoder(8).encode(group))
    assert len(cache) == 40


def test_no_texts_give_no_rows(tmp_path: Path) -> None:
    assert CachingEncoder(HashingEncoder(8), tmp_path).encode([]).shape == (0, 8)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("")
    with pytest.raises(EmbeddingCacheError, match="give another --embedding-cache"):
        CachingEncoder(HashingEncoder(8), tmp_path / "cache")


@given(groups=st.lists(st.lists(st.text(max_size=5), max_size=6), max_size=6))
def test_any_sequence_of_calls_gives_the_encoders_vectors(
    groups: list[list[str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    cache = CachingEncoder(HashingEncoder(8), tmp_path_factory.mktemp("cache"))
    for group in groups:
        np.testing.assert_array_equal(cache.encode(group), HashingEncoder(8).encode(group))
    assert len(cache) == len({text for group in groups for text in group})
