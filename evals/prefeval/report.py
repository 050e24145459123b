"""From the rows of the PrefEval table to `report.json`, lists to be judged by hand, and tables."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table

from habitus.evals.prefeval.scores import OVERALL, Row, summarised
from habitus.evals.reports.runlog import Manifest


def build_report(
    rows: Sequence[Row], skipped: Mapping[str, str], manifest: Manifest, *, seed: int = 0
) -> dict[str, Any]:
    """Return the content of `report.json`: means with 95 % intervals, every n, and what was left out.

    Args:
        rows: those measured.
        skipped: rows that were not, with the reason.
        manifest: of the run.
        seed: of the bootstrap.
    """
    return {
        "benchmark": manifest.benchmark,
        "intervals": {"confidence": 0.95, "method": "percentile bootstrap over items", "seed": seed},
        "rows": {row.name: summarised(row, seed=seed) for row in rows},
        "skipped": dict(skipped),
        "manifest": manifest.model_dump(mode="json"),
    }


def write_lists(folder: Path, rows: Sequence[Row]) -> list[Path]:
    """Write what was judged by hand, and what is to be, as `<row>.tsv`."""
    paths = []
    for row in rows:
        if row.listed:
            path = folder / f"{row.name}.tsv"
            with path.open("w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file, delimiter="\t", lineterminator="\n")
                writer.writerows([" ".join(cell.split()) for cell in line] for line in row.listed)
            paths.append(path)
    return paths


def print_report(report: Mapping[str, Any], console: Console) -> None:
    """Print the tables of a report."""
    for part in _parts(report):
        console.print(part, "")


def _parts(report: Mapping[str, Any]) -> Iterator[RenderableType]:
    yield _overall(report["rows"])
    for row in report["rows"].values():
        if len(row["groups"]) > 2:
            yield _by_topic(row)
    for name, row in report["rows"].items():
        for reason, n in row["excluded"].items():
            yield f"{name}: {n} x {reason}"
        if row["notes"]:
            yield f"{name}: {row['notes']}"
    for name, reason in report["skipped"].items():
        yield f"{name} was not measured: {reason}"


def _overall(rows: Mapping[str, Any]) -> Table:
    table = _table("PrefEval without a model", ["what", "metric"], ["n", "mean", "95 %", "target", "met"])
    for row in rows.values():
        title = row["title"]
        for metric, found in row["groups"][OVERALL].items():
            met = {True: "yes", False: "no", None: ""}[row["met"].get(metric)]
            interval = f"{_decimal(found['low'])}-{_decimal(found['high'])}"
            cells = (str(found["n"]), _decimal(found["mean"]), interval, row["targets"].get(metric, ""), met)
            table.add_row(title, metric, *cells)
            title = ""
    return table


def _by_topic(row: Mapping[str, Any]) -> Table:
    metrics = list(row["groups"][OVERALL])
    table = _table(
        f"By topic: {row['title']}", [""], ["n", *(metric.replace("_", "\n") for metric in metrics)]
    )
    for group, found in row["groups"].items():
        if group != OVERALL:
            n = max(estimate["n"] for estimate in found.values())
            cells = (_decimal(found[metric]["mean"]) if metric in found else "" for metric in metrics)
            table.add_row(group, str(n), *cells)
    return table


def _table(title: str, texts: Sequence[str], figures: Sequence[str]) -> Table:
    table = Table(
        title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False
    )
    for column in texts:
        table.add_column(column, overflow="fold")
    for column in figures:
        table.add_column(column, justify="right", no_wrap=True)
    return table


def _decimal(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"
