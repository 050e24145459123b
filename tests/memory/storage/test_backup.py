"""A backup holds one state, is checked before it is used, and takes the place of nothing."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from habitus.memory.errors import (
    FolderInUseError,
    InvalidInputError,
    NotFoundError,
    StoreCorruptError,
    StoreFullError,
)
from habitus.memory.records import Changes, Turn
from habitus.memory.storage.backup import MANIFEST, back_up, check_backup, restore
from habitus.memory.storage.embedded import EmbeddedStore
from habitus.memory.storage.moving import checksum
from habitus.memory.store import Query
from habitus.retrievers.encoder import HashingEncoder

MakeTurns = Callable[..., tuple[Turn, ...]]


@pytest.fixture
def data(tmp_path: Path, encoder: HashingEncoder, make_turns: MakeTurns) -> Path:
    with EmbeddedStore.open(tmp_path / "data", encoder) as store:
        store.commit("ann", Changes(turns=make_turns("ann", "s", "I keep bees.", "Noted.")))
        store.flush()
    return tmp_path / "data"


def test_what_was_backed_up_comes_back_and_is_found(
    data: Path, tmp_path: Path, encoder: HashingEncoder, make_turns: MakeTurns
) -> None:
    with EmbeddedStore.open(data, encoder, exact_limit=1) as store:
        before = checksum(store, "ann")
        manifest = back_up(data, tmp_path / "backup")  # while it is in use
        store.commit("ann", Changes(turns=make_turns("ann", "late", "Too late.", day=1)))
    assert (manifest.n_users, manifest.n_turns) == (1, 2)
    assert check_backup(tmp_path / "backup") == manifest
    assert sorted(path.name for path in (tmp_path / "backup").iterdir()) == [MANIFEST, "memory.db"]
    restore(tmp_path / "backup", tmp_path / "restored")
    with EmbeddedStore.open(tmp_path / "restored", encoder, exact_limit=1) as store:
        assert checksum(store, "ann") == before
        query = Query(text="bees", vector=encoder.encode(["bees"])[0])
        assert "s.0" in store.search("ann", query).turn_ids
        assert store.verify().problems == ()


def test_indexes_of_other_memories_in_the_folder_are_not_searched(
    data: Path, tmp_path: Path, encoder: HashingEncoder, make_turns: MakeTurns
) -> None:
    back_up(data, tmp_path / "backup")
    with EmbeddedStore.open(data, encoder) as store:
        store.delete_user("ann")
        store.commit("ann", Changes(turns=make_turns("ann", "x", "Wasps.", "Noted.")))
        store.flush()
    (data / "memory.db").unlink()
    for log in data.glob("memory.db-*"):
        log.unlink()
    restore(tmp_path / "backup", data)
    with EmbeddedStore.open(data, encoder, exact_limit=1) as store:
        store.flush()
        query = Query(text="wasps bees", vector=encoder.encode(["bees"])[0])
        assert sorted(store.search("ann", query).turn_ids) == ["s.0", "s.1"]


@pytest.mark.parametrize("place", [100, -100])
def test_a_changed_backup_is_refused(data: Path, tmp_path: Path, place: int) -> None:
    back_up(data, tmp_path / "backup")
    file = tmp_path / "backup" / "memory.db"
    content = bytearray(file.read_bytes())
    content[place] ^= 1
    file.write_bytes(content)
    for use in (check_backup, lambda backup: restore(backup, tmp_path / "restored")):
        with pytest.raises(StoreCorruptError, match="is not what was written"):
            use(tmp_path / "backup")
    assert not (tmp_path / "restored").exists()


def test_a_damaged_manifest_and_no_manifest_are_told_apart(data: Path, tmp_path: Path) -> None:
    back_up(data, tmp_path / "backup")
    for damaged in (b"{", b"[" * 100_000, b"\xff", b"{}"):
        (tmp_path / "backup" / MANIFEST).write_bytes(damaged)
        with pytest.raises(StoreCorruptError, match=MANIFEST):
            check_backup(tmp_path / "backup")
    with pytest.raises(NotFoundError, match="no backup"):
        check_backup(data)


def test_nothing_is_overwritten(data: Path, tmp_path: Path, encoder: HashingEncoder) -> None:
    back_up(data, tmp_path / "backup")
    with pytest.raises(InvalidInputError, match="exists already"):
        back_up(data, tmp_path / "backup")
    with pytest.raises(InvalidInputError, match="holds a store already"):
        restore(tmp_path / "backup", data)
    with EmbeddedStore.open(data, encoder), pytest.raises(FolderInUseError):
        restore(tmp_path / "backup", data)
    with pytest.raises(NotFoundError, match="no store"):
        back_up(tmp_path / "backup" / "nowhere", tmp_path / "b2")


def test_a_log_that_was_left_behind_is_not_played_into_what_is_restored(
    data: Path, tmp_path: Path, encoder: HashingEncoder, make_turns: MakeTurns
) -> None:
    back_up(data, tmp_path / "backup")
    target = tmp_path / "target"
    target.mkdir()
    with EmbeddedStore.open(data, encoder) as store:
        before = checksum(store, "ann")
        store.commit("ann", Changes(turns=make_turns("ann", "late", "Too late.", day=1)))
        # As of a process that was killed, its database moved away without the log.
        (target / "memory.db-wal").write_bytes((data / "memory.db-wal").read_bytes())
    with pytest.raises(InvalidInputError, match="memory.db-wal"):
        restore(tmp_path / "backup", target)
    (target / "memory.db-wal").unlink()
    restore(tmp_path / "backup", target)
    with EmbeddedStore.open(target, encoder) as store:
        assert checksum(store, "ann") == before


def test_a_full_disk_leaves_nothing_of_what_was_to_be_restored(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    back_up(data, tmp_path / "backup")

    def full(source: Path, target: Path) -> None:
        target.write_bytes(source.read_bytes()[:5_000])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("shutil.copyfile", full)
        with pytest.raises(StoreFullError, match="No space left"):
            restore(tmp_path / "backup", tmp_path / "target")
    assert not list((tmp_path / "target").glob("memory.db*"))
    restore(tmp_path / "backup", tmp_path / "target")


def test_a_full_disk_leaves_nothing_of_an_unfinished_backup(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, *text: str, **how: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", full)
        with pytest.raises(StoreFullError, match="No space left"):
            back_up(data, tmp_path / "backup")
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
    back_up(data, tmp_path / "backup")
    restore(tmp_path / "backup", tmp_path / "target")


def test_a_damaged_database_makes_no_backup(data: Path, tmp_path: Path) -> None:
    with sqlite3.connect(data / "memory.db") as connection:
        connection.execute("PRAGMA foreign_keys=OFF")
        connection.execute("DELETE FROM sessions")
    connection.close()
    with pytest.raises(StoreCorruptError, match="refers to nothing"):
        back_up(data, tmp_path / "backup")
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
