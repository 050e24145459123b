"""Chroma in a process of its own: what its end, its silence and the end of its parent lead to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from habitus.retrievers import chroma_process, forked
from habitus.retrievers.chroma_process import ChromaProcess
from habitus.retrievers.encoder import Vectors
from habitus.retrievers.errors import IndexCorruptError, IndexDiedError, IndexFullError, IndexUnreachableError


def unit(n: int, dim: int = 32, seed: int = 0) -> Vectors:
    vectors = np.random.default_rng(seed).normal(size=(n, dim)).astype(np.float32)
    found: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return found


def is_running(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def wait_until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[ChromaProcess]:
    opened = ChromaProcess(tmp_path / "index", tmp_path / "lock")
    yield opened
    opened.kill()


def test_closing_ends_the_process_and_leaves_everything(tmp_path: Path, index: ChromaProcess) -> None:
    vectors = unit(600)
    index.add(range(300), ["a"] * 300, [vectors[2 * key : 2 * key + 2] for key in range(300)])
    index.close()
    index.close()
    assert not is_running(index.pid)
    again = ChromaProcess(tmp_path / "index", tmp_path / "lock")
    assert len(again) == 600
    assert again.search(vectors[7], "a", 1).tolist() == [3]
    again.close()


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_signals_to_the_whole_program_leave_its_end_to_the_parent(index: ChromaProcess, name: str) -> None:
    os.kill(index.pid, getattr(signal, name))
    index.add([1], ["a"], [unit(1)])
    assert len(index) == 1


def test_a_process_that_was_killed_is_told_and_what_it_acknowledged_is_there(
    tmp_path: Path, index: ChromaProcess
) -> None:
    index.add([1, 2], ["a", "a"], [unit(1), unit(1, seed=1)])
    os.kill(index.pid, signal.SIGKILL)
    for _ in range(2):
        with pytest.raises(IndexDiedError, match="exit code -9"):
            len(index)
    index.close()
    again = ChromaProcess(tmp_path / "index", tmp_path / "lock")
    assert sorted(again.search(unit(1)[0], "a", 5).tolist()) == [1, 2]
    again.close()


def test_a_process_that_does_not_answer_is_ended(tmp_path: Path) -> None:
    index = ChromaProcess(tmp_path / "index", tmp_path / "lock", seconds=30.0)
    os.kill(index.pid, signal.SIGSTOP)
    index._seconds = 0.2
    with pytest.raises(IndexDiedError, match="did not answer within"):
        index.search(unit(1)[0], "a", 5)
    assert not is_running(index.pid)
    index.close()


def test_files_belong_to_one_process_at_a_time(tmp_path: Path, index: ChromaProcess) -> None:
    with pytest.raises(IndexUnreachableError, match="another process"):
        ChromaProcess(tmp_path / "index", tmp_path / "lock", files_free=0.1)
    index.close()
    ChromaProcess(tmp_path / "index", tmp_path / "lock", files_free=0.1).close()


def test_a_process_outlives_no_parent_that_was_killed(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from habitus.retrievers.chroma_process import ChromaProcess\n"
        "from habitus.retrievers.encoder import HashingEncoder\n"
        "index = ChromaProcess(sys.argv[1], sys.argv[2])\n"
        "print(index.pid, flush=True)\n"
        "for key in range(10**6):\n"
        "    index.add([key], ['a'], [HashingEncoder(32).encode([f'fig {key}'])])\n"
        "    print(key, flush=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "index"), str(tmp_path / "lock")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout is not None and parent.stderr is not None
        pid = int(parent.stdout.readline())
        acknowledged = [int(parent.stdout.readline()) for _ in range(40)]
        parent.kill()
        acknowledged += [int(line) for line in parent.stdout if line.endswith("\n")]
        assert parent.stderr.read() == ""
    again = ChromaProcess(tmp_path / "index", tmp_path / "lock")  # waits for the other
    assert not is_running(pid)
    assert acknowledged[-1] + 1 <= len(again) <= acknowledged[-1] + 2
    again.close()


@pytest.mark.parametrize("request_", [b'{"do": "add", "n_by', b'{"do": "add", "n_bytes": 100}\nabc'])
def test_a_request_that_was_cut_off_is_not_done(tmp_path: Path, request_: bytes) -> None:
    command = [
        sys.executable,
        "-m",
        ChromaProcess.__module__,
        str(tmp_path / "index"),
        str(tmp_path / "lock"),
    ]
    done = subprocess.run([*command, "1"], input=request_, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert not (tmp_path / "index").exists()


def test_what_lies_in_the_working_folder_is_not_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "chromadb.py").write_text("raise SystemExit('the wrong one')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(forked, "_nurseries", {})  # one that has begun has imported everything
    ChromaProcess(tmp_path / "index", tmp_path / "lock").close()
    for _, nursery in forked._nurseries.values():
        nursery.close()


def test_a_process_that_cannot_be_started_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forked, "_nurseries", {})
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no python"))
    with pytest.raises(IndexUnreachableError, match="cannot be started"):
        ChromaProcess(tmp_path / "index", tmp_path / "lock")


def test_damaged_files_are_told_by_the_process(tmp_path: Path, index: ChromaProcess) -> None:
    index.add([1], ["a"], [unit(1)])
    index.close()
    (tmp_path / "index" / "chroma.sqlite3").write_bytes(b"garbage" * 100)
    with pytest.raises(IndexCorruptError, match="vector index"):
        ChromaProcess(tmp_path / "index", tmp_path / "lock")


def test_a_process_that_waits_for_room_on_the_disk_is_ended(
    index: ChromaProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chroma_process, "_LOOKS_EVERY_SECONDS", 0.05)
    os.kill(index.pid, signal.SIGSTOP)
    monkeypatch.setattr(chroma_process, "cannot_be_written", lambda path: True)
    with pytest.raises(IndexFullError, match="no room"):
        len(index)
