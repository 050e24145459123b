"""BM25 in tantivy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from habitus.retrievers.errors import IndexCorruptError
from habitus.retrievers.lexical import LexicalIndex


@pytest.fixture
def index(tmp_path: Path) -> Iterator[LexicalIndex]:
    index = LexicalIndex(tmp_path / "index")
    yield index
    index.close()


def test_the_best_texts_of_the_group_come_first(index: LexicalIndex) -> None:
    index.update(
        [1, 2, 3, 4],
        ["a", "a", "a", "b"],
        ["the cats sat", "cats and dogs, cats and cats", "dogs run", "cats cats"],
    )
    assert index.search("cat", "a", 10).tolist() == [2, 1]
    assert index.search("cat", "a", 1).tolist() == [2]
    assert index.search("cats", "b", 10).tolist() == [4]
    assert index.search("cats", "c", 10).tolist() == []
    assert len(index) == 4


def test_the_analysis_is_the_shared_one(index: LexicalIndex) -> None:
    index.update([1], ["a"], ["Don’t RUN, straße 東京 snake_case"])
    for query in ("don't", "running", "STRASSE", "東京", "case"):
        assert index.search(query, "a", 5).tolist() == [1], query
    assert index.search("?!", "a", 5).tolist() == []


def test_frequencies_are_those_of_the_group(index: LexicalIndex) -> None:
    index.update([1, 2, 3], ["a", "a", "b"], ["fig fig plum", "fig", "fig pear"])
    assert index.frequencies(["fig", "plum", "pear"], "a").tolist() == [2.0, 1.0, 0.0]
    assert index.frequencies([], "a").tolist() == []


def test_adding_again_replaces_and_removing_removes(index: LexicalIndex) -> None:
    index.update([1, 2], ["a", "a"], ["fig", "plum"])
    index.update([1], ["a"], ["pear"], removed=[2, 99])
    assert len(index) == 1
    assert index.search("fig plum", "a", 5).tolist() == []
    assert index.search("pear", "a", 5).tolist() == [1]


def test_it_is_there_after_reopening(tmp_path: Path) -> None:
    for number in range(1, 4):
        index = LexicalIndex(tmp_path)
        index.update([number], ["a"], ["fig"])
        assert len(index) == number
        index.close()


def test_group_names_are_taken_literally(index: LexicalIndex) -> None:
    names = ["ann smith", "ann", "ANN", "a*", 'a" OR "b']
    index.update(range(5), names, ["fig"] * 5)
    for key, name in enumerate(names):
        assert index.search("fig", name, 5).tolist() == [key]


@pytest.mark.parametrize("content", [b"", b"{}", b"garbage"])
def test_a_damaged_index_says_so(tmp_path: Path, content: bytes) -> None:
    index = LexicalIndex(tmp_path)
    index.update([1], ["a"], ["fig"])
    index.close()
    (tmp_path / "meta.json").write_bytes(content)
    with pytest.raises(IndexCorruptError, match="lexical index"):
        LexicalIndex(tmp_path)
