"""`habitus eval ablation`: what each arm of recall is worth, with intervals paired over questions.

Every history is brought in once; the sessions of each question are then ranked by variants of the weights in
`habitus.memory.recall`. Counted are questions with evidence, without abstentions. "Refitted" weights come
from `habitus.evals.choice`, fitted to four fifths of the questions and used on the last fifth, five times
over: what such weights are worth on questions that they were not fitted to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import chain, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from habitus.evals.arms import CUED_REPLIES, RAW, SHIPPED, Columns, Weights, collect
from habitus.evals.choice import Choice, fit, folds
from habitus.evals.longmemeval import DatasetError, Sample, SampleReader
from habitus.evals.longmemeval_run import DEFAULT_BUDGET
from habitus.evals.metrics import bootstrap, longmemeval_ndcg, recall_all, recall_any
from habitus.evals.report import metrics_table, write_report
from habitus.evals.runlog import describe_run
from habitus.evals.running import check_positive, open_agent, progress, scratch_in
from habitus.memory.recall import SESSION_WEIGHTS

if TYPE_CHECKING:
    from rich.console import Console

    from habitus.retrievers.encoder import Encoder

FULL = "full system"
N_FOLDS = 5
METRICS = {"r@1": "R@1", "recall_any@5": "any@5", "recall_all@5": "all@5", "ndcg@5": "NDCG@5"}
_REPLIES = ("reply_cosine", "reply_bm25")


@dataclass(frozen=True, kw_only=True)
class Fit:
    """Weights fitted to the questions.

    Attributes:
        by_fold: of each fold, fitted to the others.
        overall: fitted to all questions; to be shipped, not to be judged here.
        fold_of: by question.
    """

    by_fold: tuple[Weights, ...]
    overall: Weights
    fold_of: Mapping[str, int]

    def held_out(self, question_id: str) -> Weights:
        """Return the weights that were fitted without this question."""
        return self.by_fold[self.fold_of[question_id]]


def variants() -> dict[str, Weights]:
    """Return the weights of every variant that is not fitted here, by its name."""
    session_arms = (*SESSION_WEIGHTS, "session_bm25")
    mean = sum(SESSION_WEIGHTS.values()) / len(SESSION_WEIGHTS)
    uniform = dict.fromkeys((*SESSION_WEIGHTS, *CUED_REPLIES), mean)
    return {
        FULL: SHIPPED,
        **{f"only {name}": {name: 1.0} for name in (*session_arms, *_REPLIES)},
        **{f"without {name}": _without(SHIPPED, {name}) for name in SHIPPED},
        "without the reply cue: replies never": _without(SHIPPED, set(CUED_REPLIES)),
        "without the reply cue: replies always": {
            **_without(SHIPPED, set(CUED_REPLIES)),
            **{name.removeprefix("cued_"): weight for name, weight in CUED_REPLIES.items()},
        },
        "question searched as it stands": {
            **_without(SHIPPED, set(SESSION_WEIGHTS)),
            **{f"{RAW}{name}": weight for name, weight in SESSION_WEIGHTS.items()},
        },
        "uniform weights": {**uniform, "time": SHIPPED["time"]},
        "plain sum of four session arms": dict.fromkeys(session_arms, 1.0),
        "plain sum, question as it stands": dict.fromkeys((f"{RAW}{name}" for name in session_arms), 1.0),
    }


@dataclass(frozen=True, kw_only=True)
class Fitting:
    """Which weights are fitted to the training questions, and how.

    Attributes:
        names: columns whose weights are fitted.
        fixed: weights of other columns, as they are.
        l2: strength of the penalty; a weak one, since some columns are 0 in most questions.
    """

    names: tuple[str, ...]
    fixed: Weights = field(default_factory=dict)
    l2: float = 0.1

    def weights(self, chosen: Iterable[Columns]) -> Weights:
        """Return all weights, those that were fitted to these questions first."""
        found = fit([self._choice(one) for one in chosen], l2=self.l2)
        return {**dict(zip(self.names, map(float, found), strict=True)), **self.fixed}

    def _choice(self, one: Columns) -> Choice:
        relevant = np.array([name in one.relevant for name in one.session_ids])
        offset = sum((weight * one.columns[name] for name, weight in self.fixed.items()), np.zeros(1))
        return Choice(one.features(self.names), relevant, offset)


@dataclass(frozen=True, kw_only=True)
class TimeChosen:
    """The shipped weights with that weight of time which ranks most training questions' gold first."""

    grid: tuple[float, ...] = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0)

    def weights(self, chosen: Iterable[Columns]) -> Weights:
        """Return all weights; ties go to the smaller one."""
        questions = list(chosen)

        def n_first(time: float) -> float:
            return sum(values(one, {**SHIPPED, "time": time})[0] for one in questions)

        return {**SHIPPED, "time": max(self.grid, key=n_first)}


_SESSION_ARMS = tuple(SESSION_WEIGHTS)
FITTED: Mapping[str, Fitting | TimeChosen] = {
    f"refitted, {N_FOLDS} folds": Fitting(names=tuple(SHIPPED)),
    f"refitted, strong penalty, {N_FOLDS} folds": Fitting(names=tuple(SHIPPED), l2=1.0),
    f"refitted with session_bm25, {N_FOLDS} folds": Fitting(names=(*SHIPPED, "session_bm25")),
    f"session arms refitted, {N_FOLDS} folds": Fitting(
        names=_SESSION_ARMS,
        fixed={name: weight for name, weight in SHIPPED.items() if name not in SESSION_WEIGHTS},
    ),
    f"time weight chosen by R@1, {N_FOLDS} folds": TimeChosen(),
}
"""Variants whose weights are made from questions, and judged on others."""


