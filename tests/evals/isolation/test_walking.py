"""The walk finds nothing in Habitus, and finds what leaks where something does."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest
from typer.testing import CliRunner

from habitus.agent import Agent
from habitus.agent.generators.extractive import ExtractiveChat
from habitus.agent.server.app import create_app
from habitus.agent.sessions import Sessions
from habitus.evals.cli import eval_app
from habitus.evals.faults.places import DIM, open_store
from habitus.evals.isolation import walking
from habitus.evals.isolation.doors import Doors, opened
from habitus.evals.isolation.people import IDS, Person, people, secrets_in
from habitus.evals.isolation.reads import READS
from habitus.evals.isolation.remains import in_files, in_tables
from habitus.evals.isolation.walking import Walk, walk_through
from habitus.evals.isolation.writes import WRITES
from habitus.memory.index.terms import hash_term
from habitus.memory.retrieval.shortterm import ShortTermMemory
from habitus.memory.storage import writing
from habitus.retrievers.encoder import HashingEncoder

for _extra in ("opentelemetry.sdk", "fastapi", "mcp", "langchain"):
    pytest.importorskip(_extra, reason="an extra that the walk needs is not installed")
STEPS = 200


def walk(place: str, folder: Path, *, steps: int = STEPS, threads: int = 1) -> tuple[Walk, list[str]]:
    store = open_store(place, HashingEncoder(DIM), exact_limit=20)
    return walk_through(store, folder, n_operations=steps, n_users=8, seed=1, n_threads=threads)


@pytest.fixture(autouse=True)
def deletes_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walking, "_DELETES", 0.03)


@pytest.fixture
def database(postgres_url: str, postgres_schema: str) -> Iterator[str]:
    """The URL of an empty database."""
    psycopg = pytest.importorskip("psycopg", reason="no driver for PostgreSQL: install the extra `postgres`")

    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {postgres_schema}".encode())
        yield postgres_url.replace("/postgres?", f"/{postgres_schema}?")
        connection.execute(f"DROP DATABASE {postgres_schema} WITH (FORCE)".encode())


class TestNobodyGetsAnothersWords:
    def test_from_a_folder(self, tmp_path: Path) -> None:
        seen, dead = walk(str(tmp_path / "data"), tmp_path)
        assert (seen.leaks, seen.errors) == ([], [])
        assert sum(seen.done.values()) == STEPS
        assert {*READS, *WRITES, "delete", "everything at once"} == set(seen.done)
        assert seen.n_chars > 100_000 and seen.n_lines > 50 and seen.n_spans > 500
        assert dead and in_files(tmp_path / "data", dead, seen.alive, HashingEncoder(DIM)) == []

    def test_from_postgres_with_several_at_once(self, tmp_path: Path, database: str) -> None:
        seen, dead = walk(database, tmp_path, threads=3)
        assert (seen.leaks, seen.errors) == ([], [])
        assert sum(seen.done.values()) == STEPS
        assert dead and in_tables(database, dead) == []


class TestLeaksAreFound:
    def test_of_a_cache_that_forgets_the_user(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        own = Sessions.memory

        def everybodys(self: Sessions, user_id: str, session_id: str) -> ShortTermMemory:
            return own(self, IDS[0], session_id)

        monkeypatch.setattr(Sessions, "memory", everybodys)
        seen, _ = walk(str(tmp_path / "data"), tmp_path)
        assert any(told.endswith(f"was given a word of {IDS[0]!r}") for told in seen.leaks)

    def test_in_the_log_and_after_a_deletion(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def log_it(self: Agent, user_id: str, text: str, **named: Any) -> Any:
            logging.getLogger("habitus").debug("was told %s", text)
            return chat(self, user_id, text, **named)

        chat = Agent.chat
        monkeypatch.setattr(Agent, "chat", log_it)
        monkeypatch.setattr(writing, "delete_user", lambda connection, user_id: None)
        seen, dead = walk(str(tmp_path / "data"), tmp_path, steps=120)
        assert any(told.startswith("log: ") for told in seen.leaks)
        assert any(told.endswith("before they were deleted") for told in seen.leaks)
        assert in_files(tmp_path / "data", dead, seen.alive, HashingEncoder(DIM))


@pytest.mark.parametrize("kept", ["word", "hash", "vector"])
def test_what_is_left_in_a_file_is_found_in_whatever_form(tmp_path: Path, kept: str) -> None:
    secret, encoder = "qzabcdefghijzq", HashingEncoder(DIM)
    (tmp_path / "index").mkdir()
    forms = {
        "word": secret.encode(),
        "hash": hash_term(secret).to_bytes(8, "little"),
        "vector": encoder.encode([f"I can't stand {secret} music."])[0].tobytes(),
    }
    (tmp_path / "index" / "data_level0.bin").write_bytes(b"before" + forms[kept] + b"after")
    assert in_files(tmp_path, ["qzbbbbbbbbbbzq"], [], encoder) == []
    (found,) = in_files(tmp_path, ["qzbbbbbbbbbbzq", secret], [], encoder)
    assert found.startswith("index/data_level0.bin: the ") or found == "index/data_level0.bin: a word"
    assert kept in found
    is_theirs = kept == "vector"  # the same numbers as a sentence of the living
    assert (in_files(tmp_path, [secret], [secret], encoder) == []) == is_theirs


def test_the_vector_of_a_question_that_anybody_asks_tells_nothing(tmp_path: Path) -> None:
    # A hashing encoder gives it to a sentence with this word, too.
    secret, question, encoder = "qzwmhspgwyuwzq", "What is my sister called?", HashingEncoder(DIM)
    same, asked = encoder.encode([f"My sister is called {secret}.", question])
    assert same.tobytes() == asked.tobytes()
    (tmp_path / "memory.db").write_bytes(asked.tobytes())
    assert in_files(tmp_path, [secret], [], encoder) == []


def test_the_vector_of_what_is_learnt_of_the_living_tells_nothing(tmp_path: Path) -> None:
    dead, living, encoder = "qzxajuyaumatzq", "qzdhsmpgpgarzq", HashingEncoder(DIM)
    sentence, target = encoder.encode([f"When travelling I prefer {dead} trains.", f"{living} trains"])
    assert sentence.tobytes() == target.tobytes()
    (tmp_path / "memory.db").write_bytes(target.tobytes())
    assert in_files(tmp_path, [dead], [living], encoder) == []
    assert in_files(tmp_path, [dead], [], encoder) == ["memory.db: the vector of a sentence"]


def test_the_command_tells_and_writes_what_it_saw(tmp_path: Path) -> None:
    out = tmp_path / "seen.json"
    options = ["--operations", "20", "--users", "3", "--threads", "1", "--out", str(out)]
    done = CliRunner().invoke(eval_app, ["isolation", *options])
    assert done.exit_code == 0, done.output
    assert "20 operations of" in done.output
    seen = json.loads(out.read_text(encoding="utf-8"))
    assert sum(seen["done"].values()) == 20
    assert (seen["n_leaks"], seen["errors"], seen["remains"]) == (0, [], [])


def test_no_way_in_or_out_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # An operation that is new must be put into `reads.py` or `writes.py`.
    called, asked = set[str](), set[tuple[str, str]]()
    methods = {name for name in dir(Agent) if not name.startswith("_") and callable(getattr(Agent, name))}
    methods -= {"open", "close", "settle", "usage", "when_forgotten"}  # of no user
    for name in methods:
        monkeypatch.setattr(Agent, name, _noted(getattr(Agent, name), partial(called.add, name)))
    http = Doors.http

    def noted_http(self: Doors, person: Person, method: str, path: str, **named: Any) -> str:
        asked.add((method, path.partition("?")[0]))
        return http(self, person, method, path, **named)

    monkeypatch.setattr(Doors, "http", noted_http)
    store = open_store(str(tmp_path / "data"), HashingEncoder(DIM), exact_limit=20)
    chance = Random(3)
    crowd = people(2, chance)
    with (
        Agent(store=store, generator=ExtractiveChat(encoder=store.encoder)) as agent,
        opened(agent, crowd, tmp_path) as doors,
    ):
        paths = create_app(agent).openapi()["paths"]
        # The walk itself deletes users, as they get another secret.
        ways = {(method.upper(), path) for path in paths if path.startswith("/v1") for method in paths[path]}
        ways.remove(("DELETE", "/v1/memory"))
        left = {"everything"}
        for turn in range(40):
            for name, operation in {**READS, **WRITES}.items():
                if turn < 3 or name.startswith("HTTP") or name in ("chat", "records"):
                    for one in crowd:
                        assert set(secrets_in(operation(doors, one, chance))) <= {one.secret}
            left = {str(way) for way in ways if not any(_is(way, one) for one in asked)} | methods - called
            if not left:
                break
    assert left == set()


def _is(way: tuple[str, str], asked: tuple[str, str]) -> bool:
    pattern = re.sub(r"\{[^}]+\}", "[^/]+", way[1])
    return way[0] == asked[0] and re.fullmatch(pattern, asked[1]) is not None


def _noted(own: Callable[..., Any], note: Callable[[], None]) -> Callable[..., Any]:
    def call(*arguments: Any, **named: Any) -> Any:
        note()
        return own(*arguments, **named)

    return call


def test_every_sentence_of_a_person_carries_their_secret_and_no_other() -> None:
    chance = Random(0)
    crowd = people(50, chance)
    assert len({one.id for one in crowd}) == len({one.secret for one in crowd}) == 50 > len(IDS)
    for one in crowd:
        assert set(secrets_in([one.say(chance).upper() for _ in range(20)])) == {one.secret}
        assert list(secrets_in([one.ask(chance)])) == []
