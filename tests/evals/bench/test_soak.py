"""A soak counts what it does, and tells what must not be."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from habitus.agent import Agent, ExtractiveChat
from habitus.evals.bench import soak, soak_users
from habitus.evals.bench.memories import START
from habitus.evals.bench.soak import Plan, Sample, compared, n_handles, percentiles, run, write
from habitus.evals.bench.soak_users import KINDS, Users
from habitus.evals.running import UsageError
from habitus.retrievers.encoder import HashingEncoder

SMALL = Plan(seconds=2.0, warm_up_seconds=0.5, users=6, threads=2, history=4, every=0.2)


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Agent]:
    encoder = HashingEncoder(64)
    with Agent.open(tmp_path / "data", encoder=encoder, generator=ExtractiveChat(encoder=encoder)) as agent:
        yield agent


def sample(at: float, mb: float = 100.0, handles: int = 10) -> Sample:
    return Sample(at=at, n=0, resident_mb=mb, handles=handles, threads=1, load=0.0)


def test_a_short_soak_breaks_nothing_but_perhaps_the_bound_on_memory(agent: Agent, tmp_path: Path) -> None:
    report = run(agent, SMALL, tmp_path / soak.SAMPLES_FILE)
    # Of a process that has just begun nothing can be said about growth.
    assert [one for one in report["broken"] if "memory grew" not in one] == []
    assert report["operations"] == sum(times["n"] for times in report["ms"].values()) > 0
    assert report["ms"]["turn"]["p50"] <= report["ms"]["turn"]["p99"]
    lines = [json.loads(line) for line in (tmp_path / soak.SAMPLES_FILE).read_text().splitlines()]
    assert lines[0]["at"] < 0 < lines[-1]["at"]
    assert lines[-1]["n"] == report["operations"]
    assert all(line["resident_mb"] > 0 and line["handles"] > 0 for line in lines)
    assert write(report, tmp_path / soak.SAMPLES_FILE, tmp_path).read_bytes().startswith(b"\x89PNG")
    assert json.loads((tmp_path / "soak.json").read_text()) == report


def test_a_store_that_is_not_empty_is_left_alone(agent: Agent, tmp_path: Path) -> None:
    agent.chat("user0", "I hate loud places.")
    before = agent.export("user0")
    with pytest.raises(UsageError, match="give an empty database"):
        run(agent, SMALL, tmp_path / soak.SAMPLES_FILE)
    assert agent.export("user0") == before


def test_every_kind_is_done_and_counted(agent: Agent) -> None:
    users = Users(agent, ["maya", "noor"], 0, seed=3)
    for _ in range(200):
        users.act()
    assert dict(users.tally.errors) == {}
    assert {kind for kind in KINDS if users.tally.ms[kind]} >= set(KINDS) - {"delete_user", "export"}
    assert {name: len(agent.memories(name)) for name in users.stored} == users.stored


def test_nothing_is_asked_for_that_a_user_without_memory_does_not_have(
    agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = Users(agent, ["maya"], 0, seed=0)
    users.talk()
    monkeypatch.setattr(soak_users, "KINDS", {"export": 1.0, "delete_user": 1.0})
    for _ in range(30):
        users.act()
    assert len(users.tally.ms["delete_user"]) == 1
    assert dict(users.tally.errors) == {}


def test_what_fails_is_counted_and_the_soak_goes_on(agent: Agent) -> None:
    users = Users(agent, ["maya"], 0, seed=0)
    agent.close()
    for _ in range(20):
        users.act()
    assert sum(users.tally.errors.values()) > 5
    assert any("turn: ClosedError" in error for error in users.tally.errors)


def test_a_store_that_lost_a_message_is_told(agent: Agent, tmp_path: Path) -> None:
    def forgetful(self: Users, user: str, at: object) -> bool:
        turns = agent.memories(user)
        agent.forget(user, turn_ids=[turns[0].id] if turns else [])
        return True

    class Forgetful(Users):
        _turn = forgetful

    users = [Forgetful(agent, ["maya"], 0, seed=0)]
    agent.chat("maya", "I like figs.")
    users[0].stored["maya"] = 2
    for _ in range(5):
        users[0]._turn("maya", START)
    report = soak._report(agent, SMALL, users, [sample(0.0), sample(1.0)])
    assert any(
        "2 messages were acknowledged and not forgotten, 0 are stored" in one for one in report["broken"]
    )


@pytest.mark.parametrize(
    ("last", "broken"),
    [
        (sample(9.0, mb=104.0), []),
        (sample(9.0, mb=106.0), ["memory grew by 6.0%, at most 5% are allowed"]),
        (sample(9.0, handles=40), ["open files rose from 10 to 40"]),
    ],
)
def test_growth_after_the_warm_up_is_told(agent: Agent, last: Sample, broken: list[str]) -> None:
    samples = [sample(-5.0, mb=50.0), *(sample(float(at)) for at in range(9)), last]
    report = soak._report(agent, SMALL, [Users(agent, ["maya"], 0, seed=0)], samples)
    assert report["broken"] == broken


def test_beginning_and_end_are_medians_after_the_warm_up() -> None:
    warm = [sample(float(at), mb=float(at)) for at in range(20)]
    before, after = compared([sample(-1.0, mb=900.0), *warm])
    assert (before.resident_mb, after.resident_mb) == (0.5, 18.5)


def test_an_open_file_is_a_handle(tmp_path: Path) -> None:
    before = n_handles()
    with (tmp_path / "file").open("w"):
        assert n_handles() == before + 1


def test_nothing_has_no_percentiles() -> None:
    assert percentiles([]) == {"n": 0}
    assert percentiles([1.0, 2.0, 3.0]) == {"n": 3, "p50": 2.0, "p95": 2.9, "p99": 3.0}


@pytest.mark.parametrize(("name", "value"), [("seconds", 0), ("users", -1), ("warm_up_seconds", -1)])
def test_a_plan_that_makes_no_sense_is_refused(name: str, value: float) -> None:
    changes: dict[str, Any] = {name: value}
    with pytest.raises(ValueError, match=f"{name} must be"):
        replace(SMALL, **changes)


def test_the_exit_code_tells(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made: Callable[..., Agent] = Agent.open
    encoder = HashingEncoder(64)

    def opened(folder: str) -> Agent:
        return made(folder, encoder=encoder, generator=ExtractiveChat(encoder=encoder))

    monkeypatch.setattr(Agent, "open", opened)
    app = typer.Typer()
    app.command()(soak.soak)
    small = ["--minutes", "0.02", "--warm-up", "0", "--users", "2", "--history", "0", "--out", str(tmp_path)]
    found = CliRunner().invoke(app, small)
    report = json.loads((tmp_path / "soak.json").read_text())
    assert found.exit_code == (1 if report["broken"] else 0)
