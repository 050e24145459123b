"""Whether a reply does what preferences ask: of its content by words alone, of its form exactly."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from habitus.memory.known.preferences import is_positive
from habitus.memory.learning.features import n_words, named_traits, traits_in
from habitus.memory.learning.length import ALIKE, LONG, SHORT
from habitus.memory.records import Preference
from habitus.retrievers.analysis import FUNCTION_STEMS, analyze

_ABOUT = re.compile(r"\babout (\d+) words\b")
NAMES = 0.5
"""A reply speaks of a target when it holds this share of its stems."""


def honoured(reply: str, tastes: Sequence[Preference]) -> float:
    """Return how far a reply speaks of what is liked rather than disliked, -1..1; 0 where of neither."""
    said = frozenset(analyze(reply[:20_000]))
    spoken = [
        is_positive(taste.stance)
        for taste in tastes
        if taste.status == "active" and not taste.topic.startswith("style.") and speaks_of(said, taste)
    ]
    signs = [1.0 if positive else -1.0 for positive in spoken if positive is not None]
    return sum(signs) / len(signs) if signs else 0.0


def speaks_of(said: frozenset[str], taste: Preference) -> bool:
    """Tell whether a text, by its stems, names what a preference is about."""
    terms = frozenset(analyze(taste.target)) - FUNCTION_STEMS
    return bool(terms) and len(terms & said) / len(terms) >= NAMES


def keeps_style(reply: str, preference: Preference) -> float | None:
    """Return how far a reply keeps one preference of style: 1 does, -1 does not; None where none can tell."""
    if preference.topic == "style.length":
        return _keeps_length(n_words(reply), preference)
    named = named_traits(preference.topic, preference.target)
    positive = is_positive(preference.stance)
    if not named or positive is None:
        return None
    has = any(trait.name in traits_in(reply) for trait in named)
    return 1.0 if has == positive else -1.0


def style_kept(
    reply: str, preferences: Sequence[Preference]
) -> tuple[float, list[Preference], list[Preference]]:
    """Return the mean over all preferences of style that can be told, -1..1, with those kept and broken."""
    kept: list[Preference] = []
    broken: list[Preference] = []
    total = weight = 0.0
    for preference in preferences:
        if preference.status != "active" or not preference.topic.startswith("style."):
            continue
        found = keeps_style(reply, preference)
        if found is None:
            continue
        total += preference.strength * found
        weight += preference.strength
        (kept if found > 0 else broken).append(preference)
    return (total / weight if weight else 0.0), kept, broken


def _keeps_length(words: int, preference: Preference) -> float:
    wanted = _ABOUT.search(preference.statement)
    if wanted is not None:
        off = abs(math.log2(words / max(1, int(wanted[1]))))
        return max(-1.0, 1.0 - off / math.log2(ALIKE))
    is_short = words <= (SHORT + LONG) / 2
    return 1.0 if is_short == ("short" in preference.target) else -1.0
