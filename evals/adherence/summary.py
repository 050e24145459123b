"""What a run of one of PrefEval's tasks comes to: by form, distance and topic, with intervals."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from habitus.evals.judges.prefeval import RULE
from habitus.evals.metrics import bootstrap

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from habitus.evals.adherence.options import Task
    from habitus.evals.harness.records import Score
    from habitus.evals.harness.runner import Outcome
    from habitus.evals.reports.runlog import Manifest

OVERALL = "overall"
SHOWN = ("adherence", "accuracy", "named")
"""The metric that plots show: the first of these that a run has."""

Groups = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""Estimates by group (`overall`, then topics) and metric."""


def build_report(outcome: Outcome[Score], manifest: Manifest, *, task: Task, seed: int) -> dict[str, Any]:
    """Return the content of `report.json`.

    `forms` holds estimates by form, distance, group (`overall`, then topics) and metric. Means are over the
    samples that have the metric: replies without a verdict are in `unjudged` alone.
    """
    views: dict[tuple[str, int], list[Score]] = defaultdict(list)
    for score in outcome.scores:
        for name in score.views:
            told, _, between = name.partition("@")
            views[told, int(between)].append(score)
    forms: dict[str, dict[str, Any]] = {}
    for (form, distance), scores in sorted(views.items(), key=lambda one: (one[0][0], one[0][1])):
        name = f"{form}@{distance:03}"
        forms.setdefault(form, {})[str(distance)] = _groups(name, scores, seed)
    return {
        "benchmark": manifest.benchmark,
        "task": task,
        "rule": RULE if task == "generation" else "right = the option that keeps to the preference",
        "samples": {
            "finished": len(outcome.scores),
            "failed": len(outcome.failures),
            "kept from an earlier run": outcome.n_resumed,
        },
        "intervals": {"confidence": 0.95, "method": "percentile bootstrap over items", "seed": seed},
        "forms": forms,
        "failures": [{"question_id": one.question_id, "error": one.error} for one in outcome.failures],
        "seconds": round(outcome.seconds, 3),
        "manifest": manifest.model_dump(mode="json"),
    }


def shown_metric(report: Mapping[str, Any]) -> str | None:
    """Return the metric that plots of a report show, None if it holds none of them."""
    found = {
        metric
        for distances in report["forms"].values()
        for groups in distances.values()
        for metric in groups[OVERALL]
    }
    return next((metric for metric in SHOWN if metric in found), None)


def _groups(view: str, scores: Sequence[Score], seed: int) -> dict[str, dict[str, Any]]:
    values: dict[str, dict[str, list[float]]] = {OVERALL: defaultdict(list)}
    for score in sorted(scores, key=lambda one: one.question_type):
        for metric, value in score.views[view].items():
            for group in (OVERALL, score.question_type):
                values.setdefault(group, defaultdict(list))[metric].append(value)
    return {
        group: {metric: _estimate(found, seed) for metric, found in metrics.items()}
        for group, metrics in values.items()
    }


def _estimate(values: Iterable[float], seed: int) -> dict[str, Any]:
    return asdict(bootstrap([[value] for value in values], seed=seed)[0])


def print_tables(report: Mapping[str, Any], console: Console) -> None:
    """Print, for each form, a table by distance and one of the shown metric by topic."""
    for part in _tables(report):
        console.print(part, "")
    counts = ", ".join(f"{n} {what}" for what, n in report["samples"].items())
    console.print(f"Samples: {counts}. {report['rule']}.", highlight=False, markup=False)
    for failure in report["failures"][:3]:
        told = f"{failure['question_id']} failed: {failure['error']}"
        console.print(told, highlight=False, markup=False, soft_wrap=True)


def _tables(report: Mapping[str, Any]) -> Iterator[Table]:
    shown = shown_metric(report)
    for form, distances in report["forms"].items():
        yield _by_distance(form, distances)
        if shown is not None and any(shown in groups[OVERALL] for groups in distances.values()):
            yield _by_topic(form, distances, shown)


def _by_distance(form: str, distances: Mapping[str, Groups]) -> Table:
    metrics = list(dict.fromkeys(metric for groups in distances.values() for metric in groups[OVERALL]))
    table = _table(f"Told in the form {form}, by exchanges in between", ["n", *map(_broken, metrics)])
    for distance, groups in distances.items():
        found = groups[OVERALL]
        n = max((estimate["n"] for estimate in found.values()), default=0)
        table.add_row(distance, str(n), *(_value(found.get(metric), metric) for metric in metrics))
    return table


def _by_topic(form: str, distances: Mapping[str, Groups], metric: str) -> Table:
    table = _table(f"{metric} by topic, form {form}", ["n", *(f"at {distance}" for distance in distances)])
    topics = [group for group in next(iter(distances.values())) if group != OVERALL]
    for topic in topics:
        cells = [groups.get(topic, {}).get(metric) for groups in distances.values()]
        n = max((one["n"] for one in cells if one), default=0)
        table.add_row(topic, str(n), *(f"{one['mean']:.3f}" if one else "-" for one in cells))
    return table


def _table(title: str, columns: Sequence[str]) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(
        title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False
    )
    table.add_column("", overflow="fold")
    for column in columns:
        table.add_column(column, justify="right")
    return table


def _value(found: Mapping[str, Any] | None, metric: str) -> str:
    if found is None:
        return "-"
    interval = f"\n[{found['low']:.3f}, {found['high']:.3f}]" if metric in SHOWN else ""
    return f"{found['mean']:.3f}{interval}"


def _broken(name: str) -> str:
    return name.replace(" ", "\n").replace("_", "\n")
