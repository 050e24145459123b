"""Means over questions, how far they can be trusted, and whether two of them differ."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over questions with its bootstrap interval.

    Attributes:
        n: how many questions.
        mean: in the unit of the metric.
        low: lower end of the interval.
        high: upper end of the interval.
    """

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
    """Return the percentiles at some `ranks` (0..100) as `p50`, ..., with `max` and the number `n` of values.

    Between two values they are interpolated linearly.

    Raises:
        ValueError: there are no values.
    """
    if not values:
        raise ValueError("no values")
    found = np.percentile(np.asarray(values, dtype=np.float64), list(ranks))
    named = {f"p{rank}": float(value) for rank, value in zip(ranks, found, strict=True)}
    return {"n": len(values), **named, "max": max(values)}


def standard_error(values: Sequence[float]) -> float:
    """Return the standard error of a mean: s / sqrt(n), s with n - 1. Lower is better: more certain.

    Raises:
        ValueError: there are fewer than two values, which have no spread.
    """
    if len(values) < 2:
        raise ValueError(f"a standard error needs two values, got {len(values)}")
    return float(np.std(np.asarray(values, dtype=np.float64), ddof=1) / math.sqrt(len(values)))


@dataclass(frozen=True, slots=True)
class Difference:
    """The mean of `b - a` over the same questions.

    Attributes:
        n: how many questions.
        mean_a: in the unit of the metric.
        mean_b: in the same.
        difference: above 0 where `b` is larger.
        low: lower end of its interval.
        high: upper end of its interval.
    """

    n: int
    mean_a: float
    mean_b: float
    difference: float
    low: float
    high: float
    p: float
    """Two-sided: how often questions without a difference would show one as large."""


def paired_difference(
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    *,
    seed: int = 0,
    n_resamples: int = 10_000,
    confidence: float = 0.95,
) -> Difference:
    """Compare two runs over the same questions by a paired bootstrap.

    The interval is the percentile interval of the mean difference over resampled questions. For `p` the
    differences are shifted to a mean of zero and resampled: p = (1 + #{|resampled mean| >= |mean|}) /
    (1 + resamples), never 0. Where all differences are alike, resampling shows no spread; so p is never below
    2^(1 - n), the least that flipping the signs of n differences can give: 1 for a single question.

    Args:
        a: shape `(n,)`, values of the first run, in [0, 1] or any other unit.
        b: shape `(n,)`, values of the second for the same questions in the same order.
        seed: of the resampling.
        n_resamples: number of bootstrap samples; the smallest p is 1 / (n_resamples + 1).
        confidence: probability mass of the interval, in (0, 1).

    Raises:
        ValueError: there are no values, or not as many of one as of the other.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapters 13 and 16.
    """
    first, second = (np.asarray(values, dtype=np.float64) for values in (a, b))
    if not len(first) or len(first) != len(second):
        raise ValueError(
            f"expected as many values in both runs and at least one, got {len(first)} and {len(second)}"
        )
    differences = second - first
    n, mean = len(differences), float(differences.mean())
    counts = np.random.default_rng(seed).multinomial(n, np.full(n, 1.0 / n), size=n_resamples)
    means = counts @ differences / n
    tail = 50.0 * (1.0 - confidence)
    low, high = np.percentile(means, [tail, 100.0 - tail])
    # Sums in another order differ in the last bits, which must not make equal means unequal.
    as_large = np.abs(means - mean) >= abs(mean) - 1e-12
    return Difference(
        n=n,
        mean_a=float(first.mean()),
        mean_b=float(second.mean()),
        difference=mean,
        low=float(low),
        high=float(high),
        p=max(float((1 + as_large.sum()) / (1 + n_resamples)), 2.0 ** (1 - n)),
    )


def false_discovery_adjusted(p_values: Sequence[float]) -> list[float]:
    """Return the `p_values` adjusted for their number, in their order. Lower is surer; 0..1.

    Sorted, the i-th smallest of m is multiplied by m / i, and never exceeds a later one. Of those below a
    level at most that share is expected to be chance, also where metrics go up and down together.

    Source: Benjamini and Hochberg, Journal of the Royal Statistical Society B 57 (1995).
    """
    m = len(p_values)
    adjusted, least = [1.0] * m, 1.0
    for rank, index in zip(range(m, 0, -1), np.argsort(p_values, kind="stable")[::-1], strict=True):
        least = min(least, p_values[index] * m / rank)
        adjusted[index] = least
    return adjusted
