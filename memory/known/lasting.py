"""Tastes for a time: they stand beside what holds always, come before it while they last, and then end.

"No coffee this week" does not end a love of coffee: its record names the other in `supersedes`, and hides it
until it is over.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from habitus.memory.known.drift import holds
from habitus.memory.records import Preference, Stance

_LIVE = ("active", "pending")
_NUMBER = re.compile(r"\d")


def is_passing(preference: Preference) -> bool:
    """Tell whether a preference that has not been ended by anything was said to hold for a time only."""
    return preference.status in _LIVE and preference.valid_to is not None


def is_over(preference: Preference, at: datetime) -> bool:
    """Tell whether the time of a passing preference is over at an instant."""
    return is_passing(preference) and preference.valid_to is not None and preference.valid_to <= at


def in_force(preferences: Sequence[Preference], at: datetime) -> list[Preference]:
    """Return what holds at an instant, each thing once.

    Of what a passing taste contradicts, that alone counts while it lasts; of two wishes on the same trait of
    replies ("short replies", "short replies (about 20 words)") the one that says how much.
    """
    held = [one for one in preferences if holds(one, at)]
    hidden = {one.supersedes for one in held if is_passing(one)}
    measured = {_trait(one) for one in held if _is_measured(one)}
    return [
        one for one in held if one.id not in hidden and (_is_measured(one) or _trait(one) not in measured)
    ]


def _is_measured(preference: Preference) -> bool:
    return preference.topic.startswith("style.") and _NUMBER.search(preference.statement) is not None


def _trait(preference: Preference) -> tuple[str, str, Stance, str | None]:
    return preference.topic, preference.target, preference.stance, preference.scope


def ended(preferences: Iterable[Preference], at: datetime) -> list[Preference]:
    """Return the passing preferences whose time is over, as they stand from now on."""
    return [
        one.model_copy(update={"status": "superseded", "status_reason": f"it was said to hold {until(one)}"})
        for one in preferences
        if is_over(one, at)
    ]


def until(preference: Preference) -> str:
    """Return for how long a preference was said to hold ("until 2026-11-30"); "" for always."""
    begins = preference.valid_from > preference.learnt_at
    opening = f"from {preference.valid_from:%Y-%m-%d}" if begins else ""
    if preference.valid_to is None or preference.status not in _LIVE:
        return opening
    last = preference.valid_to - timedelta(microseconds=1)
    is_day = preference.valid_to.time() == preference.valid_to.min.time()
    shown = f"{last:%Y-%m-%d}" if is_day else f"{preference.valid_to:%Y-%m-%d %H:%M}"
    return f"{opening} until {shown}".strip()


def with_term(statement: str, preference: Preference) -> str:
    """Return a statement with the time that it holds for behind it, if it does not hold always."""
    term = until(preference)
    return f"{statement} ({term})" if term else statement
