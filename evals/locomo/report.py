"""From the scores of a LoCoMo run to `report.json` and its tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from habitus.evals.harness.judged import Verdicts, print_judge
from habitus.evals.harness.records import Score
from habitus.evals.harness.runner import Outcome
from habitus.evals.locomo.files import CATEGORIES, LocomoConversation
from habitus.evals.locomo.solving import AGENT, BASELINE, KS
from habitus.evals.longmemeval.answers import usage_report
from habitus.evals.reports.tables import OVERALL, aggregate, metrics_table
from habitus.memory.usage import Price

if TYPE_CHECKING:
    from rich.console import Console

_ANSWERS = {"answer": {"f1": "F1", "bleu1": "BLEU-1"}, "judged.all": {"accuracy": "judged\nright"}}
"""Heading by metric, by view."""


def build_report(
    outcome: Outcome[Score],
    conversations: Sequence[LocomoConversation],
    price: Price | None,
    verdicts: Verdicts | None,
) -> dict[str, Any]:
    """Return the content of `report.json`: by view and category, means with 95 % intervals."""
    questions = [asked for one in conversations for asked in one.questions]
    views = {view: _in_order(groups) for view, groups in aggregate(outcome.scores).items()}
    report: dict[str, Any] = {
        "benchmark": "locomo",
        "questions": {
            "scored": len(outcome.scores),
            "failed": len(outcome.failures),
            "without_evidence": sum(not asked.evidence for asked in questions),
            "unknown_evidence_ids": sum(asked.n_unknown for asked in questions),
        },
        "failures": [one.model_dump(exclude={"traceback"}, exclude_none=True) for one in outcome.failures],
        "recall": {
            system: views[f"recall.{system}"] for system in (AGENT, BASELINE) if f"recall.{system}" in views
        },
        "answers": {view: groups for view, groups in views.items() if not view.startswith("recall.")},
        "seconds": round(outcome.seconds, 3),
    }
    if outcome.usage.n_calls:
        report["usage"] = usage_report(outcome.usage, price)
    if verdicts is not None:
        report["judge"] = verdicts.report()
    return report


def _in_order(groups: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    return {
        name: {metric: asdict(estimate) for metric, estimate in groups[name].items()}
        for name in (OVERALL, *CATEGORIES.values())
        if name in groups
    }


def print_locomo(report: Mapping[str, Any], console: Console) -> None:
    """Print recall by category, the agent above the baseline, and what replies came to."""
    if report["recall"]:
        columns = {f"{level}_recall@{k}": f"{level}s\n@{k}" for level in ("turn", "session") for k in KS}
        rows = [
            (f"{group}: {system}", _n(groups[group]), _means(groups[group]))
            for group in report["recall"][AGENT]
            for system, groups in report["recall"].items()
        ]
        console.print(metrics_table("LoCoMo: share of the evidence among the first k", rows, columns), "")
    answers = report["answers"]
    for view, columns in _ANSWERS.items():
        if view in answers:
            rows = [(group, _n(row), _means(row)) for group, row in answers[view].items()]
            console.print(metrics_table("LoCoMo: replies", rows, columns), "")
    if "adversarial" in answers:
        row = _means(answers["adversarial"][OVERALL])
        console.print(
            f"Adversarial questions declined: {row['declined']:.3f}, in the official phrases: "
            f"{row['official']:.3f}, n={_n(answers['adversarial'][OVERALL])}"
        )
    for line in _told(report):
        console.print(line, markup=False, highlight=False)
    if judge := report.get("judge"):
        print_judge(judge, console)


def _told(report: Mapping[str, Any]) -> Iterable[str]:
    if usage := report.get("usage"):
        cost = "" if usage["cost"] is None else f", {usage['cost']:.4f} USD"
        yield (
            f"Model under test: {usage['n_calls']} calls, {usage['input_tokens']:,} tokens read, "
            f"{usage['output_tokens']:,} written{cost}"
        )
    if n_failed := report["questions"]["failed"]:
        yield f"Failed questions, in none of these figures: {n_failed}; {report['failures'][0]['error']}"


def _n(row: Mapping[str, Mapping[str, int]]) -> int:
    return next(iter(row.values()))["n"]


def _means(row: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    return {metric: found["mean"] for metric, found in row.items()}
