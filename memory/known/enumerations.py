"""Tastes for several things at once ("nuts and milk"), of which one is taken back."""

from __future__ import annotations

import re
from datetime import datetime

from habitus.memory.extraction.outcome import record_id
from habitus.memory.records import Preference
from habitus.retrievers.analysis import analyze

_BETWEEN = re.compile(r" ?, ?(?:(?:and|or) )?| (?:and|or) ", re.IGNORECASE)


def remaining(target: str, taken_back: str) -> str | None:
    """Return the things of an enumeration that are left without one; None if it is none of them, or all."""
    items = [item for item in _BETWEEN.split(" ".join(target.split())) if item]
    left = [item for item in items if set(analyze(item)) != set(analyze(taken_back))]
    if not left or len(left) == len(items):
        return None
    return " and ".join(filter(None, [", ".join(left[:-1]), left[-1]]))


def without(old: Preference, left: str, *, at: datetime) -> Preference:
    """Return the preference for what is left of an enumeration, in place of `old`."""
    statement = re.sub(re.escape(old.target), lambda _: left, old.statement, count=1, flags=re.IGNORECASE)
    if statement == old.statement:
        statement = f"{old.statement.rstrip('.')} (only {left})."
    return old.model_copy(
        update={
            "id": record_id(old.id, left),
            "statement": statement,
            "target": left,
            "supersedes": old.id,
            "valid_from": max(at, old.valid_from),
            "learnt_at": max(at, old.learnt_at),
        }
    )
