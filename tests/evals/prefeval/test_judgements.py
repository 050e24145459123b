"""Verdicts by hand, and the figures that rest on them."""

from __future__ import annotations

from datetime import UTC, datetime

from habitus.evals.longmemeval.files import HaystackSession, HaystackTurn
from habitus.evals.prefeval.extraction import filler_row
from habitus.evals.prefeval.judgements import filler_verdicts
from habitus.evals.prefeval.scores import means


def session(*texts: str) -> HaystackSession:
    turns = tuple(HaystackTurn(role="user", text=text, has_answer=False) for text in texts)
    return HaystackSession(id="s", at=datetime(2025, 3, 1, tzinfo=UTC), turns=turns)


def test_every_line_is_a_verdict_on_a_quotation() -> None:
    verdicts = filler_verdicts()

    assert len(verdicts) >= 200
    assert set(verdicts.values()) == {"right", "wrong"}
    assert all(span for _, span in verdicts)


def test_what_was_never_judged_counts_as_false_and_is_named() -> None:
    spans = (span for (_, span), verdict in filler_verdicts().items() if verdict == "right")
    judged = next(span for span in spans if span.startswith("I love") and span.endswith("!"))

    row = filler_row([session(judged, "I hate clockwork oranges.", "What time is it?")])

    assert means(row)["precision"] == 0.5
    assert round(means(row)["false_per_1000"]) == 333
    assert row.excluded["unjudged preferences (taken as false)"] == 1
    assert row.listed[1][0] == "unjudged"
