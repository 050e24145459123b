"""The reward weights of one user: Bradley-Terry on interpretable features, learnt online.

An edit is a comparison that the user's version won, a choice one for each loser, a rating one with the
average of the replies rated before. P(a over b) = sigmoid(w (f(a) - f(b))), one regularised gradient
step a comparison (Bradley and Terry, 1952).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import fmean, variance

from habitus.memory.learning.features import FEATURES, TRAITS, features, traits_in
from habitus.memory.learning.honouring import honoured
from habitus.memory.learning.log import Given
from habitus.memory.learning.slips import as_meant, only_spelling
from habitus.memory.records import Preference, RewardWeights

RATE = 0.4
DECAY = 0.01
"""Share of every weight that a comparison takes away: the regularisation, and what lets tastes change."""
LIMIT = 3.0
IMPLICIT = 0.5
"""How much a rating counts that was read off the next message."""
MIN_RATINGS, N_RATINGS = 3, 20
"""With and without a trait, at least; and in all, the latest."""
SURE, LEAST_VARIANCE = 3.6, 0.01
"""Welch's t that tells as much as ratings can; and what equal ratings are taken to vary by."""

Features = Mapping[str, float]


@dataclass(frozen=True)
class Comparison:
    """What was preferred to what, and how much that counts, 0..1."""

    better: Features
    worse: Features
    count: float = 1.0


def comparisons(log: Sequence[Given], tastes: Sequence[Preference] = ()) -> Iterator[Comparison]:
    """Read a log as comparisons of replies, oldest first."""
    rated: list[Features] = []
    for given in log:
        feedback = given.feedback
        if feedback.edit is not None:
            if not only_spelling(feedback.edit):
                edit = as_meant(feedback.edit)
                yield Comparison(described(edit.after, tastes), described(edit.before, tastes))
        elif feedback.choice is not None:
            winner, losers = described(feedback.choice.winner, tastes), feedback.choice.losers
            for loser in losers:
                yield Comparison(winner, described(loser, tastes), 1.0 / len(losers))
        elif feedback.rating and given.reply:
            found = described(given.reply, tastes)
            if rated:
                mean = {name: sum(one[name] for one in rated) / len(rated) for name in found}
                count = abs(feedback.rating) * (IMPLICIT if feedback.implicit else 1.0)
                better, worse = (found, mean) if feedback.rating > 0 else (mean, found)
                yield Comparison(better, worse, count)
            rated = [*rated, found][-N_RATINGS:]


def described(reply: str, tastes: Sequence[Preference]) -> Features:
    """Return the features of a reply, with `honoured`: how far it offers what is liked, -1..1."""
    return {**features(reply), "honoured": honoured(reply, tastes)}


def learn(
    user_id: str, log: Sequence[Given], at: datetime, tastes: Sequence[Preference] = ()
) -> RewardWeights | None:
    """Return the weights that a log teaches; None where it compares nothing.

    Args:
        user_id: whose.
        log: what counts, oldest first.
        at: now.
        tastes: preferences of any kind; those on content make the feature `honoured`.
    """
    values = dict.fromkeys((*FEATURES, "honoured"), 0.0)
    n = 0
    for comparison in comparisons(log, tastes):
        _step(values, comparison)
        n += 1
    if not n:
        return None
    rounded = {name: round(value, 4) for name, value in values.items() if abs(value) >= 5e-5}
    return RewardWeights(user_id=user_id, made_at=at, values=rounded, n_comparisons=n)


def _step(values: dict[str, float], comparison: Comparison) -> None:
    gap = {name: comparison.better[name] - comparison.worse[name] for name in values}
    margin = sum(values[name] * gap[name] for name in values)
    push = RATE * comparison.count / (1.0 + math.exp(margin))
    for name, value in values.items():
        moved = value * (1.0 - DECAY * comparison.count) + push * gap[name]
        values[name] = max(-LIMIT, min(LIMIT, moved))


def worth(weights: RewardWeights, reply: str, tastes: Sequence[Preference] = ()) -> float:
    """Return the learnt worth of a reply: its log odds against one without any feature."""
    found = described(reply, tastes)
    return sum(value * found.get(name, 0.0) for name, value in weights.values.items())


def told_by_ratings(log: Sequence[Given]) -> dict[str, float]:
    """Return, by trait, whether replies with it were rated better than those without, -1..1.

    It is Welch's t of the difference, over `SURE`: few or scattered ratings tell little.
    """
    rated = [
        (traits_in(given.reply), given.feedback.rating * (IMPLICIT if given.feedback.implicit else 1.0))
        for given in log
        if given.feedback.rating is not None and given.reply
    ][-N_RATINGS:]
    told: dict[str, float] = {}
    for name in TRAITS:
        having = [rating for found, rating in rated if name in found]
        lacking = [rating for found, rating in rated if name not in found]
        if min(len(having), len(lacking)) >= MIN_RATINGS:
            told[name] = max(-1.0, min(1.0, _welch(having, lacking) / SURE))
    return told


def _welch(one: Sequence[float], other: Sequence[float]) -> float:
    error = sum((variance(sample) + LEAST_VARIANCE) / len(sample) for sample in (one, other))
    return (fmean(one) - fmean(other)) / math.sqrt(error)
