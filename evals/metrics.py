"""Metrics as pure functions of one question, and the means and intervals over many.

A ranking is a sequence of ids, best first; ids that come again after their best rank count once.
"""

from __future__ import annotations

import math
import re
import string
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_PUNCTUATION = str.maketrans(string.punctuation, " " * len(string.punctuation))
_ARTICLES = re.compile(r"\b(a|an|the)\b")


def first_ranks(ranked: Iterable[str]) -> list[str]:
    """Return the ranking with every id at its best rank only."""
    return list(dict.fromkeys(ranked))


def recall_any(ranked: Sequence[str], relevant: Collection[str], k: int) -> float:
    """Return 1 if at least one relevant id is among the first `k`, else 0. Higher is better; 0 or 1.

    LongMemEval's `recall_any@k` (`eval_utils.py` of the official repository); its mean over questions
    is what most products publish as R@k. At `k` = 1 it is R@1.

    Raises:
        ValueError: `relevant` is empty or `k` is below 1.
    """
    _check(relevant, k)
    return float(not set(first_ranks(ranked)[:k]).isdisjoint(relevant))


def recall_all(ranked: Sequence[str], relevant: Collection[str], k: int) -> float:
    """Return 1 if every relevant id is among the first `k`, else 0. Higher is better; 0 or 1.

    LongMemEval's `recall_all@k`. It cannot be 1 where there are more than `k` relevant ids.

    Raises:
        ValueError: `relevant` is empty or `k` is below 1.
    """
    _check(relevant, k)
    return float(set(relevant) <= set(first_ranks(ranked)[:k]))


def longmemeval_ndcg(ranked: Sequence[str], relevant: Collection[str], k: int) -> float:
    """Return LongMemEval's NDCG@k with binary relevance. Higher is better; 0..1.

    DCG = rel[0] + sum over i >= 1 of rel[i] / log2(i + 1), for 0-based i, over the first `k`; divided by
    the DCG of the best possible ranking of the whole corpus. Unlike the usual NDCG (discount
    log2(i + 2)), the second rank is not discounted: log2(2) = 1. Source: `eval_utils.py` of the
    official repository (`ndcg_any@k`).

    Raises:
        ValueError: `relevant` is empty or `k` is below 1.
    """
    _check(relevant, k)
    gold = set(relevant)
    ideal = _dcg([True] * min(len(gold), k))
    return _dcg([doc in gold for doc in first_ranks(ranked)[:k]]) / ideal


def reciprocal_rank(ranked: Sequence[str], relevant: Collection[str]) -> float:
    """Return 1 / rank of the first relevant id, 0 if none is ranked. Higher is better; 0..1.

    Its mean over questions is MRR (Voorhees, TREC-8 1999).

    Raises:
        ValueError: `relevant` is empty.
    """
    _check(relevant, 1)
    gold = set(relevant)
    return next((1.0 / rank for rank, doc in enumerate(first_ranks(ranked), start=1) if doc in gold), 0.0)


def covered(packed: Collection[str], relevant: Collection[str]) -> float:
    """Return 1 if every relevant id is in the packed context, else 0. Higher is better; 0 or 1.

    Its mean is the share of questions whose whole evidence reaches the prompt. Give only the ids of
    turns packed in full to leave out those that were cut.

    Raises:
        ValueError: `relevant` is empty.
    """
    _check(relevant, 1)
    return float(set(relevant) <= set(packed))


def normalize_answer(text: str) -> str:
    """Return a text in lower case without punctuation and English articles, single spaces (SQuAD's rule).

    Punctuation becomes a space, so that `7-day` and `7 day` are the same.
    """
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def containment(reply: str, answer: str) -> float:
    """Return 1 if the normalised answer occurs in the normalised reply, else 0. Higher is better.

    Whole words only. This is not judged accuracy: a reply that quotes the answer and denies it
    counts, a paraphrase does not.

    Raises:
        ValueError: nothing is left of the answer after normalisation.
    """
    gold = normalize_answer(answer)
    if not gold:
        raise ValueError(f"the answer {answer!r} holds no words")
    return float(f" {gold} " in f" {normalize_answer(reply)} ")


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over questions with its bootstrap interval."""

    n: int
    mean: float
    low: float
    high: float


def bootstrap(
    values: npt.ArrayLike, *, seed: int = 0, n_resamples: int = 2_000, confidence: float = 0.95
) -> list[Estimate]:
    """Estimate the mean of each column, with a percentile bootstrap interval over the rows.

    Args:
        values: shape `(n_questions, n_metrics)`; the rows are resampled together.
        seed: of the resampling; the same values and seed give the same interval.
        n_resamples: number of bootstrap samples.
        confidence: probability mass of the interval, in (0, 1).

    Raises:
        ValueError: there are no rows, or `values` is not a matrix.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13.
    """
    matrix = np.asarray(values, dtype=np.float64)
    if matrix.ndim != 2 or not len(matrix):
        raise ValueError(f"expected a matrix with at least one row, got shape {matrix.shape}")
    n = len(matrix)
    # Drawing n rows with replacement is drawing how often each row occurs.
    counts = np.random.default_rng(seed).multinomial(n, np.full(n, 1.0 / n), size=n_resamples)
    means = counts @ matrix / n
    tail = 50.0 * (1.0 - confidence)
    low, high = np.percentile(means, [tail, 100.0 - tail], axis=0)
    return [
        Estimate(n, float(mean), float(bottom), float(top))
        for mean, bottom, top in zip(matrix.mean(axis=0), low, high, strict=True)
    ]


def percentiles(values: Sequence[float], ranks: Sequence[int] = (50, 90, 95, 99)) -> dict[str, float]:
    """Return percentiles `p50`, ... (linear interpolation), `max` and the number `n` of some values.

    Raises:
        ValueError: there are no values.
    """
    if not values:
        raise ValueError("no values")
    found = np.percentile(np.asarray(values, dtype=np.float64), list(ranks))
    named = {f"p{rank}": float(value) for rank, value in zip(ranks, found, strict=True)}
    return {"n": len(values), **named, "max": max(values)}


def _dcg(relevances: Sequence[bool]) -> float:
    return sum(
        float(relevant) / (math.log2(place + 1) if place else 1.0)
        for place, relevant in enumerate(relevances)
    )


def _check(relevant: Collection[str], k: int) -> None:
    if not relevant:
        raise ValueError("a question without relevant ids has no score; leave it out")
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k!r}")
