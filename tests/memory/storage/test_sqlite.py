"""The database's connections."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

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
