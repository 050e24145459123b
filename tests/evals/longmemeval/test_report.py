"""From scores to a report: means by group, all n, and tables that can be read."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from habitus.evals.harness.records import Failed
from habitus.evals.longmemeval.report import build_report, print_report
from habitus.evals.longmemeval.retrieval import Outcome
from habitus.evals.longmemeval.scoring import NDCG_KS, RECALL_KS, Score
from habitus.evals.reports.runlog import Manifest
from habitus.evals.reports.tables import aggregate, write_report

MANIFEST = Manifest(
    benchmark="longmemeval",
    started_at=datetime(2024, 1, 1, tzinfo=UTC),
    data_file="data.json",
    data_sha256="0",
    settings={"context_tokens": 2000, "with_replies": True},
    encoder="none",
    git_revision=None,
    versions={},
)


def ranking(value: float) -> dict[str, float]:
    names = [f"{kind}@{k}" for kind in ("recall_any", "recall_all") for k in RECALL_KS]
    return dict.fromkeys([*names, *(f"ndcg@{k}" for k in NDCG_KS), "r@1", "mrr"], value)


def make_score(question_id: str, question_type: str, value: float, **views: dict[str, float]) -> Score:
    found: dict[str, dict[str, float]] = {"session.all": ranking(value)}
    if "_abs" not in question_id:
        found["session.answerable"] = ranking(value)
        found["turn.answerable"] = ranking(value)
        found["context.answerable"] = {"all_evidence_in_context": value, "all_evidence_uncut": 0.0}
        found["context.short_answers"] = {
            "answer_in_context": value,
            "answer_in_packed_evidence": value,
            "answer_in_evidence": 1.0,
        }
    return Score(
        question_id=question_id,
        question_type=question_type,
        routes=("extraction",),
        context_tokens=10,
        latency_ms={"recall": 2.0 + value},
        views={**found, **views},
    )


OUTCOME = Outcome(
    scores=[
        make_score("q1", "multi-session", 1.0, **{"reply.short_answers": {"containment": 1.0}}),
        make_score("q2", "multi-session", 0.0, **{"reply.short_answers": {"containment": 0.0}}),
        make_score("q3", "temporal-reasoning", 1.0),
        make_score("q4_abs", "temporal-reasoning", 1.0),
    ],
    failures=[
        Failed(question_id="q5", question_type="multi-session", error="OSError: full", traceback="...")
    ],
)


def printed(report: dict[str, Any], width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width)
    print_report(report, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_means_are_over_the_questions_of_a_view_and_group() -> None:
    found = aggregate(OUTCOME.scores)
    assert found["session.all"]["overall"]["r@1"].n == 4
    assert found["session.all"]["overall"]["r@1"].mean == pytest.approx(0.75)
    assert found["session.answerable"]["overall"]["mrr"].n == 3
    assert found["session.answerable"]["overall"]["mrr"].mean == pytest.approx(2 / 3)
    assert found["session.all"]["multi-session"]["recall_all@5"].mean == 0.5
    assert found["session.answerable"]["temporal-reasoning"]["ndcg@5"].n == 1


def test_overall_comes_before_the_types() -> None:
    assert list(aggregate(OUTCOME.scores)["session.all"]) == [
        "overall",
        "multi-session",
        "temporal-reasoning",
    ]


def test_intervals_hold_the_mean() -> None:
    estimate = aggregate(OUTCOME.scores)["session.all"]["overall"]["r@1"]
    assert 0.0 <= estimate.low <= estimate.mean <= estimate.high <= 1.0


def test_the_report_counts_every_question_and_names_the_failed() -> None:
    report = build_report(OUTCOME, MANIFEST)
    assert report["questions"] == {"selected": 5, "finished": 4, "failed": 1, "abstentions": 1}
    assert report["failures"] == [
        {"question_id": "q5", "question_type": "multi-session", "error": "OSError: full"}
    ]
    assert report["session"]["all"]["overall"]["recall_any@5"]["n"] == 4
    assert report["context"]["answerable"]["overall"]["all_evidence_in_context"]["n"] == 3
    assert report["reply"]["short_answers"]["overall"]["containment"]["mean"] == 0.5
    assert report["latency_ms"]["recall"]["max"] == 3.0
    assert report["routes"] == {"extraction": 4}
    assert report["manifest"]["encoder"] == "none"


def test_the_same_scores_give_the_same_report() -> None:
    assert build_report(OUTCOME, MANIFEST) == build_report(OUTCOME, MANIFEST)


def test_the_report_is_written_as_json(tmp_path: Path) -> None:
    report = build_report(OUTCOME, MANIFEST)
    path = write_report(tmp_path, report)
    assert path == tmp_path / "report.json"
    assert json.loads(path.read_text()) == report
    assert [found.name for found in tmp_path.iterdir()] == ["report.json"]


def test_the_tables_show_each_convention_with_its_n() -> None:
    text = printed(build_report(OUTCOME, MANIFEST), width=120)
    rows = [" ".join(line.split()) for line in text.splitlines()]
    assert any(row.startswith("sessions, all questions 4 .750") for row in rows)
    assert any(row.startswith("sessions, without abstentions 3 .667") for row in rows)
    assert "packed context (2000 tokens)" in text
    words = " ".join(text.split())
    assert "stand in the packed context: .667, in what is packed of the evidence: .667," in words
    assert "in the evidence itself: 1.00, n=3" in words
    assert "in none of these figures: 1" in text
    assert "not judged accuracy" in text


def test_counting_questions_are_told_at_every_budget() -> None:
    views = {
        "context.counting": {"all_evidence_in_context": 1.0, "all_evidence_uncut": 0.0},
        "context@4000.counting": {"all_evidence_in_context": 0.0, "all_evidence_uncut": 0.0},
    }
    scores = [make_score("q1", "multi-session", 1.0, **views), make_score("q2", "multi-session", 1.0)]
    words = " ".join(printed(build_report(Outcome(scores=scores), MANIFEST), width=120).split())
    assert "2,000 tokens 1.00 (1.00-1.00), n=1; 4,000 tokens .000 (.000-.000), n=1" in words


def test_the_tables_fit_a_narrow_terminal() -> None:
    longest = [make_score("q9", "single-session-assistant", 0.5)]
    text = printed(build_report(Outcome(scores=longest * 300), MANIFEST), width=80)
    assert "single-session-" in text
    assert "\nassistant" in text
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text


def test_a_run_in_which_everything_failed_has_a_report() -> None:
    report = build_report(Outcome(failures=OUTCOME.failures), MANIFEST)
    assert report["questions"]["finished"] == 0
    assert "session" not in report
    assert "in none of these figures: 1" in printed(report)


def test_the_commonest_errors_are_shown_as_they_are() -> None:
    failures = [
        Failed(question_id=f"q{n}", question_type="x", error=f"KeyError: [bold]{n % 2}", traceback="")
        for n in range(5)
    ]
    text = printed(build_report(Outcome(failures=failures), MANIFEST))
    assert "3 x KeyError: [bold]0\n2 x KeyError: [bold]1" in "\n".join(
        line.rstrip() for line in text.splitlines()
    )
