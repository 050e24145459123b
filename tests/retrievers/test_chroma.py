"""Nearest passages in Chroma."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest

from habitus.retrievers.chroma import ChromaIndex
from habitus.retrievers.chroma_process import ChromaProcess
from habitus.retrievers.encoder import Vectors
from habitus.retrievers.errors import IndexCorruptError, IndexUnreachableError


def unit(n: int, dim: int = 32, seed: int = 0) -> Vectors:
    vectors = np.random.default_rng(seed).normal(size=(n, dim)).astype(np.float32)
    found: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return found


@pytest.fixture(params=["folder", "process", "server"])
def index(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ChromaIndex | ChromaProcess]:
    if request.param == "process":
        process = ChromaProcess(tmp_path / "index", tmp_path / "lock")
        yield process
        process.kill()
        return
    server = request.getfixturevalue("chroma_url") if request.param == "server" else None
    found = ChromaIndex(tmp_path / f"index-{uuid4().hex}", server=server)
    yield found
    found.drop()


def test_the_nearest_of_the_group_come_first(index: ChromaIndex | ChromaProcess) -> None:
    vectors = unit(400)
    groups = ["a" if key % 2 else "b" for key in range(400)]
    index.add(range(400), groups, [vectors[key : key + 1] for key in range(400)])
    odd = np.arange(1, 400, 2)
    exact = odd[np.argsort(-(vectors[odd] @ vectors[7]))]
    found = index.search(vectors[7], "a", 20)
    assert found[0] == 7
    assert len(set(found.tolist()) & set(exact[:20].tolist())) >= 19
    assert index.search(vectors[7], "nobody", 20).tolist() == []
    assert sorted(index.search(vectors[7], "a", 1000).tolist()) == odd.tolist()


def test_a_text_is_as_near_as_its_nearest_passage(index: ChromaIndex | ChromaProcess) -> None:
    vectors = unit(6)
    index.add([1, 2], ["a", "a"], [vectors[:5], vectors[5:]])
    assert len(index) == 6
    assert index.search(vectors[3], "a", 6).tolist()[0] == 1
    assert index.search(vectors[5], "a", 6).tolist() == [2, 1]


def test_adding_again_replaces_and_removing_removes(index: ChromaIndex | ChromaProcess) -> None:
    vectors = unit(4)
    index.add([1, 2], ["a", "a"], [vectors[:2], vectors[2:3]])
    index.add([2], ["a"], [vectors[3:]])
    assert len(index) == 3
    index.remove([1, 99])
    assert len(index) == 1
    assert index.search(vectors[0], "a", 5).tolist() == [2]
    index.add([], [], [])
    index.remove([])


def test_it_is_there_after_reopening(tmp_path: Path) -> None:
    vectors = unit(3)
    for key in range(3):
        index = ChromaIndex(tmp_path)
        index.add([key], ["a"], [vectors[key : key + 1]])
        assert len(index) == key + 1
        index.close()


def test_no_text_is_kept(tmp_path: Path) -> None:
    index = ChromaIndex(tmp_path)
    index.add([1], ["ann"], [unit(1)])
    found = index._collection.get(include=["documents", "metadatas"])
    index.close()
    assert not any(found["documents"] or [])
    assert found["metadatas"] == [{"user": "ann", "seq": 1}]


def test_a_damaged_index_says_so(tmp_path: Path) -> None:
    index = ChromaIndex(tmp_path)
    index.add([1], ["a"], [unit(1)])
    index.close()
    (tmp_path / "chroma.sqlite3").write_bytes(b"garbage" * 100)
    with pytest.raises(IndexCorruptError, match="vector index"):
        ChromaIndex(tmp_path)


def test_a_collection_on_a_server_lasts_until_it_is_dropped(chroma_url: str, tmp_path: Path) -> None:
    vectors = unit(3)
    one = ChromaIndex(tmp_path / "one", server=chroma_url)
    one.add([1, 2, 3], ["a", "a", "b"], [vectors[:1], vectors[1:2], vectors[2:]])
    one.close()
    again = ChromaIndex(tmp_path / "one", server=chroma_url)
    other = ChromaIndex(tmp_path / "other", server=chroma_url)
    assert (len(again), len(other)) == (3, 0)
    assert again.search(vectors[1], "a", 1).tolist() == [2]
    again.drop()
    other.drop()
    anew = ChromaIndex(tmp_path / "one", server=chroma_url)
    assert len(anew) == 0
    anew.drop()


def test_a_server_that_does_not_answer_is_named(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(IndexUnreachableError, match=url):
        ChromaIndex(tmp_path / "index", server=url)
