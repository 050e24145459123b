"""Fitting which sentence answers, and whether one does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from habitus.evals.answers.run import run_answers
from habitus.retrievers.minilm import minilm

DRINKS = ("green tea", "black coffee", "cold milk", "apple juice", "white wine", "hot cocoa")


def _records(record: Callable[..., Any]) -> list[Any]:
    made = []
    for number, drink in enumerate(DRINKS):
        one = record(question_id=f"q{number}", answer=drink)
        one["haystack_sessions"][1][2]["content"] = f"Ann does drink {drink}"
        made.append(one)
    return made


def test_a_refit_replies_to_every_question_with_weights_fitted_on_others(
    record: Callable[..., Any], write: Callable[..., Path], tmp_path: Path
) -> None:
    records = _records(record)
    records.append(record(question_id="q_abs", question="Which wine does Bob buy?", answer="not told"))

    report = run_answers(write(records), tmp_path / "out", minilm, limit=None, refit=True)
    assert report is not None

    assert report["out_of_fold"]["overall"]["n"] == len(DRINKS)
    assert report["out_of_fold"]["abstention"]["n"] == 1
    assert len(report["calibration"]["weights"]) == 6 and len(report["calibration"]["enough"]) == 4
    assert report["changed_declined"]["without evidence"]["n"] == len(DRINKS)


def test_questions_without_an_answer_take_no_part_in_the_fit(
    record: Callable[..., Any], write: Callable[..., Path], tmp_path: Path
) -> None:
    records = _records(record)
    unanswerable = record(question_id="z_abs", question="Which wine does Bob buy?", answer="not told")

    alone = run_answers(write(records, "a.json"), tmp_path / "a", minilm, limit=None, refit=True)
    assert alone is not None
    beside = run_answers(
        write([*records, unanswerable], "b.json"), tmp_path / "b", minilm, limit=None, refit=True
    )
    assert beside is not None

    assert alone["calibration"]["weights"] == beside["calibration"]["weights"]
