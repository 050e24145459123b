"""`habitus eval ablation`: what each arm of recall is worth, with intervals paired over questions.

Every history is brought in once. The sessions of each question are then ranked by variants of the weights in
`habitus.memory.retrieval.recall`, each compared with the arms alone, and by variants of those in
`habitus.memory.retrieval.reranking`, compared with the full system. Counted are questions with evidence,
without abstentions. "Refitted" weights come from `habitus.evals.ablation.choice`, fitted to four fifths of
the questions and used on the last fifth, five times over: what they are worth on questions that they were not
fitted to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import chain, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from habitus.evals.ablation.arms import ALWAYS, RAW, Columns, Weights, collect
from habitus.evals.ablation.choice import Choice, fit, folds
from habitus.evals.longmemeval.files import DatasetError, Sample, SampleReader
from habitus.evals.longmemeval.run import DEFAULT_BUDGET
from habitus.evals.metrics import bootstrap, longmemeval_ndcg, recall_all, recall_any
from habitus.evals.reports.runlog import describe_run
from habitus.evals.reports.tables import metrics_table, write_report
from habitus.evals.running import check_positive, open_agent, progress, scratch_in
from habitus.memory.retrieval.recall import SESSION_WEIGHTS
from habitus.memory.retrieval.reranking import FIRST_WEIGHTS, REST_WEIGHTS, Reading

if TYPE_CHECKING:
    from rich.console import Console

    from habitus.retrievers.encoder import Encoder

FULL = "full system"
ARMS = "arms alone"
N_FOLDS = 5
METRICS = {"r@1": "R@1", "recall_any@5": "any@5", "recall_all@5": "all@5", "ndcg@5": "NDCG@5"}
_OWN_WORDS = ("turn_cosine", "turn_bm25", "session_cosine")


def _without(weights: Weights, names: set[str]) -> dict[str, float]:
    return {name: weight for name, weight in weights.items() if name not in names}


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
    four = (*_OWN_WORDS, "session_bm25")
    mean = sum(SESSION_WEIGHTS[name] for name in _OWN_WORDS) / len(_OWN_WORDS)
    replies = {"reply_bm25"}
    return {
        ARMS: SESSION_WEIGHTS,
        **{f"only {name}": {name: 1.0} for name in (*four, ALWAYS)},
        **{f"without {name}": _without(SESSION_WEIGHTS, {name}) for name in SESSION_WEIGHTS},
        "replies for every question": {
            **_without(SESSION_WEIGHTS, replies),
            ALWAYS: SESSION_WEIGHTS["reply_bm25"],
        },
        "question searched as it stands": {
            **_without(SESSION_WEIGHTS, set(_OWN_WORDS)),
            **{f"{RAW}{name}": SESSION_WEIGHTS[name] for name in _OWN_WORDS},
        },
        "uniform weights": {**SESSION_WEIGHTS, **dict.fromkeys((*_OWN_WORDS, "reply_bm25"), mean)},
        "plain sum of four session arms": dict.fromkeys(four, 1.0),
        "plain sum, question as it stands": dict.fromkeys((f"{RAW}{name}" for name in four), 1.0),
    }


Look = tuple[Weights, Weights]
"""The weights of a second look: those that choose the first session, and those that rank the rest."""


def looks() -> dict[str, Look]:
    """Return the variants of the second look that are not fitted here, by name."""
    return {
        FULL: (FIRST_WEIGHTS, REST_WEIGHTS),
        **{
            f"without {name}": (_without(FIRST_WEIGHTS, {name}), _without(REST_WEIGHTS, {name}))
            for name in ("told", "recent", "kin")
        },
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
            return sum(values(one, {**SESSION_WEIGHTS, "time": time})[0] for one in questions)

        return {**SESSION_WEIGHTS, "time": max(self.grid, key=n_first)}


FITTED: Mapping[str, Fitting | TimeChosen] = {
    f"refitted, {N_FOLDS} folds": Fitting(names=tuple(SESSION_WEIGHTS)),
    f"refitted, strong penalty, {N_FOLDS} folds": Fitting(names=tuple(SESSION_WEIGHTS), l2=1.0),
    f"refitted with session_bm25, {N_FOLDS} folds": Fitting(names=(*SESSION_WEIGHTS, "session_bm25")),
    f"session arms refitted, {N_FOLDS} folds": Fitting(
        names=_OWN_WORDS,
        fixed=_without(SESSION_WEIGHTS, set(_OWN_WORDS)),
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
    """Return the metrics of one question under some weights of the arms, in the order of `METRICS`."""
    return _metrics(columns.ranked(weights), columns)


def _metrics(ranked: tuple[str, ...], columns: Columns) -> list[float]:
    relevant = columns.relevant
    return [
        recall_any(ranked, relevant, 1),
        recall_any(ranked, relevant, 5),
        recall_all(ranked, relevant, 5),
        longmemeval_ndcg(ranked, relevant, 5),
    ]


def fitted_looks(questions: Sequence[Columns], *, seed: int = 0) -> tuple[tuple[Look, ...], Look]:
    """Fit the second look once without each fold, and once to all questions."""
    fold_of = folds([one.question_id for one in questions], N_FOLDS, seed)
    return tuple(
        _fitted_look([one for one in questions if fold_of[one.question_id] != fold])
        for fold in range(N_FOLDS)
    ), _fitted_look(questions)


def _fitted_look(questions: Iterable[Columns], l2: float = 0.1) -> Look:
    told: list[tuple[Reading, Any]] = []
    for one in questions:
        if one.reading is not None:
            n = len(one.reading.columns["arms"])
            relevant = np.array([one.session_ids[row] in one.relevant for row in one.by_arms[:n]])
            if relevant.any():
                told.append((one.reading, relevant))
    if not told:
        return FIRST_WEIGHTS, REST_WEIGHTS
    first = _weights(FIRST_WEIGHTS, [({**reading.columns}, relevant) for reading, relevant in told], l2)
    seeded = [
        ({**reading.columns, "kin": reading.kin(reading.chosen(first))}, relevant)
        for reading, relevant in told
    ]
    return first, _weights(REST_WEIGHTS, seeded, l2)


def _weights(names: Iterable[str], told: Sequence[tuple[Mapping[str, Any], Any]], l2: float) -> Weights:
    names = tuple(names)
    found = fit(
        [Choice(np.stack([columns[name] for name in names], axis=1), relevant) for columns, relevant in told],
        l2=l2,
    )
    return dict(zip(names, map(float, found), strict=True))


def compare(questions: Sequence[Columns], *, seed: int = 0) -> dict[str, Any]:
    """Score every variant, and its difference from what it varies, over the same questions.

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
    whole = {
        name: np.array([_metrics(one.reranked(*look), one) for one in questions])
        for name, look in looks().items()
    }
    by_fold, overall = fitted_looks(questions, seed=seed)
    fold_of = folds([one.question_id for one in questions], N_FOLDS, seed)
    refitted = f"second look refitted, {N_FOLDS} folds"
    whole[refitted] = np.array(
        [_metrics(one.reranked(*by_fold[fold_of[one.question_id]]), one) for one in questions]
    )
    return {
        "benchmark": "ablation",
        "questions": len(questions),
        "agrees_with_agent": sum(one.agrees for one in questions),
        "intervals": {"confidence": 0.95, "method": "percentile bootstrap, paired by question", "seed": seed},
        "variants": {
            **_compared(whole, whole[FULL], FULL, seed),
            ARMS: _row(rows[ARMS], whole[FULL], FULL, seed),
            **_compared(
                {name: found for name, found in rows.items() if name != ARMS}, rows[ARMS], ARMS, seed
            ),
        },
        "weights": {name: dict(weights) for name, weights in variants().items()}
        | {name: [dict(part) for part in look] for name, look in looks().items()},
        "fitted": {
            name: {"overall": dict(found.overall), "by_fold": [dict(one) for one in found.by_fold]}
            for name, found in fits.items()
        },
        "fitted_look": {
            "overall": [dict(part) for part in overall],
            "by_fold": [[dict(part) for part in look] for look in by_fold],
        },
    }


