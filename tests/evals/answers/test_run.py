"""`habitus eval answers` from a file to its tables."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from habitus.evals.answers.run import print_answers, run_answers
from habitus.evals.reports.scored_runs import read_run
from habitus.evals.running import UsageError
from habitus.retrievers.minilm import minilm


def test_replies_are_written_line_by_line_and_summed_up(
    record: Callable[..., Any], write: Callable[..., Path], tmp_path: Path
) -> None:
    path = write([record(question_id=f"q{n}") for n in range(2)])

    report = run_answers(path, tmp_path / "out", minilm, limit=None, refit=False)
    assert report is not None

    lines = [json.loads(line) for line in (tmp_path / "out" / "run.jsonl").read_text().splitlines()]
    assert [line["question_id"] for line in lines] == ["q0", "q1"]
    assert all("green tea" in line["reply"] for line in lines)
    scores = read_run(tmp_path / "out").scores
    assert scores["q1"].views["reply.short_answers"] == {"containment": 1.0, "numbers_alike": 1.0}
    assert scores["q1"].views["reply.all"]["declined"] == 0.0
    assert report["answers"]["overall"]["n"] == 2
    console = Console(record=True, width=120)
    print_answers(json.loads((tmp_path / "out" / "answers.json").read_text()), console)
    assert "single-session-user" in console.export_text()


def test_a_limit_below_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--limit"):
        run_answers(tmp_path / "x.json", tmp_path / "out", minilm, limit=0, refit=False)
