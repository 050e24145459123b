"""What choices among replies tell when many are taken together: score tests of a conditional logit model.

One choice among drafts that differ in everything tells little of any single trait. Over many, a trait that
the chosen replies have more often than chance would give is wanted: with `x` the trait in each reply of a
choice, z = sum(x_chosen - mean(x)) / sqrt(sum(var(x))) (McFadden 1974; the score test of a weight of 0).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, pvariance

from habitus.memory.learning.features import TRAITS, n_words, traits_in
from habitus.memory.learning.log import Given

N_CHOICES = 12
"""The latest ones."""
MIN_CHOICES = 3
SURE = 2.4
"""The z that tells as much as choices can; at 5/6 of it a trait begins to be believed."""
SURE_OF_LENGTH = 1.64
STEP = 0.8
"""Where the shortest reply is taken again and again, a still shorter one is wanted: by this factor."""
FURTHEST = 0.5
"""... but not shorter than this share of the replies not taken (or longer than its inverse)."""


@dataclass(frozen=True)
class Told:
    """What choices tell.

    Attributes:
        traits: by name, -1 (sure not to be wanted) to 1 (sure to be).
        words: how long replies should be; None where length did not decide.
        longer: whether that is because longer ones were taken.
    """

    traits: dict[str, float]
    words: float | None = None
    longer: bool = False


def told_by_choices(log: Sequence[Given]) -> Told:
    """Read what the latest choices have in common."""
    choices = [given.feedback.choice for given in log if given.feedback.choice is not None][-N_CHOICES:]
    choices = [one for one in choices if one.losers]
    if len(choices) < MIN_CHOICES:
        return Told({})
    traits = {}
    for name in TRAITS:
        z = _z([float(name in traits_in(text)) for text in (one.winner, *one.losers)] for one in choices)
        if z:
            traits[name] = max(-1.0, min(1.0, z / SURE))
    lengths = [[math.log(n_words(text)) for text in (one.winner, *one.losers)] for one in choices]
    z = _z(lengths)
    if abs(z) < SURE_OF_LENGTH:
        return Told(traits)
    return Told(traits, _wanted_length(lengths, sign=1.0 if z > 0 else -1.0), longer=z > 0)


def _z(choices: Iterable[list[float]]) -> float:
    """Return the score; of each choice the first value is that of the reply taken."""
    sets = list(choices)
    spread = sum(pvariance(values) for values in sets)
    return sum(values[0] - fmean(values) for values in sets) / math.sqrt(spread) if spread else 0.0


def _wanted_length(lengths: Sequence[list[float]], *, sign: float) -> float:
    """Return the number of words that longer (sign 1) or shorter (-1) replies should have."""
    wanted = fmean(values[0] for values in lengths[-MIN_CHOICES:])
    if all(sign * values[0] > max(sign * other for other in values[1:]) for values in lengths[-2:]):
        furthest = fmean(fmean(values[1:]) for values in lengths) - sign * math.log(FURTHEST)
        wanted -= sign * math.log(STEP)
        wanted = sign * min(sign * wanted, sign * furthest)
    return math.exp(wanted)
