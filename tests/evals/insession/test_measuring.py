"""Recall within one long session: how the session is made, and that the figures are those of the prompt."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from habitus.agent.settings import Settings
from habitus.evals.bench.texts import made_up
from habitus.evals.insession.measuring import (
    Asked,
    ask_in_session,
    fitting,
    long_session,
    summary,
)
from habitus.evals.insession.run import SessionOptions, run_insession
from habitus.evals.longmemeval.files import DatasetError, HaystackSession, HaystackTurn, Sample
from habitus.evals.reports.scored_runs import read_run
from habitus.retrievers.encoder import HashingEncoder

AT = datetime(2024, 5, 1, tzinfo=UTC)
FACT = "My violin teacher is called Ines."


def talk(number: int, n_turns: int) -> HaystackSession:
    texts = made_up(n_turns, 12, seed=number)
    turns = (
        HaystackTurn(role="assistant" if place % 2 else "user", text=text, has_answer=False)
        for place, text in enumerate(texts)
    )
    return HaystackSession(id=f"filler{number}", at=AT - timedelta(days=number), turns=tuple(turns))


@pytest.fixture
def sample() -> Sample:
    """A question to which one of eleven sessions holds the answer."""
    told = (HaystackTurn(role="user", text=FACT, has_answer=True), *talk(99, 5).turns[1:])
    return Sample(
        id="q",
        type="single-session-user",
        question="What is my violin teacher called?",
        at=AT,
        answer="Ines",
        evidence_session_ids=frozenset({"answer"}),
        sessions=(HaystackSession(id="answer", at=AT, turns=told), *(talk(n, 7) for n in range(10))),
    )


def test_a_session_has_the_wanted_length_and_all_evidence_somewhere(sample: Sample) -> None:
    places = set()
    for seed in range(20):
        said = long_session(sample, 50, seed)
        assert said is not None and len(said) == 50
        (place,) = [place for place, turn in enumerate(said) if turn.has_answer]
        assert said[place : place + 5] == list(sample.sessions[0].turns)
        places.add(place)
        assert said == long_session(sample, 50, seed)
    assert len(places) > 3


def test_a_history_that_is_too_short_or_evidence_that_is_too_long_is_left_out(sample: Sample) -> None:
    assert long_session(sample, 75) is not None
    assert long_session(sample, 76) is None
    assert long_session(sample, 4) is None


@pytest.mark.parametrize(
    ("seed", "session_tokens", "place"),
    [(0, 16_000, "short-term memory"), (0, 120, "store")],
)
def test_evidence_is_looked_for_in_what_the_generator_is_shown(
    sample: Sample, tmp_path: Path, seed: int, session_tokens: int, place: str
) -> None:
    said = long_session(sample, 60, seed) or []
    front = sorted(said, key=lambda turn: not turn.has_answer)
    dials = Settings(window_tokens=60, session_tokens=session_tokens)
    asked = ask_in_session(sample, front, HashingEncoder(), tmp_path, dials)
    assert asked.found == ((place, True),)
    assert asked.n_turns == 60
    assert 0 < asked.window_tokens <= 60
    assert 0 < asked.context_tokens <= dials.context_tokens


def test_evidence_that_is_not_shown_counts_as_missing(sample: Sample, tmp_path: Path) -> None:
    said = sorted(long_session(sample, 60) or [], key=lambda turn: not turn.has_answer)
    asked = ask_in_session(
        sample, said, HashingEncoder(), tmp_path, Settings(window_tokens=60, context_tokens=0)
    )
    assert asked.found == (("short-term memory", False),)


def test_evidence_in_the_window_counts(sample: Sample, tmp_path: Path) -> None:
    said = sorted(long_session(sample, 60) or [], key=lambda turn: turn.has_answer)
    asked = ask_in_session(sample, said, HashingEncoder(), tmp_path, Settings(window_tokens=60))
    assert asked.found == (("window", True),)


def test_shares_are_by_turn_and_by_question(sample: Sample) -> None:
    one = Asked(
        question_id="a",
        question_type="t",
        found=(("store", True), ("store", False), ("window", True)),
        n_turns=9,
        window_tokens=5,
        context_tokens=7,
    )
    found = summary([one, one.model_copy(update={"found": (("store", True),), "window_tokens": 6})])
    assert found["every_evidence_turn"] == 0.5
    assert found["by_place"]["store"] == {"n": 3, "share": 2 / 3}
    assert found["by_place"]["short-term memory"] == {"n": 0, "share": None}
    assert (found["max_window_tokens"], found["max_context_tokens"]) == (6, 7)


def test_questions_without_an_answer_or_enough_history_are_not_asked(sample: Sample) -> None:
    short = replace(sample, id="r", sessions=sample.sessions[:2])
    assert fitting([replace(sample, id="q_abs"), sample, short], 60, 0) == ([sample], 1)


def test_a_run_is_written_compared_and_taken_up(
    record: Any, write: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write([record(), record(question_id="q2")])
    options = SessionOptions(data=data, out=tmp_path / "out", settings=Settings(), n_turns=5)
    for _ in range(2):
        assert run_insession(options, HashingEncoder) == 0
    report = json.loads((tmp_path / "out" / "session.json").read_text())
    assert report["summary"]["n_questions"] == 2
    assert "every turn of the evidence in the prompt: 1.000 of 2 questions" in " ".join(
        capsys.readouterr().out.split()
    )
    assert len((tmp_path / "out" / "run.jsonl").read_text().splitlines()) == 2
    views = read_run(tmp_path / "out").scores["q2"].views
    assert views == {"session": {"evidence_in_prompt": 1.0, "every_evidence_turn": 1.0}}


def test_turns_that_no_history_has_are_told(record: Any, write: Any, tmp_path: Path) -> None:
    options = SessionOptions(data=write([record()]), out=tmp_path, settings=Settings(), n_turns=300)
    with pytest.raises(DatasetError, match="give fewer --turns"):
        run_insession(options, HashingEncoder)
