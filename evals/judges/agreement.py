"""How far a judge agrees with people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from habitus.evals.judges.judging import Judgement
from habitus.evals.metrics.labels import accuracy, cohen_kappa
from habitus.evals.reports.reading import numbered_lines, parsed
from habitus.evals.running import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """A judge against people's labels.

    Attributes:
        n: cases with both labels.
        n_unjudged: labelled cases to which the judge gave no label; in none of the figures.
        agreed: share of `n` with the same label, 0..1.
        kappa: Cohen's, agreement beyond chance, -1..1.
    """

    n: int
    n_unjudged: int
    agreed: float
    kappa: float


def read_labels(path: Path) -> dict[str, str]:
    """Read people's labels: a JSONL file with `id` and `label` on each line; lines whose label is null are
    passed over.

    Raises:
        UsageError: a line is no such object, an id comes twice, or there is no line.
    """
    labels: dict[str, str] = {}
    for number, line in numbered_lines(path):
        try:
            told = parsed(line)
            case, label = str(told["id"]), told["label"]
        except (ValueError, KeyError):
            raise UsageError(f'line {number} of {path.name} is not {{"id": ..., "label": ...}}') from None
        if label is None:
            continue
        if case in labels:
            raise UsageError(f"line {number} of {path.name} repeats the id {case!r}")
        labels[case] = str(label)
    if not labels:
        raise UsageError(f"{path.name} holds no labels")
    return labels


def agreement(judgements: Mapping[str, Judgement], labels: Mapping[str, str]) -> Agreement:
    """Compare a judge's labels with people's, on the cases that both have.

    Raises:
        UsageError: there is no such case.
    """
    common = [case for case in labels if case in judgements]
    judged = {case: judgements[case].label for case in common if judgements[case].label is not None}
    if not judged:
        raise UsageError("no labelled case was judged")
    said, gold = list(judged.values()), [labels[case] for case in judged]
    return Agreement(
        n=len(judged),
        n_unjudged=len(common) - len(judged),
        agreed=accuracy(said, gold),
        kappa=cohen_kappa(said, gold),
    )