def _compared(rows: Mapping[str, Any], base: Any, name: str, seed: int) -> dict[str, Any]:
    return {variant: _row(matrix, base, name, seed) for variant, matrix in rows.items()}


def _row(matrix: Any, base: Any, name: str, seed: int) -> dict[str, Any]:
    return {
        "compared_with": name,
        "mean": _estimates(matrix, seed),
        "difference": _estimates(matrix - base, seed),
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
    """Print means, and differences from what is varied with their intervals."""
    n = report["questions"]
    means = [
        (name, n, {metric: found["mean"][metric]["mean"] for metric in METRICS})
        for name, found in report["variants"].items()
    ]
    console.print(
        metrics_table("Sessions by variants of the weights, without abstentions", means, METRICS), ""
    )
    console.print("Differences, 95 % interval in brackets where it leaves out 0:")
    for name, found in report["variants"].items():
        parts = [f"{heading} {_signed(found['difference'][metric])}" for metric, heading in METRICS.items()]
        said = f"  {name} (from {found['compared_with']}): {', '.join(parts)}"
        console.print(said, markup=False, highlight=False, soft_wrap=True)
    for name, weights in report["fitted"].items():
        shown = ", ".join(f"{column} {weight:.2f}" for column, weight in weights["overall"].items())
        console.print(f"{name}, on all questions: {shown}", highlight=False, soft_wrap=True)
    for name, look in zip(("first", "rest"), report["fitted_look"]["overall"], strict=True):
        shown = ", ".join(f"{column} {weight:.2f}" for column, weight in look.items())
        console.print(f"second look refitted, {name}, on all questions: {shown}", highlight=False)
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


def _estimates(matrix: Any, seed: int) -> dict[str, dict[str, float]]:
    return {
        metric: asdict(estimate)
        for metric, estimate in zip(METRICS, bootstrap(matrix, seed=seed), strict=True)
    }
