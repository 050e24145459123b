"""What every report consists of: estimates by view and group, tables, and the file itself."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table

from habitus.evals.harness import records
from habitus.evals.metrics import Estimate, bootstrap

OVERALL = "overall"
MAX_NAME_CHARS = 19

Estimates = Mapping[str, Estimate]
"""By metric."""


def aggregate(scores: Sequence[records.Score], *, seed: int = 0) -> dict[str, dict[str, Estimates]]:
    """Return estimates by view, then by group (`overall` or a question type), then by metric.

    Args:
        scores: of the questions that finished.
        seed: of the bootstrap intervals.
    """
    rows: dict[str, dict[str, list[Mapping[str, float]]]] = defaultdict(lambda: defaultdict(list))
    for score in scores:
        for view, values in score.views.items():
            rows[view][OVERALL].append(values)
            rows[view][score.question_type].append(values)
    return {
        view: {group: _estimates(rows[view][group], seed) for group in _ordered(rows[view])}
        for view in sorted(rows)
    }


def write_report(folder: Path, report: Mapping[str, Any], name: str = "report.json") -> Path:
    """Write a report whole or not at all, and return its path."""
    path = folder / name
    part = path.with_suffix(".part")
    part.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(part, path)
    return path


def _estimates(rows: Sequence[Mapping[str, float]], seed: int) -> dict[str, Estimate]:
    metrics = list(rows[0])
    matrix = [[row[metric] for metric in metrics] for row in rows]
    return dict(zip(metrics, bootstrap(matrix, seed=seed), strict=True))


def _ordered(groups: Iterable[str]) -> list[str]:
    return sorted(groups, key=lambda group: (group != OVERALL, group))


def new_table(title: str, first: str, columns: Iterable[str]) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=0, show_edge=False)
    table.add_column(first, overflow="fold")
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    return table


def metrics_table(
    title: str, rows: Iterable[tuple[str, int, Mapping[str, float]]], columns: Mapping[str, str]
) -> Table:
    """Make a table of shares, one row for each (name, n, values by metric).

    Args:
        title: above the table.
        rows: what is shown.
        columns: heading by metric, in order.
    """
    table = new_table(title, "", ["n", *columns.values()])
    for name, n, values in rows:
        table.add_row(name, str(n), *(decimal(values[metric]) for metric in columns))
    return table


def broken(name: str) -> str:
    """Break a long question type at its last hyphen, since rich breaks lines at spaces only."""
    head, hyphen, tail = name.rpartition("-")
    return f"{head}-\n{tail}" if len(name) > MAX_NAME_CHARS and hyphen else name


def decimal(value: float) -> str:
    return f"{value:.3f}".removeprefix("0") if value < 0.9995 else "1.00"
