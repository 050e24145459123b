"""`habitus eval compare A B`: which differences of two runs are beyond noise, and what else differs.

Two runs are compared question by question, on those that finished in both.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from habitus.evals.metrics.estimates import Difference, false_discovery_adjusted, paired_difference
from habitus.evals.reports.scored_runs import Run
from habitus.evals.running import UsageError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

OVERALL = "overall"
SIGNIFICANT = 0.05

Figure = tuple[str, str, str]
"""View, group of questions, metric."""


@dataclass(frozen=True, kw_only=True)
class Compared:
    """The difference of one metric in one view for one group of questions."""

    view: str
    group: str
    metric: str
    difference: Difference
    adjusted_p: float
    """Adjusted for the number of figures that were looked at: many comparisons turn some up by chance.
    Those over all questions and those of single types are two families."""

    @property
    def beyond_noise(self) -> bool:
        return self.adjusted_p < SIGNIFICANT

    @property
    def differs(self) -> bool:
        """At least one question has another value."""
        return differs(self.difference)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What two runs have in common and what not."""

    compared: tuple[Compared, ...]
    manifest: tuple[str, ...]
    """Entries that differ, with both values."""
    only_a: tuple[str, ...]
    """Questions that finished in the first run only."""
    only_b: tuple[str, ...]


def compare(a: Run, b: Run, *, seed: int = 0, n_resamples: int = 10_000) -> Comparison:
    """Compare two runs on the questions that finished in both.

    Raises:
        UsageError: they have no question or no metric in common.
    """
    shared = [question for question in a.scores if question in b.scores]
    if not shared:
        raise UsageError("the two runs have no finished question in common")
    found: dict[Figure, Difference] = {}
    for figure, pairs in _paired(a, b, shared).items():
        first, second = zip(*pairs, strict=True)
        found[figure] = paired_difference(first, second, seed=seed, n_resamples=n_resamples)
    if not found:
        raise UsageError("the two runs have no metric in common")
    adjusted = _adjusted(found)
    return Comparison(
        compared=tuple(
            Compared(
                view=figure[0],
                group=figure[1],
                metric=figure[2],
                difference=difference,
                adjusted_p=adjusted[figure],
            )
            for figure, difference in found.items()
        ),
        manifest=tuple(a.manifest.differences(b.manifest)),
        only_a=tuple(question for question in a.scores if question not in b.scores),
        only_b=tuple(question for question in b.scores if question not in a.scores),
    )


def _adjusted(found: Mapping[Figure, Difference]) -> dict[Figure, float]:
    """Adjust p values, those over all questions apart from those of single types.

    Figures that are the same for every question cannot turn up by chance, so they are not counted (Tarone,
    Biometrics 46, 1990).
    """
    adjusted = dict.fromkeys(found, 1.0)
    for overall in (True, False):
        family = [
            figure
            for figure, difference in found.items()
            if (figure[1] == OVERALL) is overall and differs(difference)
        ]
        p_values = false_discovery_adjusted([found[figure].p for figure in family])
        adjusted.update(zip(family, p_values, strict=True))
    return adjusted


def differs(difference: Difference) -> bool:
    """Return whether at least one question has another value."""
    return not difference.low == difference.high == difference.difference == 0.0


def as_json(comparison: Comparison) -> dict[str, Any]:
    """Return a comparison as JSON values."""
    return {
        "compared": [
            {
                "view": one.view,
                "group": one.group,
                "metric": one.metric,
                **asdict(one.difference),
                "adjusted_p": one.adjusted_p,
                "beyond_noise": one.beyond_noise,
            }
            for one in comparison.compared
        ],
        "manifest": list(comparison.manifest),
        "only_a": list(comparison.only_a),
        "only_b": list(comparison.only_b),
    }


def print_comparison(comparison: Comparison, console: Console, *, by_type: bool = False) -> None:
    """Print what differs: the manifests, then a table a view. Metrics without any difference are counted.

    Args:
        comparison: of two runs.
        console: to print on.
        by_type: show every question type, not only those beyond noise.
    """
    from rich.markup import escape

    if comparison.manifest:
        console.print("What differs in the manifests (the first was, the second is):")
        for entry in comparison.manifest:
            console.print(f"  {escape(entry)}", highlight=False, soft_wrap=True)
    else:
        console.print("The manifests are the same.")
    for name, only in (("first", comparison.only_a), ("second", comparison.only_b)):
        if only:
            console.print(f"{len(only)} questions finished in the {name} run only; they are left out.")
    console.print("")
    views: dict[str, list[Compared]] = defaultdict(list)
    for one in comparison.compared:
        if one.differs and (by_type or one.group == OVERALL or one.beyond_noise):
            views[one.view].append(one)
    for view, rows in views.items():
        console.print(_table(view, rows), "")
    n_same = sum(not one.differs for one in comparison.compared)
    n_beyond = sum(one.beyond_noise for one in comparison.compared)
    console.print(
        f"{len(comparison.compared)} figures compared: {n_same} the same for every question, {n_beyond} "
        f"beyond noise (paired bootstrap over questions, p < {SIGNIFICANT} after Benjamini and Hochberg)."
    )


def _table(view: str, rows: Iterable[Compared]) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(
        title=view, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False
    )
    table.add_column("", overflow="fold")
    for column in ("n", "A", "B", "B - A", "95 % interval", "p", "adjusted"):
        table.add_column(column, justify="right", no_wrap=True)
    for one in rows:
        found = one.difference
        table.add_row(
            one.metric if one.group == OVERALL else f"{one.metric}, {one.group}",
            str(found.n),
            f"{found.mean_a:.3f}",
            f"{found.mean_b:.3f}",
            f"{found.difference:+.3f}",
            f"{found.low:+.3f} {found.high:+.3f}",
            f"{found.p:.4f}",
            f"{one.adjusted_p:.3f}",
            style="bold" if one.beyond_noise else "",
        )
    return table


def _paired(a: Run, b: Run, shared: Iterable[str]) -> dict[Figure, list[tuple[float, float]]]:
    """Return the pairs of values by view, group of questions and metric."""
    pairs: dict[Figure, list[tuple[float, float]]] = defaultdict(list)
    for question in shared:
        first, second = a.scores[question], b.scores[question]
        for view in sorted(first.views.keys() & second.views.keys()):
            values, others = first.views[view], second.views[view]
            for metric in values:
                if metric in others:
                    for group in (OVERALL, first.question_type):
                        pairs[view, group, metric].append((values[metric], others[metric]))
    return dict(sorted(pairs.items(), key=lambda item: (item[0][0], item[0][1] != OVERALL, item[0][1])))
