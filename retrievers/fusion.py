"""Putting the scores of several arms on one scale."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.float64]


def standardise(scores: npt.ArrayLike) -> Scores:
    """Shift and scale scores to mean 0 and standard deviation 1; the shape stays, `(n,)`.

    All zeros where the scores are equal.
    """
    values = np.asarray(scores, dtype=np.float64)
    if values.size == 0:
        return values
    centred = values - values.mean()
    # The mean of large equal numbers is not always that number; what it is off by must not count as a score.
    centred -= centred.mean()
    spread = float(centred.std())
    if spread < 1e-12:
        return np.zeros_like(values)
    return np.asarray(centred / spread)


def weighted_sum(arms: Mapping[str, npt.ArrayLike], weights: Mapping[str, float]) -> Scores:
    """Add standardised arms, each times its weight; higher is better.

    Args:
        arms: by name, scores of one shape `(n,)`, higher is better.
        weights: by name; an arm without a weight does not count.

    Raises:
        ValueError: a weight names no arm, or there are no weights.
    """
    unknown = sorted(set(weights) - set(arms))
    if unknown:
        raise ValueError(f"weights for unknown arms {unknown}; there are {sorted(arms)}")
    parts = [weight * standardise(arms[name]) for name, weight in weights.items()]
    if not parts:
        raise ValueError("at least one arm needs a weight")
    return np.asarray(np.sum(parts, axis=0))
