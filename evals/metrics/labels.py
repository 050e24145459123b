"""Metrics of labels and numbers against gold; scikit-learn does the counting."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt


def accuracy(predicted: Sequence[Hashable], gold: Sequence[Hashable]) -> float:
    """Return the share of `predicted` labels that are as in `gold`. Higher is better; 0..1.

    Raises:
        ValueError: there are no labels, or not as many of one as of the other.
    """
    _check(predicted, gold)
    return sum(one == other for one, other in zip(predicted, gold, strict=True)) / len(gold)


def f1(predicted: Sequence[Hashable], gold: Sequence[Hashable], average: Literal["macro", "micro"]) -> float:
    """Return F1 = 2 P R / (P + R) of `predicted` against `gold`. Higher is better; 0..1.

    With the average `macro` it is the mean of the F1 of every class that occurs in either sequence, a class
    never predicted counting 0; `micro` adds the counts of all classes first, which for one label a sample is
    accuracy.

    Source: Sokolova and Lapalme, Information Processing and Management 45 (2009).

    Raises:
        ValueError: there are no labels, or not as many of one as of the other.
    """
    from sklearn.metrics import f1_score

    said, expected = _numbered(predicted, gold)
    # Without annotations of its own, its arguments are taken for the types of their defaults.
    score: Callable[..., float] = f1_score
    return float(score(expected, said, average=average, zero_division=0.0))


def mcc(predicted: Sequence[Hashable], gold: Sequence[Hashable]) -> float:
    """Return Matthews' correlation of `predicted` and `gold` classes. Higher is better; -1..1.

    0 is chance, and what scikit-learn returns where one of the sequences holds a single class.

    Source: Matthews, Biochimica et Biophysica Acta 405 (1975); Gorodkin (2004) for several classes.

    Raises:
        ValueError: there are no labels, or not as many of one as of the other.
    """
    from sklearn.metrics import matthews_corrcoef

    said, expected = _numbered(predicted, gold)
    return float(matthews_corrcoef(expected, said))


def cohen_kappa(one: Sequence[Hashable], other: Sequence[Hashable]) -> float:
    """Return Cohen's kappa: agreement beyond chance, (p_o - p_e) / (1 - p_e). Higher is better; -1..1.

    Where both gave one and the same label to everything, kappa is 0/0; 1.0 is returned, as they agree.

    Source: Cohen, Educational and Psychological Measurement 20 (1960).

    Raises:
        ValueError: there are no labels, or not as many of one as of the other.
    """
    from sklearn.metrics import cohen_kappa_score

    first, second = _numbered(one, other)
    if len(set(first) | set(second)) == 1:
        return 1.0
    return float(cohen_kappa_score(first, second))


def mae(predicted: Sequence[float], gold: Sequence[float]) -> float:
    """Return the mean absolute error of `predicted` against `gold`, in their unit. Lower is better.

    Raises:
        ValueError: there are no values, or not as many of one as of the other.
    """
    return float(np.abs(_errors(predicted, gold)).mean())


def rmse(predicted: Sequence[float], gold: Sequence[float]) -> float:
    """Return the root of the mean squared error of `predicted` against `gold`. Lower is better; 0 or more.

    Raises:
        ValueError: there are no values, or not as many of one as of the other.
    """
    return float(np.sqrt(np.square(_errors(predicted, gold)).mean()))


def _errors(predicted: Sequence[float], gold: Sequence[float]) -> npt.NDArray[np.float64]:
    _check(predicted, gold)
    return np.asarray(predicted, dtype=np.float64) - np.asarray(gold, dtype=np.float64)


def _numbered(one: Sequence[Hashable], other: Sequence[Hashable]) -> tuple[list[int], list[int]]:
    """Return labels of any kind as numbers; scikit-learn refuses mixed ones."""
    _check(one, other)
    numbers = {label: number for number, label in enumerate(dict.fromkeys([*one, *other]))}
    return [numbers[label] for label in one], [numbers[label] for label in other]


def _check(one: Sequence[object], other: Sequence[object]) -> None:
    if not one or len(one) != len(other):
        raise ValueError(f"expected as many in both and at least one, got {len(one)} and {len(other)}")
