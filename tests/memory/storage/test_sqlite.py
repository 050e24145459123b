"""The database's connections."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from shutil import rmtree

import pytest

from habitus.memory.errors import InvalidInputError, StoreCorruptError
from habitus.memory.storage.sqlite import Database


def test_many_readers_at_once_are_served_and_few_are_kept(tmp_path: Path) -> None:
    database = Database(tmp_path / "memory.db")
    with ExitStack() as readers:
        seen = [readers.enter_context(database.read()) for _ in range(40)]
        assert len({id(one) for one in seen}) == 40
        assert all(one.execute("SELECT count(*) FROM turns").fetchone() == (0,) for one in seen)
    assert 0 < len(database._idle) <= 8
    with database.read() as again:
        assert again in seen
    database.close()


@pytest.mark.parametrize("version", [0, 6])
def test_the_database_of_another_program_is_left_as_it_was(tmp_path: Path, version: int) -> None:
    path = tmp_path / "memory.db"
    with closing(sqlite3.connect(path)) as other:
        other.executescript(f"CREATE TABLE users (name); PRAGMA user_version = {version};")
    before = path.read_bytes()
    with pytest.raises(InvalidInputError, match="of another program"):
        Database(path)
    assert path.read_bytes() == before


def _replaced(folder: Path) -> None:
    folder.rename(folder.with_name("elsewhere"))
    folder.mkdir()
    Database(folder / "memory.db").close()


@pytest.mark.parametrize(
    "happen",
    [rmtree, lambda folder: folder.rename(folder.with_name("elsewhere")), _replaced],
    ids=["removed", "moved", "replaced"],
)
def test_a_file_that_lost_its_name_takes_nothing_that_would_be_lost_with_it(
    tmp_path: Path, happen: Callable[[Path], None]
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    database = Database(folder / "memory.db")
    with pytest.raises(StoreCorruptError, match="was removed, moved or replaced"):
        with database.write() as transaction:
            transaction.execute("INSERT INTO meta VALUES ('name', 'value')")
            happen(folder)
    with pytest.raises(StoreCorruptError, match="was removed, moved or replaced"), database.write():
        pytest.fail("something may still be written")
    with pytest.raises(StoreCorruptError, match="was removed, moved or replaced"), database.read():
        pytest.fail("another file may be read")
    with pytest.raises(StoreCorruptError, match="was removed, moved or replaced"):
        database.scrub()
    database.close()


def test_a_file_that_is_moved_back_is_used_again(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    database = Database(folder / "memory.db")
    folder.rename(tmp_path / "elsewhere")
    with pytest.raises(StoreCorruptError), database.read():
        pytest.fail("it is not there")
    (tmp_path / "elsewhere").rename(folder)
    with database.write() as transaction:
        transaction.execute("INSERT INTO meta VALUES ('name', 'value')")
    database.close()
    again = Database(folder / "memory.db")
    with again.read() as connection:
        assert connection.execute("SELECT value FROM meta WHERE name = 'name'").fetchone() == ("value",)
    again.close()
