"""What a row of the PrefEval table is: the measured items, what was left out, and what is to be reached."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from habitus.evals.metrics import bootstrap

OVERALL = "overall"


@dataclass(frozen=True)
class Target:
    """What a metric is to reach."""

    value: float
    sense: Literal["at least", "at most"] = "at least"

    def is_met(self, mean: float) -> bool:
        return mean >= self.value if self.sense == "at least" else mean <= self.value

    def __str__(self) -> str:
        return f"{'≥' if self.sense == 'at least' else '≤'} {self.value:g}"


@dataclass(frozen=True)
class Scored:
    """The values of one item; metrics that do not apply to it are left out."""

    topic: str
    values: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of the table.

    Attributes:
        name: key in `report.json`.
        title: what is measured, in words.
        scored: one entry per item.
        targets: by metric.
        excluded: how many items were left out, by reason.
        notes: how to read the figures.
        listed: lines to be judged by hand: a header, then cells.
    """

    name: str
    title: str
    scored: Sequence[Scored]
    targets: Mapping[str, Target] = field(default_factory=dict)
    excluded: Mapping[str, int] = field(default_factory=dict)
    notes: str = ""
    listed: Sequence[Sequence[str]] = ()


def summarised(row: Row, *, seed: int = 0) -> dict[str, Any]:
    """Return a row as JSON values: by group (`overall`, then topics), by metric, n, mean and interval."""
    groups: dict[str, list[Scored]] = defaultdict(list)
    for scored in row.scored:
        groups[OVERALL].append(scored)
        groups[scored.topic].append(scored)
    ordered = sorted(groups, key=lambda group: (group != OVERALL, group))
    return {
        "title": row.title,
        "notes": row.notes,
        "targets": {metric: str(target) for metric, target in row.targets.items()},
        "met": _met(row),
        "excluded": dict(row.excluded),
        "groups": {group: _estimates(groups[group], seed) for group in ordered},
    }


def means(row: Row) -> dict[str, float]:
    """Return the mean of each metric over all items that have it."""
    values: dict[str, list[float]] = defaultdict(list)
    for scored in row.scored:
        for metric, value in scored.values.items():
            values[metric].append(value)
    return {metric: sum(found) / len(found) for metric, found in values.items()}


def counted(reasons: Sequence[str]) -> dict[str, int]:
    """Count reasons for leaving items out."""
    return dict(Counter(reasons))


def _met(row: Row) -> dict[str, bool]:
    found = means(row)
    return {metric: target.is_met(found[metric]) for metric, target in row.targets.items() if metric in found}


def _estimates(scored: Sequence[Scored], seed: int) -> dict[str, Any]:
    metrics = dict.fromkeys(metric for one in scored for metric in one.values)
    return {
        metric: asdict(
            bootstrap([[one.values[metric]] for one in scored if metric in one.values], seed=seed)[0]
        )
        for metric in metrics
    }
