"""What of a report can be drawn, whichever command wrote it: estimates by view, group and metric, and curves.

A report holds estimates as `report[level][convention][group][metric]`; PrefEval's as rows; those of `answers`
and `session` are plain figures, shown without intervals; that of `feedback` holds curves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from habitus.evals.reports.charts import Bar

OVERALL = "overall"
Groups = Mapping[str, Mapping[str, Mapping[str, float]]]
"""Estimates by group and metric."""
PREFERRED = (
    "passed",
    "accuracy",
    "recall_all@5",
    "recall@10",
    "turn_recall@10",
    "all_evidence_in_context",
    "contained",
    "containment",
    "top_3",
    "current_truth",
    "recall",
    "R@1",
    "rougeL",
    "every_evidence_turn",
)
"""The metric of a view that is drawn and that tells which samples went worst, the first that it has."""
_AT_K = re.compile(r"(.+)@(\d+)")
_MAX_CURVES = 4


def views_of(report: Mapping[str, Any]) -> dict[str, Groups]:
    """Return every estimate of a report, by the name of its view."""
    if "rows" in report:
        return {row["title"]: row["groups"] for row in report["rows"].values()}
    if "summary" in report:
        return {"evidence in the prompt": _session(report["summary"])}
    found: dict[str, Groups] = {}
    for level, conventions in report.items():
        if isinstance(conventions, Mapping):
            for convention, groups in conventions.items():
                if isinstance(groups, Mapping) and _is_estimates(groups.get(OVERALL)):
                    found[f"{level}.{convention}"] = groups
            if _is_figures(conventions.get(OVERALL)):
                found[level] = {group: _figures(one) for group, one in conventions.items()}
    return found


def bars_by_group(views: Mapping[str, Groups]) -> Iterator[tuple[str, list[Bar]]]:
    """Yield a chart for each view with several groups, and one for the views that have none.

    Only shares are drawn: every value must lie in [0, 1].
    """
    whole: list[Bar] = []
    for name, groups in views.items():
        metric = _main_metric(groups)
        if metric is None:
            continue
        rows = [_bar(group, found[metric]) for group, found in groups.items() if metric in found]
        if len(rows) > 1:
            yield f"{worded(name)}: {worded(metric)}", rows
        else:
            whole.append(_bar(f"{worded(name)}: {worded(metric)}", groups[OVERALL][metric]))
    if whole:
        yield "Over everything", whole


def curves_by_k(views: Mapping[str, Groups]) -> Iterator[tuple[str, dict[str, dict[int, float]]]]:
    """Yield a chart for each metric that is measured at several ranks: a curve a view, four at most."""
    charts: dict[str, dict[str, dict[int, float]]] = {}
    for name, groups in views.items():
        for metric, estimate in groups.get(OVERALL, {}).items():
            if at := _AT_K.fullmatch(metric):
                charts.setdefault(at[1], {}).setdefault(name, {})[int(at[2])] = estimate["mean"]
    for metric, curves in charts.items():
        shown = {name: curve for name, curve in curves.items() if len(curve) > 1}
        levels = {name.partition(".")[0] for name in shown}
        short = {worded(name.partition(".")[2] if len(levels) == 1 else name): c for name, c in shown.items()}
        if shown:
            yield f"{worded(metric)} at k", dict(list(short.items())[:_MAX_CURVES])


def curves_by_round(report: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, dict[int, float]]]]:
    """Yield the curves of `feedback`: the cost of each round as a share of that without feedback."""
    arms = [(name, arm["ratio"]) for name, arm in report.get("arms", {}).items() if "ratio" in arm]
    for first in range(0, len(arms), _MAX_CURVES):
        shown = arms[first : first + _MAX_CURVES]
        yield (
            f"Cost of edits against no feedback: {', '.join(name for name, _ in shown)}",
            {name: dict(enumerate(ratio, 1)) for name, ratio in shown},
        )


def worded(name: str) -> str:
    """Return the name of a view or metric as words."""
    return name.replace(".", ", ").replace("_", " ")


def means(groups: Groups) -> dict[str, dict[str, float]]:
    """Return a table of the means of a view, with n."""
    return {
        group: {
            "n": max((one["n"] for one in found.values()), default=0),
            **{metric: one["mean"] for metric, one in found.items()},
        }
        for group, found in groups.items()
    }


def _main_metric(groups: Groups) -> str | None:
    drawable = [
        metric
        for metric in dict.fromkeys(metric for found in groups.values() for metric in found)
        if all(0.0 <= found[metric]["mean"] <= 1.0 for found in groups.values() if metric in found)
    ]
    preferred = [metric for metric in PREFERRED if metric in drawable]
    return next(iter(preferred or drawable), None)


def _bar(label: str, estimate: Mapping[str, float]) -> Bar:
    return Bar(label, int(estimate["n"]), estimate["mean"], estimate["low"], estimate["high"])


def _is_estimates(found: Any) -> bool:
    return isinstance(found, Mapping) and all(
        isinstance(one, Mapping) and "mean" in one for one in found.values()
    )


def _is_figures(found: Any) -> bool:
    """Tell whether a group holds plain figures, among them `n`, as those of `answers` do."""
    return isinstance(found, Mapping) and isinstance(found.get("n"), int) and "p50" not in found


def _figures(found: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    short = ("contained", "numbers_alike")
    return {
        name: _plain(float(value), int(found.get("n_short", found["n"]) if name in short else found["n"]))
        for name, value in found.items()
        if value is not None and name not in ("n", "n_short")
    }


def _session(summary: Mapping[str, Any]) -> dict[str, dict[str, dict[str, float]]]:
    groups = {OVERALL: _plain(summary["every_evidence_turn"] or 0.0, summary["n_questions"])}
    for place, one in summary["by_place"].items():
        if one["share"] is not None:
            groups[f"stood in the {place}"] = _plain(one["share"], one["n"])
    return {group: {"share": estimate} for group, estimate in groups.items()}


def _plain(value: float, n: int) -> dict[str, float]:
    return {"n": n, "mean": value, "low": value, "high": value}


def tables_of(report: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Mapping[str, float]], str]]:
    """Yield the tables of percentiles: title, rows, and how numbers are written."""
    if latency := report.get("latency_ms"):
        yield "Milliseconds", latency, "{:,.1f}"
    tokens = {
        name.replace("_", " "): found
        for name, found in report.items()
        if name.endswith("tokens") and isinstance(found, Mapping) and "p50" in found
    }
    if tokens:
        yield "Tokens", tokens, "{:,.0f}"


def notes_of(report: Mapping[str, Any]) -> Sequence[str]:
    """Return what the report says in words: how figures are to be read, what was left out and why."""
    notes = [f"{row['title']}: {row['notes']}" for row in report.get("rows", {}).values() if row["notes"]]
    notes += [f"{name} was not measured: {reason}" for name, reason in report.get("skipped", {}).items()]
    notes += [f"{name}: {value:.3f}" for name, value in report.get("over_all", {}).items()]
    return notes
