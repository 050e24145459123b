"""A program of ours has one heap, so that what one thread frees another one uses."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="heaps for threads are glibc's")

PROGRAM = """
import ctypes, threading
{first}
together = threading.Barrier(8)
def allocate():
    together.wait()
    kept = [bytes(n) for n in range(600, 20_000)]
    together.wait()
threads = [threading.Thread(target=allocate) for _ in range(8)]
for one in threads:
    one.start()
for one in threads:
    one.join()
ctypes.CDLL(None).malloc_stats()
"""
CALL = "from habitus.agent.commands.allocating import allocate_in_one_arena; allocate_in_one_arena()"


def n_heaps(first: str, **variables: str) -> int:
    environment = {name: value for name, value in os.environ.items() if name != "MALLOC_ARENA_MAX"}
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(first=first)],
        env=environment | variables,
        capture_output=True,
        text=True,
        check=True,
    )
    return ran.stderr.count("Arena ")


def test_threads_share_one_heap() -> None:
    assert n_heaps("") > 1
    assert n_heaps(CALL) == 1


def test_the_number_that_the_environment_gives_stays() -> None:
    assert n_heaps(CALL, MALLOC_ARENA_MAX="2") == 2
