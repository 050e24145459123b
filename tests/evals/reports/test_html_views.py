"""What is drawn of each command's report, whatever its shape."""

from __future__ import annotations

from typing import Any

import pytest

from habitus.evals.reports.html import page
from habitus.evals.reports.html_views import (
    bars_by_group,
    curves_by_k,
    curves_by_round,
    notes_of,
    tables_of,
    views_of,
)


def estimate(mean: float, n: int = 4) -> dict[str, float]:
    return {"n": n, "mean": mean, "low": max(mean - 0.1, 0.0), "high": min(mean + 0.1, 1.0)}


def groups(metric: str, **means: float) -> dict[str, Any]:
    return {name: {metric: estimate(mean)} for name, mean in means.items()}


LIFELONG = {
    "benchmark": "lifelong",
    "familiar": {"all": groups("passed", overall=0.5, update=0.25)},
    "questions": {"finished": 2},
}
LOCOMO = {
    "benchmark": "locomo",
    "recall": {
        "agent": {"overall": {"turn_recall@5": estimate(0.6), "turn_recall@10": estimate(0.7)}},
        "turn cosine": {"overall": {"turn_recall@5": estimate(0.4), "turn_recall@10": estimate(0.5)}},
    },
}
PREFEVAL = {
    "benchmark": "prefeval",
    "rows": {
        "explicit": {
            "title": "stated",
            "notes": "an upper bound",
            "groups": groups("recall", overall=0.9, pets=1.0),
        }
    },
    "skipped": {"filler": "it needs --distractors"},
}
ANSWERS = {
    "answers": {
        "overall": {
            "n": 9,
            "declined": 0.1,
            "n_short": 6,
            "contained": 0.5,
            "mean_words": 20.0,
            "max_words": 99,
        },
        "abstention": {
            "n": 3,
            "declined": 0.7,
            "n_short": 0,
            "contained": None,
            "mean_words": 9.0,
            "max_words": 9,
        },
    }
}
SESSION = {
    "summary": {
        "n_questions": 7,
        "every_evidence_turn": 0.98,
        "by_place": {"window": {"n": 0, "share": None}, "store": {"n": 12, "share": 0.9}},
    }
}
FEEDBACK = {"arms": {"edits": {"ratio": [1.0, 0.4]}, "mixed": {"ratio": [1.0, 0.5]}}, "settings": {"seed": 0}}


@pytest.mark.parametrize(
    ("report", "title", "drawn"),
    [
        (LIFELONG, "familiar, all: passed", [("overall", 0.5), ("update", 0.25)]),
        (PREFEVAL, "stated: recall", [("overall", 0.9), ("pets", 1.0)]),
        (SESSION, "evidence in the prompt: share", [("overall", 0.98), ("stood in the store", 0.9)]),
        (
            LOCOMO,
            "Over everything",
            [("recall, agent: turn recall@10", 0.7), ("recall, turn cosine: turn recall@10", 0.5)],
        ),
        (ANSWERS, "Over everything", [("answers: contained", 0.5)]),
    ],
)
def test_shares_are_drawn_by_group(
    report: dict[str, Any], title: str, drawn: list[tuple[str, float]]
) -> None:
    charts = dict(bars_by_group(views_of(report)))
    assert [(bar.label, bar.mean) for bar in charts[title]] == drawn


def test_a_share_of_short_answers_has_their_n() -> None:
    (chart,) = dict(bars_by_group(views_of(ANSWERS))).values()
    assert chart[0].n == 6


def test_what_is_no_share_is_not_drawn_but_listed() -> None:
    views = views_of({"reply": {"all": groups("absolute_error", overall=2.0, toys=3.0)}})
    assert list(bars_by_group(views)) == []
    assert "absolute_error" in page({"reply": {"all": groups("absolute_error", overall=2.0, toys=3.0)}})


def test_recall_at_several_ranks_is_a_curve_a_system() -> None:
    assert dict(curves_by_k(views_of(LOCOMO))) == {
        "turn recall at k": {"agent": {5: 0.6, 10: 0.7}, "turn cosine": {5: 0.4, 10: 0.5}}
    }


def test_the_cost_of_each_round_is_a_curve_an_arm() -> None:
    ((title, series),) = curves_by_round(FEEDBACK)
    assert title.endswith("edits, mixed")
    assert series == {"edits": {1: 1.0, 2: 0.4}, "mixed": {1: 1.0, 2: 0.5}}


def test_latency_and_every_count_of_tokens_are_tables() -> None:
    found = {"p50": 1.0, "max": 2.0}
    report = {"latency_ms": {"recall": found}, "context_tokens": found, "prompt_tokens": found}
    titles = {title: list(rows) for title, rows, _ in tables_of(report)}
    assert titles == {"Milliseconds": ["recall"], "Tokens": ["context tokens", "prompt tokens"]}


def test_what_was_left_out_is_said() -> None:
    assert notes_of(PREFEVAL) == ["stated: an upper bound", "filler was not measured: it needs --distractors"]


@pytest.mark.parametrize("report", [LIFELONG, LOCOMO, PREFEVAL, ANSWERS, SESSION, FEEDBACK])
def test_every_report_makes_a_page(report: dict[str, Any]) -> None:
    html = page(report)
    assert html.count("<h2>") >= 1
    assert "<script" not in html
