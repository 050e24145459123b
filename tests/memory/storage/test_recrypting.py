"""A folder is encrypted, decrypted or given another key as a whole, or left as it was."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
import sqlite3
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from habitus.memory.errors import (
    EncryptionError,
    FolderInUseError,
    InvalidInputError,
    NotFoundError,
    StoreCorruptError,
    StoreFullError,
)
from habitus.memory.records import Changes, Turn
from habitus.memory.storage import connecting, recrypting
from habitus.memory.storage.embedded import EmbeddedStore
from habitus.memory.storage.encryption import EncryptionKey
from habitus.memory.storage.moving import checksum
from habitus.memory.storage.recrypting import recrypt
from habitus.retrievers.encoder import HashingEncoder

MakeTurns = Callable[..., tuple[Turn, ...]]
Babble = Callable[[int], str]
SECRET = b"xylophonequartz"
OTHER = EncryptionKey("cd" * 32)
Digits = str | None


@pytest.fixture
def plain(tmp_path: Path, encoder: HashingEncoder, make_turns: MakeTurns, babble: Babble) -> Path:
    """A folder with a secret in its database, and in what lies where indexes are."""
    with EmbeddedStore.open(tmp_path / "data", encoder) as store:
        for user in ("ann", "bob"):
            texts = (f"{SECRET.decode()} {babble(40)}" for _ in range(30))
            store.commit(user, Changes(turns=make_turns(user, "s", *texts)))
    (tmp_path / "data" / "index" / "left").mkdir(parents=True)
    (tmp_path / "data" / "index" / "left" / "words").write_bytes(SECRET)
    return tmp_path / "data"


def sums(folder: Path, encoder: HashingEncoder, key: EncryptionKey | None) -> list[str]:
    with EmbeddedStore.open(folder, encoder, key=key) as store:
        assert store.verify().problems == ()
        return [checksum(store, user) for user in sorted(store.users())]


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def holds_secret(folder: Path) -> bool:
    return any(SECRET in content for content in files(folder).values())


def test_there_and_back(plain: Path, encoder: HashingEncoder, key: EncryptionKey) -> None:
    with EmbeddedStore.open(plain, encoder) as store:
        store.flush()
    before = sums(plain, encoder, None)
    assert any(SECRET in content for name, content in files(plain).items() if "index" in name)
    assert recrypt(plain, old=None, new=key) == 60
    assert set(files(plain)) == {"memory.db", "owner.lock"}
    assert not holds_secret(plain)
    assert sums(plain, encoder, key) == before
    assert recrypt(plain, old=key, new=OTHER) == 60
    with pytest.raises(EncryptionError, match="does not open"):
        sums(plain, encoder, key)
    assert sums(plain, encoder, OTHER) == before
    assert recrypt(plain, old=OTHER, new=None) == 60
    assert sums(plain, encoder, None) == before
    with EmbeddedStore.open(plain, encoder) as store:
        store.flush()
        assert store.stats().n_pending == 0
        assert (plain / "index").is_dir()


def test_vectors_on_a_chroma_server_are_deleted_there(
    plain: Path, chroma_url: str, encoder: HashingEncoder, key: EncryptionKey
) -> None:
    def n_collections() -> int:
        place = f"{chroma_url}/api/v2/tenants/default_tenant/databases/default_database/collections_count"
        with urlopen(place) as answer:
            return int(json.load(answer))

    before = n_collections()
    with EmbeddedStore.open(plain, encoder, exact_limit=0, chroma_url=chroma_url) as store:
        store.flush()
        assert n_collections() == before + 2
    recrypt(plain, old=None, new=key)
    assert not (plain / "index").exists()
    assert n_collections() == before


def test_what_cannot_be_done_is_said_and_nothing_changed(
    plain: Path, tmp_path: Path, encoder: HashingEncoder, key: EncryptionKey
) -> None:
    shutil.copytree(plain, tmp_path / "sealed")
    recrypt(tmp_path / "sealed", old=None, new=key)
    before = files(tmp_path)
    sealed = tmp_path / "sealed"
    for folder, old, new, error, said in (
        (plain, key, None, EncryptionError, "is not encrypted"),
        (plain, key, OTHER, EncryptionError, "is not encrypted"),
        (plain, None, None, InvalidInputError, "nothing to do"),
        (sealed, None, OTHER, EncryptionError, "encrypted already.*rekey"),
        (sealed, OTHER, None, EncryptionError, "does not open"),
        (sealed, key, key, InvalidInputError, "nothing to do"),
        (tmp_path / "mistyped", None, key, NotFoundError, "no data folder"),
        (tmp_path, None, key, NotFoundError, "no store"),
    ):
        with pytest.raises(error, match=said):
            recrypt(folder, old=old, new=new)
    (tmp_path / "owner.lock").unlink(missing_ok=True)
    assert files(tmp_path) == before
    with EmbeddedStore.open(plain, encoder):
        with pytest.raises(FolderInUseError):
            recrypt(plain, old=None, new=key)


def test_a_database_that_is_being_read_is_left(
    plain: Path, encoder: HashingEncoder, key: EncryptionKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connecting, "BUSY_SECONDS", 0.1)
    with closing(sqlite3.connect(plain / "memory.db", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM turns").fetchone()
        with pytest.raises(FolderInUseError, match="backup"):
            recrypt(plain, old=None, new=key)
    assert len(sums(plain, encoder, None)) == 2


def test_a_damaged_database_is_not_rewritten(plain: Path, key: EncryptionKey) -> None:
    file = plain / "memory.db"
    content = bytearray(file.read_bytes())
    for place in range(4_096, len(content), 4_096):
        content[place : place + 64] = os.urandom(64)
    file.write_bytes(content)
    with pytest.raises(StoreCorruptError):
        recrypt(plain, old=None, new=key)
    assert file.read_bytes() == content


def test_a_copy_that_differs_is_thrown_away(
    plain: Path, encoder: HashingEncoder, key: EncryptionKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, write = sums(plain, encoder, None), recrypting._write

    def write_less(database: Path, old: EncryptionKey | None, copy: Path, new: EncryptionKey | None) -> None:
        write(database, old, copy, new)
        with closing(connecting.connect(copy, new)) as connection:
            connection.execute("UPDATE turns SET text = 'another' WHERE seq = 7")

    monkeypatch.setattr(recrypting, "_write", write_less)
    with pytest.raises(StoreCorruptError, match="differs"):
        recrypt(plain, old=None, new=key)
    assert not (plain / "memory.db.unfinished").exists()
    assert sums(plain, encoder, None) == before


def test_a_full_disk_leaves_it_as_it_was(
    plain: Path, encoder: HashingEncoder, key: EncryptionKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, both = sums(plain, encoder, None), recrypting._both

    @contextmanager
    def bounded(
        database: Path, old: EncryptionKey | None, copy: Path, new: EncryptionKey | None
    ) -> Iterator[Any]:
        with both(database, old, copy, new) as connection:
            connection.execute("PRAGMA new.max_page_count=20")
            yield connection

    monkeypatch.setattr(recrypting, "_both", bounded)
    with pytest.raises(StoreFullError, match="free some space"):
        recrypt(plain, old=None, new=key)
    assert not (plain / "memory.db.unfinished").exists()
    assert sums(plain, encoder, None) == before


def _at_step(number: int, folder: str, old: Digits, new: Digits) -> None:
    """Recrypt, and die by SIGKILL when so many files have been opened, renamed or removed."""
    steps = 0

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal steps
        if event in ("open", "os.rename", "os.remove", "shutil.rmtree") and folder in str(arguments[0]):
            steps += 1
            if steps == number:
                os.kill(os.getpid(), signal.SIGKILL)

    keys = [EncryptionKey(one) if one else None for one in (old, new)]
    sys.addaudithook(hook)
    recrypt(folder, old=keys[0], new=keys[1])


@pytest.mark.parametrize(("old", "new"), [(None, "ab"), ("ab", "cd"), ("cd", None)])
def test_killed_at_any_step_it_has_all_of_it_under_one_of_the_keys(
    plain: Path, tmp_path: Path, encoder: HashingEncoder, key: EncryptionKey, old: Digits, new: Digits
) -> None:
    processes = multiprocessing.get_context("fork")
    with EmbeddedStore.open(plain, encoder) as store:
        whole = [checksum(store, user) for user in ("ann", "bob")]
    digits = [one and one * 32 for one in (old, new)]
    before, after = (EncryptionKey(one) if one else None for one in digits)
    if before:
        recrypt(plain, old=None, new=before)
    outcomes = []
    for step in range(1, 200):
        folder = tmp_path / f"at{step}"
        shutil.copytree(plain, folder)
        process = processes.Process(target=_at_step, args=(step, str(folder), *digits))
        with warnings.catch_warnings():
            # Of Python 3.12 on, where threads of other tests are still there: the child needs none of them.
            warnings.simplefilter("ignore", DeprecationWarning)
            process.start()
        process.join()
        try:
            assert sums(folder, encoder, before) == whole
            outcomes.append("before")
            now = before
        except EncryptionError:
            assert sums(folder, encoder, after) == whole
            outcomes.append("after")
            now = after
        assert not [name for name in files(folder) if "unfinished" in name or "replaced" in name]
        assert now is None or not holds_secret(folder)
        shutil.rmtree(folder)
        if process.exitcode == 0:
            break
        assert process.exitcode == -signal.SIGKILL
    assert outcomes.count("before") >= 3
    assert outcomes.count("after") >= 3
    # Once the new one is in its place, it stays there.
    assert outcomes == sorted(outcomes, key=["before", "after"].index)
