"""Learning from feedback, measured on simulated users."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from habitus.evals.cli import eval_app
from habitus.evals.feedback.log import CostLog
from habitus.evals.feedback.measuring import (
    FeedbackOptions,
    Measured,
    curves,
    manifest_of,
    measure,
    recovered,
)
from habitus.evals.feedback.plot import text_curve
from habitus.evals.feedback.style import default_style, read_style, write
from habitus.evals.feedback.texts import DOMAINS
from habitus.evals.feedback.users import simulated_users
from habitus.evals.reports.runlog import RunLogError
from habitus.evals.reports.scored_runs import read_run
from habitus.retrievers.encoder import HashingEncoder

REQUEST = DOMAINS[0].requests[0]


def test_the_same_seed_gives_the_same_users_and_the_taste_changes() -> None:
    first, again = (simulated_users(5, rounds=6, change_at=3, seed=1) for _ in range(2))
    assert first == again != simulated_users(5, rounds=6, change_at=3, seed=2)
    assert all(u.taste(3) == u.before != u.after == u.taste(4) for u in first)


def test_the_writer_does_what_it_is_told_and_nothing_else() -> None:
    assert read_style([], REQUEST) == default_style(REQUEST)
    told = [
        "Reply style: I do not want bullet points.",
        "Reply style: I want short replies (about 30 words).",
    ]
    text = write(REQUEST, read_style(told, REQUEST))
    assert "- " not in text
    assert 20 <= len(text.split()) <= 40


def test_edits_lower_the_cost_and_no_feedback_does_not(tmp_path: Path) -> None:
    options = FeedbackOptions(users=4, rounds=8, change_at=7, arms=("edits",), seed=3)
    encoder = HashingEncoder()
    log = CostLog(tmp_path / "out", manifest_of(options, encoder.fingerprint))
    measured = measure(options, encoder, tmp_path, log=log)
    [curve] = curves(measured, change_at=7)
    assert curve.ratio[0] == 1.0, "the first reply comes before any feedback"
    assert curve.ratio[4] <= 0.5
    assert curve.ratio[6] <= 0.25
    assert all(
        low <= ratio <= high for low, ratio, high in zip(curve.low, curve.ratio, curve.high, strict=True)
    )
    assert measured.costs["none"].mean() > 0.4
    lines = [json.loads(line) for line in (tmp_path / "out" / "run.jsonl").read_text().splitlines()]
    assert len(lines) == 8
    assert all(len(line["costs"]) == options.rounds for line in lines)


def test_an_interrupted_run_is_taken_up_where_it_was(tmp_path: Path) -> None:
    options = FeedbackOptions(users=2, rounds=3, change_at=2, arms=("edits",), seed=3)
    encoder = HashingEncoder()
    manifest = manifest_of(options, encoder.fingerprint)

    def interrupt(done: float, name: str) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        log = CostLog(tmp_path / "out", manifest)
        measure(options, encoder, tmp_path / "first", report=interrupt, log=log)
    run = tmp_path / "out" / "run.jsonl"
    run.write_text(run.read_text() + '{"arm": "edits", "us')  # cut off by a crash

    log = CostLog(tmp_path / "out", manifest_of(options, encoder.fingerprint))
    assert set(log.costs) == {("none", "user-0"), ("none", "user-1"), ("edits", "user-0")}
    resumed = measure(options, encoder, tmp_path / "second", log=log)
    at_once = measure(options, encoder, tmp_path / "whole")
    assert {arm: costs.tolist() for arm, costs in resumed.costs.items()} == {
        arm: costs.tolist() for arm, costs in at_once.costs.items()
    }
    assert len(run.read_text().splitlines()) == 4


def test_a_folder_of_other_settings_or_with_a_damaged_line_is_refused(tmp_path: Path) -> None:
    options = FeedbackOptions(users=2, rounds=3, change_at=2)
    CostLog(tmp_path, manifest_of(options, "an encoder")).append("none", "user-0", [0.5])
    CostLog(tmp_path, manifest_of(replace(options, arms=("edits",)), "an encoder"))
    with pytest.raises(RunLogError, match="settings.seed was 0, is 1"):
        CostLog(tmp_path, manifest_of(replace(options, seed=1), "an encoder"))
    (tmp_path / "run.jsonl").write_text('{"arm": "none"}\n')
    with pytest.raises(RunLogError, match="line 1 of .* is damaged"):
        CostLog(tmp_path, manifest_of(options, "an encoder"))


def test_the_command_writes_scores_report_and_curve(tmp_path: Path) -> None:
    arguments = ["feedback", "--users", "1", "--rounds", "2", "--change-at", "1", "--arm", "edits"]
    done = CliRunner().invoke(eval_app, [*arguments, "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["curve.png", "manifest.json", "report.json", "run.jsonl", "scores.jsonl"]
    (user,) = read_run(tmp_path).scores.values()
    assert set(user.views) == {"none", "edits"}
    assert set(user.views["edits"]) == {"cost", "cost@1", "cost@2"}
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["manifest"]["benchmark"] == "feedback"
    assert len(report["arms"]["edits"]["ratio"]) == 2
    refused = CliRunner().invoke(eval_app, [*arguments, "--out", str(tmp_path), "--seed", "7"])
    assert refused.exit_code == 2


def test_recovery_counts_the_rounds_after_the_change() -> None:
    assert recovered([1.0, 0.2, 1.0, 0.9, 0.2], 2) == 2
    assert recovered([1.0, 0.2, 1.0, 0.9, 0.8], 2) is None
    assert Measured().costs == {}


def test_the_curve_is_drawn_as_text() -> None:
    drawn = text_curve({"edits": [1.0, 0.5, 0.1]})
    assert "o edits" in drawn
    assert drawn.count("o") >= 4