def fitted(questions: Sequence[Columns], fitting: Fitting | TimeChosen, *, seed: int = 0) -> Fit:
    """Fit weights once without each fold and once to all questions."""
    fold_of = folds([one.question_id for one in questions], N_FOLDS, seed)
    return Fit(
        by_fold=tuple(
            fitting.weights(one for one in questions if fold_of[one.question_id] != fold)
            for fold in range(N_FOLDS)
        ),
        overall=fitting.weights(questions),
        fold_of=fold_of,
    )


def values(columns: Columns, weights: Weights) -> list[float]:
    """Return the metrics of one question under some weights, in the order of `METRICS`."""
    ranked, relevant = columns.ranked(weights), columns.relevant
    return [
        recall_any(ranked, relevant, 1),
        recall_any(ranked, relevant, 5),
        recall_all(ranked, relevant, 5),
        longmemeval_ndcg(ranked, relevant, 5),
    ]


def compare(questions: Sequence[Columns], *, seed: int = 0) -> dict[str, Any]:
    """Score every variant, and its difference from the full system over the same questions.

    Args:
        questions: with evidence, at least as many as there are folds.
        seed: of the folds and the bootstrap.

    Returns:
        the content of `ablation.json`, the manifest excepted.
    """
    rows = {
        name: np.array([values(one, weights) for one in questions]) for name, weights in variants().items()
    }
    fits = {name: fitted(questions, fitting, seed=seed) for name, fitting in FITTED.items()}
    for name, found in fits.items():
        rows[name] = np.array([values(one, found.held_out(one.question_id)) for one in questions])
    return {
        "benchmark": "ablation",
        "questions": len(questions),
        "agrees_with_agent": sum(one.agrees for one in questions),
        "intervals": {"confidence": 0.95, "method": "percentile bootstrap, paired by question", "seed": seed},
        "variants": {
            name: {
                "weights": None if name in fits else dict(variants()[name]),
                "mean": _estimates(matrix, seed),
                "difference": _estimates(matrix - rows[FULL], seed),
            }
            for name, matrix in rows.items()
        },
        "fitted": {
            name: {"overall": dict(found.overall), "by_fold": [dict(one) for one in found.by_fold]}
            for name, found in fits.items()
        },
    }


def run_ablation(
    data: Path, out: Path, prepare: Callable[[], Encoder], limit: int | None = None
) -> dict[str, Any]:
    """Run the ablation on LongMemEval, write `ablation.json` and return its content.

    Args:
        data: a LongMemEval file.
        out: folder of the result.
        prepare: makes the agents' encoder; called once the data file turned out to be readable.
        limit: only the first so many questions with an answer.

    Raises:
        DatasetError: the data file cannot be used, or holds fewer questions than there are folds.
        UsageError: the limit is below 1.
    """
    check_positive(limit=limit)
    with SampleReader(data) as reader:
        samples = iter(reader)
        samples = chain([next(samples)], samples)
        encoder = prepare()
        answerable = (one for one in samples if not one.is_abstention and one.evidence_session_ids)
        with scratch_in(out) as scratch, progress("Ablation", limit or 1.0) as show:
            questions = []
            for sample in islice(answerable, limit):
                questions.append(_collected(sample, scratch, encoder))
                done = len(questions) if limit else min(reader.fraction, 0.99)
                show(done, f"{len(questions)} questions")
    if len(questions) < N_FOLDS:
        raise DatasetError(
            f"{data.name}: the ablation needs at least {N_FOLDS} questions with an answer, "
            f"found {len(questions)}"
        )
    report = compare(questions)
    report["manifest"] = describe_run("ablation", data, encoder.fingerprint, {"limit": limit}).model_dump(
        mode="json"
    )
    write_report(out, report, name="ablation.json")
    return report


def print_ablation(report: Mapping[str, Any], console: Console) -> None:
    """Print means, and differences from the full system with their intervals."""
    n = report["questions"]
    means = [
        (name, n, {metric: found["mean"][metric]["mean"] for metric in METRICS})
        for name, found in report["variants"].items()
    ]
    console.print(
        metrics_table("Sessions by variants of the weights, without abstentions", means, METRICS), ""
    )
    console.print("Difference from the full system, 95 % interval in brackets where it leaves out 0:")
    for name, found in report["variants"].items():
        parts = [f"{heading} {_signed(found['difference'][metric])}" for metric, heading in METRICS.items()]
        console.print(f"  {name}: {', '.join(parts)}", markup=False, highlight=False, soft_wrap=True)
    for name, weights in report["fitted"].items():
        shown = ", ".join(f"{column} {weight:.2f}" for column, weight in weights["overall"].items())
        console.print(f"{name}, on all questions: {shown}", highlight=False, soft_wrap=True)
    console.print(
        f"The full system ranks as the agent does in {report['agrees_with_agent']} of {n} questions"
    )


def _signed(difference: Mapping[str, float]) -> str:
    low, high = difference["low"], difference["high"]
    interval = f" [{low:+.3f}, {high:+.3f}]" if low > 0 or high < 0 else ""
    return f"{difference['mean']:+.3f}{interval}"


def _collected(sample: Sample, scratch: Path, encoder: Encoder) -> Columns:
    with (
        TemporaryDirectory(dir=scratch) as folder,
        open_agent(Path(folder), encoder, DEFAULT_BUDGET) as agent,
    ):
        return collect(agent, sample)


def _without(weights: Weights, names: set[str]) -> dict[str, float]:
    return {name: weight for name, weight in weights.items() if name not in names}


def _estimates(matrix: Any, seed: int) -> dict[str, dict[str, float]]:
    return {
        metric: asdict(estimate)
        for metric, estimate in zip(METRICS, bootstrap(matrix, seed=seed), strict=True)
    }
