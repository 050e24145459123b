"""The speed benchmark of the server: that it measures what it says, at sizes that take no time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("uvicorn", reason="the extra `serve` is not installed")

from habitus.agent.server.app import create_app
from habitus.evals.bench.load import _stream
from habitus.evals.bench.paced import PacedChat
from habitus.evals.bench.serving import Plan, _served, run, show
from habitus.retrievers.encoder import HashingEncoder

SMALL = Plan(n_turns=12, n_streams=8, seconds=1.0, pieces=3, pause_ms=1.0)


def test_every_turn_and_stream_is_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = run(SMALL, HashingEncoder(), tmp_path)
    assert report.direct["n"] == report.over_http["n"] == report.overhead["n"] == 12
    assert 0 < report.overhead["p50"] < report.over_http["p50"]
    assert report.errors == {}
    assert report.n_done == report.first_crowded["n"] >= SMALL.n_streams
    assert report.first_bare["n"] >= SMALL.n_streams
    assert report.cpu_ms["ours"] > report.cpu_ms["bare"] > 0
    assert 0 < report.first_crowded["p50"] < report.waited_crowded["p50"] < 60_000
    assert report.resident_mb["most"] >= report.resident_mb["end"] > 0
    show(report)
    assert "overhead" in capsys.readouterr().out


async def test_a_stream_without_the_instant_of_its_first_piece_is_an_error(tmp_path: Path) -> None:
    from habitus.agent import Agent, ScriptedChat

    with (
        Agent.open(tmp_path, encoder=HashingEncoder(), generator=ScriptedChat(script=["Hello."])) as agent,
        _served(create_app(agent)) as port,
    ):
        with pytest.raises(RuntimeError, match="no first piece"):
            await _stream(port, "maya")
        with pytest.raises(RuntimeError, match="broke off"):
            await _stream(port, "\n")


def test_a_plan_without_work_is_refused() -> None:
    with pytest.raises(ValueError, match="seconds must be more than 0"):
        replace(SMALL, seconds=0)


def test_the_paced_model_says_the_same_whole_and_in_pieces() -> None:
    model = PacedChat(n_pieces=3, pause=0.0)
    whole = str(model.invoke("x").content).split()
    assert whole[1:] == ["word", "word"]
    assert float(whole[0]) > 0
    assert len([chunk for chunk in model.stream("x") if chunk.content]) == 3
