"""Every fault but the kill: one trial each, in an empty folder, returning what was lost."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from habitus.evals.faults.killing import writer
from habitus.evals.faults.ledger import Ledger, violations
from habitus.evals.faults.places import DIM, open_store
from habitus.evals.faults.writer import Writer
from habitus.memory.errors import FolderInUseError, StoreCorruptError
from habitus.memory.storage.backup import back_up, restore
from habitus.memory.storage.relational import EXACT_LIMIT
from habitus.memory.storage.replacing import DATABASE
from habitus.retrievers.encoder import HashingEncoder

N_OPERATIONS = 60
_DISK = "10m"
_NO_MOUNT = 99
_DAMAGED_BYTES = 4_096


class NotTriedError(RuntimeError):
    """The fault cannot be made on this machine; the message says why."""


def second_process(folder: Path, seed: int) -> list[str]:
    """Try to open the folder while another process writes to it."""
    ledger, found = Ledger(), []
    with writer(str(folder), seed, 0, EXACT_LIMIT) as (process, output):
        lines = [next(output) for _ in range(N_OPERATIONS)]
        for _ in range(5):
            try:
                open_store(str(folder), HashingEncoder(DIM), exact_limit=EXACT_LIMIT).close()
            except FolderInUseError as error:
                if str(process.pid) not in str(error):
                    found.append("the error does not name the owner")
            else:
                found.append("a second process opened the folder")
            lines.append(next(output))
        process.kill()
        lines += output
    ledger.read(lines[1:])
    with open_store(str(folder), HashingEncoder(DIM), exact_limit=EXACT_LIMIT) as store:
        return found + violations(store, ledger)


def damaged_index(folder: Path, seed: int) -> list[str]:
    """Overwrite, cut off or remove a file of the derived indexes while the store is closed."""
    chance, ledger = random.Random(seed), Ledger()
    _write(folder, seed, ledger, exact_limit=0, flush=True)
    files = sorted(path for path in (folder / "index").rglob("*") if path.is_file())
    damage(chance.choice(files), chance)
    with open_store(str(folder), HashingEncoder(DIM), exact_limit=0) as store:
        found = violations(store, ledger)
        store.flush()
        return found + violations(store, ledger)


def damaged_database(folder: Path, seed: int) -> list[str]:
    """Overwrite or cut off the database of a closed store: it must be noticed, and the backup must do."""
    chance, ledger = random.Random(seed), Ledger()
    data, backup, restored = folder / "data", folder / "backup", folder / "restored"
    _write(data, seed, ledger, exact_limit=EXACT_LIMIT)
    back_up(data, backup)
    damage(data / DATABASE, chance, kinds=("overwrite", "cut"))
    found = []
    try:
        with open_store(str(data), HashingEncoder(DIM), exact_limit=EXACT_LIMIT) as store:
            store.verify()
            found += [f"damage was not noticed: {what}" for what in violations(store, ledger)]
    except StoreCorruptError:
        pass  # as it should be: refused, and said so
    restore(backup, restored)
    with open_store(str(restored), HashingEncoder(DIM), exact_limit=EXACT_LIMIT) as store:
        return found + [f"restored: {what}" for what in violations(store, ledger)]


def full_disk(folder: Path, seed: int) -> list[str]:
    """Write until the disk is full, look, make room, go on; then with the disk read-only."""
    if shutil.which("unshare") is None:
        raise NotTriedError("it takes unshare (util-linux)")
    folder.mkdir(parents=True)
    mount = f'mount -t tmpfs -o size="$4" none "$1" || exit {_NO_MOUNT}'
    script = mount + '; exec "$2" -m habitus.evals.faults.small_disk "$1" "$3"'
    order = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"]
    done = subprocess.run(
        [*order, str(folder), sys.executable, str(seed), _DISK], capture_output=True, text=True, check=False
    )
    if done.returncode:
        if done.returncode == _NO_MOUNT or done.stderr.startswith("unshare:"):
            raise NotTriedError(done.stderr.strip().splitlines()[-1])
        raise RuntimeError(done.stderr)
    found: list[str] = json.loads(done.stdout)
    return found


def damage(path: Path, chance: random.Random, kinds: Sequence[str] = ("overwrite", "cut", "remove")) -> None:
    """Overwrite some bytes of a file, cut it off, or remove it."""
    kind, size = chance.choice(kinds), path.stat().st_size
    if kind == "remove" or size == 0:
        path.unlink()
    elif kind == "cut":
        with path.open("r+b") as file:
            file.truncate(chance.randrange(size))
    else:
        with path.open("r+b") as file:
            file.seek(chance.randrange(size))
            file.write(chance.randbytes(min(_DAMAGED_BYTES, size)))


def _write(folder: Path, seed: int, ledger: Ledger, *, exact_limit: int, flush: bool = False) -> None:
    store = open_store(str(folder), HashingEncoder(DIM), exact_limit=exact_limit)
    agent = Writer(store, str(folder), seed=seed, life=0, say=ledger.take)
    agent.work(N_OPERATIONS)
    if flush:
        store.flush()
    agent.close()


TRIALS: dict[str, Callable[[Path, int], list[str]]] = {
    "a second process on the folder": second_process,
    "a damaged index file": damaged_index,
    "a damaged database": damaged_database,
    "a full disk, then a read-only one": full_disk,
}
