from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from habitus.retrievers.cache import CachedEncoder
from habitus.retrievers.encoder import HashingEncoder, Vectors
from habitus.retrievers.errors import EncoderError

_WRITER = """
import sys
from habitus.retrievers.cache import CachedEncoder
from habitus.retrievers.encoder import HashingEncoder
cached = CachedEncoder(HashingEncoder(64), sys.argv[1])
print("ready", flush=True)
for start in range(0, int(sys.argv[2]), 50):
    cached.encode([f"text {number}" for number in range(start, start + 50)])
"""


class Counting:
    """Counts the texts that reach the encoder inside."""

    def __init__(self, dim: int = 16) -> None:
        self._inner = HashingEncoder(dim)
        self.seen: list[str] = []

    @property
    def fingerprint(self) -> str:
        return self._inner.fingerprint

    @property
    def dim(self) -> int:
        return self._inner.dim

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.seen += texts
        return self._inner.encode(texts)


def file_of(folder: Path) -> Path:
    return folder / "embeddings.sqlite3"


def writer(folder: Path, n_texts: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", _WRITER, str(folder), str(n_texts)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_a_text_is_encoded_once(tmp_path: Path) -> None:
    inner = Counting()
    with CachedEncoder(inner, tmp_path) as cached:
        first = cached.encode(["a", "b", "a"])
        second = cached.encode(["b", "c", "a"])
    assert inner.seen == ["a", "b", "c"]
    np.testing.assert_array_equal(first, HashingEncoder(16).encode(["a", "b", "a"]))
    np.testing.assert_array_equal(second, HashingEncoder(16).encode(["b", "c", "a"]))


def test_vectors_outlive_the_process(tmp_path: Path) -> None:
    with CachedEncoder(Counting(), tmp_path / "new" / "folder") as cached:
        before = cached.encode(["kept"])
    inner = Counting()
    with CachedEncoder(inner, tmp_path / "new" / "folder") as cached:
        np.testing.assert_array_equal(cached.encode(["kept"]), before)
    assert inner.seen == []


def test_encoders_share_a_folder_without_mixing(tmp_path: Path) -> None:
    with (
        CachedEncoder(HashingEncoder(16), tmp_path) as small,
        CachedEncoder(HashingEncoder(32), tmp_path) as big,
    ):
        assert small.encode(["same text"]).shape == (1, 16)
        assert big.encode(["same text"]).shape == (1, 32)
        assert small.encode(["same text"]).shape == (1, 16)


def test_the_file_holds_no_text(tmp_path: Path) -> None:
    with CachedEncoder(HashingEncoder(16), tmp_path) as cached:
        cached.encode(["a very private sentence"])
    for path in tmp_path.iterdir():
        assert b"private" not in path.read_bytes()


def test_more_texts_than_one_query_or_commit_holds(tmp_path: Path) -> None:
    texts = [f"number {number}" for number in range(5000)]
    expected = HashingEncoder(16).encode(texts)
    inner = Counting()
    with CachedEncoder(inner, tmp_path) as cached:
        np.testing.assert_array_equal(cached.encode(texts), expected)
        np.testing.assert_array_equal(cached.encode(texts[::-1]), expected[::-1])
    assert inner.seen == texts


def test_an_interrupted_call_keeps_what_it_had_saved(tmp_path: Path) -> None:
    class Interrupted(Counting):
        def encode(self, texts: Sequence[str]) -> Vectors:
            if len(self.seen) >= 4000:
                raise KeyboardInterrupt
            return super().encode(texts)

    texts = [f"number {number}" for number in range(6000)]
    with CachedEncoder(Interrupted(), tmp_path) as cached, pytest.raises(KeyboardInterrupt):
        cached.encode(texts)
    inner = Counting()
    with CachedEncoder(inner, tmp_path) as cached:
        cached.encode(texts)
    assert inner.seen == texts[4096:]


def test_threads_share_a_cache(tmp_path: Path) -> None:
    texts = [f"text {number}" for number in range(300)]
    expected = HashingEncoder(16).encode(texts)
    with CachedEncoder(HashingEncoder(16), tmp_path) as cached, ThreadPoolExecutor(8) as pool:
        for found in pool.map(cached.encode, [texts] * 16):
            np.testing.assert_array_equal(found, expected)


def test_two_processes_write_at_once(tmp_path: Path) -> None:
    processes = [writer(tmp_path, 2000) for _ in range(2)]
    for process in processes:
        process.communicate(timeout=120)
    assert [process.returncode for process in processes] == [0, 0]
    inner = Counting(64)
    texts = [f"text {number}" for number in range(2000)]
    with CachedEncoder(inner, tmp_path) as cached:
        np.testing.assert_array_equal(cached.encode(texts), HashingEncoder(64).encode(texts))
    assert inner.seen == []


def test_a_killed_process_leaves_a_sound_cache(tmp_path: Path) -> None:
    process = writer(tmp_path, 1_000_000)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    deadline = time.monotonic() + 60
    while rows(tmp_path) < 500 and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    saved = rows(tmp_path)
    assert saved >= 500
    inner = Counting(64)
    texts = [f"text {number}" for number in range(saved + 10)]
    with CachedEncoder(inner, tmp_path) as cached:
        np.testing.assert_array_equal(cached.encode(texts), HashingEncoder(64).encode(texts))
    assert inner.seen == texts[saved:]


def rows(folder: Path) -> int:
    with closing(sqlite3.connect(file_of(folder), timeout=60)) as connection:
        count: int = connection.execute("SELECT count(*) FROM vectors").fetchone()[0]
    return count


def test_a_file_of_another_kind_is_reported(tmp_path: Path) -> None:
    file_of(tmp_path).write_bytes(b"not a database, but long enough to be looked at" * 100)
    with pytest.raises(EncoderError, match=r"embeddings\.sqlite3.*not a database"):
        CachedEncoder(HashingEncoder(16), tmp_path)


def test_a_vector_of_the_wrong_length_is_reported(tmp_path: Path) -> None:
    with CachedEncoder(HashingEncoder(16), tmp_path) as cached:
        cached.encode(["a"])
        with closing(sqlite3.connect(file_of(tmp_path))) as connection, connection:
            connection.execute("UPDATE vectors SET vector = x'00'")
        with pytest.raises(EncoderError, match="a vector of 1 bytes, expected 64"):
            cached.encode(["a"])


def test_a_closed_cache_says_so(tmp_path: Path) -> None:
    cached = CachedEncoder(HashingEncoder(16), tmp_path)
    cached.close()
    with pytest.raises(EncoderError, match="closed"):
        cached.encode(["a"])
