"""A softmax choice model: which weights make the relevant documents of each question the likely choice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]
_MAX_STEPS = 50
_MAX_HALVINGS = 30
_TOLERANCE = 1e-8


@dataclass(frozen=True)
class Choice:
    """One question and its n documents.

    Attributes:
        features: shape `(n, d)`.
        relevant: shape `(n,)`, at least one True.
        offset: shape `(n,)`, what is added to the scores with a weight that is not fitted; or 0.
    """

    features: Matrix
    relevant: npt.NDArray[np.bool_]
    offset: Matrix | float = 0.0


def fit(choices: Sequence[Choice], *, l2: float = 1.0) -> Matrix:
    """Return the weights, shape `(d,)`, of greatest penalised likelihood.

    Each question chooses one of its documents with probability softmax(features @ w + offset).
    Maximised is the sum over questions of the mean log probability of its relevant documents, less
    l2 / 2 |w|^2; it is concave, and climbed by Newton's method with halved steps. Source: McFadden,
    Conditional logit analysis of qualitative choice behavior (1974).

    Args:
        choices: one per question.
        l2: strength of the penalty, above 0.

    Raises:
        ValueError: there are no questions, or one has no relevant document.
    """
    if not choices or not all(choice.relevant.any() for choice in choices):
        raise ValueError("a fit needs questions, each with a relevant document")
    weights = np.zeros(choices[0].features.shape[1])
    value = _value(choices, weights, l2)
    for _ in range(_MAX_STEPS):
        gradient, curvature = _derivatives(choices, weights, l2)
        step = np.linalg.solve(curvature, gradient)
        for _ in range(_MAX_HALVINGS):
            tried = _value(choices, weights + step, l2)
            if tried >= value:
                break
            step = step / 2.0
        else:
            break
        weights, value = weights + step, tried
        if float(np.abs(step).max()) < _TOLERANCE:
            break
    return weights


def folds(names: Sequence[str], n_folds: int, seed: int = 0) -> dict[str, int]:
    """Deal names out to folds of nearly equal size; the order of the names does not matter.

    Raises:
        ValueError: there are fewer names than folds, or fewer than two folds.
    """
    if not 2 <= n_folds <= len(names):
        raise ValueError(f"cannot deal {len(names)} questions out to {n_folds} folds")
    shuffled = sorted(names)
    Random(seed).shuffle(shuffled)
    return {name: place % n_folds for place, name in enumerate(shuffled)}


def _log_probabilities(choice: Choice, weights: Matrix) -> Matrix:
    scores = choice.features @ weights + choice.offset
    scores = scores - scores.max()
    return np.asarray(scores - np.log(np.exp(scores).sum()))


def _value(choices: Sequence[Choice], weights: Matrix, l2: float) -> float:
    likelihood = sum(float(_log_probabilities(one, weights)[one.relevant].mean()) for one in choices)
    return likelihood - l2 / 2.0 * float(weights @ weights)


def _derivatives(choices: Sequence[Choice], weights: Matrix, l2: float) -> tuple[Matrix, Matrix]:
    """Return the gradient and the negated Hessian."""
    gradient = -l2 * weights
    curvature = l2 * np.eye(len(weights))
    for one in choices:
        chances = np.exp(_log_probabilities(one, weights))
        mean = chances @ one.features
        gradient = gradient + one.features[one.relevant].mean(axis=0) - mean
        centred = one.features - mean
        curvature = curvature + centred.T @ (centred * chances[:, None])
    return gradient, curvature
