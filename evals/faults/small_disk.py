"""What happens when the disk is full, and when it is read-only; run by `trials.full_disk` on a small tmpfs.

Run as `python -m habitus.evals.faults.small_disk MOUNT SEED`; prints a JSON list of what was lost.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from habitus.evals.faults.ledger import Ledger, violations
from habitus.evals.faults.places import DIM, open_store
from habitus.evals.faults.writer import Writer
from habitus.memory.errors import StoreFullError
from habitus.memory.storage.relational import EXACT_LIMIT
from habitus.memory.store import MemoryStore
from habitus.retrievers.encoder import HashingEncoder

_BALLAST = (5_000_000, 8_500_000)
_AFTER = 30


def main(mount: str, seed: str) -> None:
    """Fill the disk, look; make room, go on, look; forbid writing, look."""
    data = Path(mount) / "data"
    # In a process of its own: native libraries keep files open after their indexes are closed, and a disk in
    # use cannot be made read-only.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        found, ledger = pool.submit(_fill, mount, int(seed)).result()
    subprocess.run(["mount", "-o", "remount,ro", mount], check=True)
    try:
        _open(data).close()
    except StoreFullError:
        pass
    else:
        found.append("read-only: it was opened as if nothing were amiss")
    subprocess.run(["mount", "-o", "remount,rw", mount], check=True)
    with _open(data) as store:
        found += [f"reopened: {what}" for what in violations(store, ledger)]
    sys.stdout.write(json.dumps(found))


def _fill(mount: str, seed: int) -> tuple[list[str], Ledger]:
    chance, ledger, ballast = random.Random(seed), Ledger(), Path(mount) / "ballast"
    ballast.write_bytes(b"x" * chance.randint(*_BALLAST))
    found: list[str] = []
    data = Path(mount) / "data"
    store = _open(data)
    writer = Writer(store, str(data), seed=seed, life=0, say=ledger.take)
    try:
        writer.work()
    except StoreFullError:
        found += [f"full: {what}" for what in violations(store, ledger)]
        ledger.settle(store)
    ballast.unlink()
    writer.work(_AFTER)
    found += [f"room again: {what}" for what in violations(store, ledger)]
    writer.close()
    return found, ledger


def _open(data: Path) -> MemoryStore:
    return open_store(str(data), HashingEncoder(DIM), exact_limit=EXACT_LIMIT)


if __name__ == "__main__":
    main(*sys.argv[1:])
