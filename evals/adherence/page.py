"""A run of one of PrefEval's tasks as one HTML page: lines by distance, bars by topic, all metrics."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from habitus.evals.adherence.summary import OVERALL, shown_metric
from habitus.evals.reports.charts import Bar, Curve, bars, curves
from habitus.evals.reports.html import document, put
from habitus.evals.reports.reading import fitting, read_object
from habitus.evals.running import UsageError


def write_adherence_page(folder: Path, beside: Sequence[Path] = ()) -> Path:
    """Write `report.html` into a run folder and return its path.

    Args:
        folder: of a finished run.
        beside: further runs, such as other arms, whose lines are drawn as well.

    Raises:
        UsageError: a folder holds no report of such a run.
    """
    reports = [read_report(one) for one in (folder, *beside)]
    for one, report in zip(beside, reports[1:], strict=True):
        with fitting(one):
            adherence_page(report)
    with fitting(folder):
        return put(folder, adherence_page(reports[0], reports[1:]))


def holds_task(folder: Path) -> bool:
    """Return whether a folder holds the report of one of PrefEval's tasks."""
    path = folder / "report.json"
    return path.exists() and b'"forms"' in path.read_bytes()


def read_report(folder: Path) -> dict[str, Any]:
    """Read the report of a run.

    Raises:
        UsageError: there is none, or it is not one of these tasks.
    """
    path = folder / "report.json"
    try:
        report = read_object(path)
    except FileNotFoundError:
        raise UsageError(f"{str(folder)!r} holds no report.json; finish the run first") from None
    if "forms" not in report:
        raise UsageError(f"{str(path)!r} is not the report of PrefEval's generation or classification task")
    return report


def adherence_page(report: Mapping[str, Any], others: Sequence[Mapping[str, Any]] = ()) -> str:
    """Return the page; every text of the run is escaped."""
    return document(f"PrefEval, {report['task']} task", "\n".join(_body(report, others)))


def _body(report: Mapping[str, Any], others: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    counts = ", ".join(f"{what}: {n}" for what, n in report["samples"].items())
    yield (
        f'<p class="soft">Samples: {escape(counts)}. {escape(report["rule"])}. Intervals are 95 % bootstrap '
        "over items.</p>"
    )
    metric = shown_metric(report)
    if metric is not None:
        title = f"{metric} by exchanges between preference and question"
        lines = [line for one in (report, *others) for line in _curves(one, metric)]
        yield f"<h2>{escape(title)}</h2>{curves(title, lines, 'exchanges')}"
        yield from _topics(report, metric)
    yield "<h2>Every metric</h2>"
    for form, distances in report["forms"].items():
        for distance, groups in distances.items():
            yield _values(f"{form}, {distance} exchanges in between", groups)
    if judge := report.get("judge"):
        yield f"<h2>Judge</h2><pre>{escape(json.dumps(judge, indent=2, ensure_ascii=False))}</pre>"
    for failure in report["failures"]:
        yield f'<p class="case">{escape(failure["question_id"])} failed: {escape(failure["error"])}</p>'
    manifest = json.dumps(report["manifest"], indent=2, ensure_ascii=False)
    yield f"<h2>Manifest</h2><pre>{escape(manifest)}</pre>"


def _curves(report: Mapping[str, Any], metric: str) -> Iterator[Curve]:
    arm = report["manifest"]["settings"]["arm"]
    for form, distances in report["forms"].items():
        points = {
            int(distance): (found["mean"], found["low"], found["high"])
            for distance, groups in distances.items()
            if (found := groups[OVERALL].get(metric))
        }
        if points:
            yield Curve(f"{arm}, {form}", points)


def _topics(report: Mapping[str, Any], metric: str) -> Iterator[str]:
    for form, distances in report["forms"].items():
        for distance, groups in distances.items():
            rows = [
                Bar(topic, *(found[metric][key] for key in ("n", "mean", "low", "high")))
                for topic, found in groups.items()
                if metric in found
            ]
            if rows:
                title = f"{metric} by topic: form {form}, {distance} exchanges in between"
                yield f"<h2>{escape(title)}</h2>{bars(title, rows)}"


def _values(title: str, groups: Mapping[str, Mapping[str, Any]]) -> str:
    metrics = list(dict.fromkeys(metric for found in groups.values() for metric in found))
    head = "".join(f"<th>{escape(metric)}</th>" for metric in metrics)
    rows = "".join(
        f"<tr><td>{escape(group)}</td>"
        + "".join(
            f"<td>{found[metric]['mean']:.3f}</td>" if metric in found else "<td></td>" for metric in metrics
        )
        + "</tr>"
        for group, found in groups.items()
    )
    return (
        f"<details><summary>{escape(title)}</summary><table><tr><th></th>{head}</tr>{rows}</table></details>"
    )
