"""How much a preference still holds: what was said stays, what was only shown fades unless shown again."""

from __future__ import annotations

import math
from datetime import datetime

from habitus.memory.records import Preference

HALF_LIFE_DAYS = 90.0
FORGOTTEN_BELOW = 0.2


def last_seen(preference: Preference) -> datetime:
    """Return when the preference was last said or shown."""
    first = max(preference.learnt_at, preference.valid_from)
    return first if preference.seen_at is None else max(first, preference.seen_at)


def current_confidence(preference: Preference, at: datetime) -> float:
    """Return the confidence at an instant: what was said stays, what was only shown halves in 90 days."""
    if preference.explicit or preference.source == "demographics":
        return preference.confidence
    days = max(0.0, (at - last_seen(preference)).total_seconds() / 86_400)
    return preference.confidence * math.pow(0.5, days / HALF_LIFE_DAYS)


def holds(preference: Preference, at: datetime) -> bool:
    """Tell whether a preference is active, not faded, begun and not over at an instant."""
    if preference.valid_from > max(at, preference.learnt_at):
        return False
    if preference.status != "active" or current_confidence(preference, at) < FORGOTTEN_BELOW:
        return False
    return preference.valid_to is None or preference.valid_to > at
