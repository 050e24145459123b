"""Which constraints rest on the body: liking a thing does not end an allergy to it."""

from __future__ import annotations

import re

from habitus.memory.records import Preference

_ON_HEALTH = re.compile(
    r"\b(?:allerg\w*|\w*intoleran\w*|c(?:o)?eliac|anaphyla\w*|hypersensitiv\w*)\b", re.IGNORECASE
)
_CHANGED = re.compile(
    r"\b(?:again|now|nowadays|these\s+days|any\s?more|no\s+longer|finally|after\s+all|can|could|able|"
    r"(?:out)?gr(?:ew|own)|cured|safe(?:ly)?)\b",
    re.IGNORECASE,
)


def rests_on_health(preference: Preference) -> bool:
    """Tell whether a preference rules something out because the body does not bear it."""
    return preference.stance == "avoid" and _ON_HEALTH.search(preference.statement) is not None


def is_held_by_health(old: Preference, new: Preference) -> bool:
    """Tell whether `new` only likes what `old` rules out for health, and tells of no change.

    Args:
        old: what is known.
        new: what seems to contradict it.
    """
    return (
        old.status == "active"
        and rests_on_health(old)
        and new.stance in ("like", "require", "neutral")
        and new.source != "correction"
        and _CHANGED.search(new.statement) is None
    )
