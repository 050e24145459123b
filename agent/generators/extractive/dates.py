"""Date arithmetic: how long ago, how long between, which came first, in what order."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from habitus.agent.generators.extractive.asked import Asked
from habitus.agent.generators.extractive.choosing import Evidence, Found
from habitus.agent.generators.extractive.evidence import Said
from habitus.agent.generators.extractive.facts import members_of
from habitus.agent.generators.extractive.wording import quoted, shortest, told_on
from habitus.memory.retrieval.timing import spans

_DAYS = {"day": 1.0, "week": 7.0, "month": 30.44, "year": 365.25}
_SHORT_SPAN = 3
"""Days: a time expression that leaves more open does not date an event."""
_NUMERIC = re.compile(r"\b(\d{1,2})/(\d{1,2})(?:/(\d{4}|\d{2}))?\b")
_MIN_COVERED = 0.34
"""Share of an event's words that a sentence must hold, or be near to, to tell of it."""


@dataclass(frozen=True)
class Event:
    """Something the question speaks of, found in the evidence.

    Attributes:
        name: as the question calls it.
        day: when it happened.
        said: the sentence that tells it.
    """

    name: str
    day: date
    said: Said


def ago(asked: Asked, found: Sequence[Found], evidence: Evidence, today: date | None) -> str | None:
    """Say how long ago something was; None if it cannot be dated."""
    event = locate(asked.options[0], asked, evidence) if asked.options else _event("it", found[0])
    if event is None or today is None:
        return None
    span = _span((today - event.day).days, asked.unit)
    return f"{span} ago, on {told_on(event.day)}. {quoted(event.said, asked)}"


def between(asked: Asked, evidence: Evidence) -> str | None:
    """Say how long lay between two things; None if one of them cannot be dated."""
    events = [locate(name, asked, evidence) for name in asked.options]
    a, b = events[0], events[1]
    if a is None or b is None or a.said == b.said:
        return None
    span = _span(abs((b.day - a.day).days), asked.unit)
    return f"{span}: {_dated(a)}, {_dated(b)}."


def first(asked: Asked, evidence: Evidence) -> str | None:
    """Say which came first (or last); None if not all of them can be dated."""
    events = [locate(name, asked, evidence) for name in asked.options]
    known = [event for event in events if event is not None]
    if len(known) < len(events):
        return None
    ordered = sorted(known, key=lambda event: event.day, reverse=asked.latest)
    if ordered[0].day == ordered[1].day:
        return f"Both were on {told_on(ordered[0].day)}; I cannot tell which came first."
    which, other = ("Last", "before") if asked.latest else ("First", "later")
    return f"{which} came {_dated(ordered[0])}; the other {other}, on {told_on(ordered[1].day)}."


def order(asked: Asked, found: Sequence[Found], evidence: Evidence) -> str | None:
    """Put several things in order of time: those the question names, or else what it finds."""
    if asked.options:
        events = [locate(name, asked, evidence) for name in asked.options]
    else:
        events = [_event(shortest(one.said.text, asked, 8), one) for one in members_of(found)]
    known = sorted((event for event in events if event is not None), key=lambda event: event.day)
    if len(known) < max(2, len(asked.options)):
        return None
    return "In order of time: " + ", then ".join(_dated(event) for event in known) + "."


def locate(name: str, asked: Asked, evidence: Evidence) -> Event | None:
    """Find the sentence that tells of an event, and the day that it happened on."""
    about = asked.about(name)
    found = evidence.found(about)
    if not found or found[0].covered < _MIN_COVERED:
        return None
    return _event(name, found[0])


def _event(name: str, one: Found) -> Event | None:
    day = happened(one.said)
    return Event(name, day, one.said) if day else None


def happened(said: Said) -> date | None:
    """Return the day that a sentence dates its event on, or that it was said on."""
    if said.day is None:
        return None
    if numeric := _numeric(said.text, said.day):
        return numeric
    at = datetime(said.day.year, said.day.month, said.day.day, 12, tzinfo=UTC)
    for span in spans(said.text, at):
        if (span.last - span.first).days <= _SHORT_SPAN:
            return span.last
    return said.day


def _numeric(text: str, near: date) -> date | None:
    """Read "7/22" as month and day, or as day and month where it can be nothing else."""
    found = _NUMERIC.search(text)
    if found is None:
        return None
    month, day = int(found[1]), int(found[2])
    if month > 12:
        month, day = day, month
    year = int(found[3]) if found[3] else near.year
    try:
        told = date(year + 2000 if year < 100 else year, month, day)
        return told if found[3] or told <= near else told.replace(year=told.year - 1)
    except ValueError:
        return None


def _dated(event: Event) -> str:
    return f"{event.name} ({told_on(event.day)})"


def _span(days: int, unit: str | None) -> str:
    unit = unit or ("day" if days < 14 else "week" if days < 63 else "month" if days < 730 else "year")
    number = round(days / _DAYS[unit])
    return f"{number} {unit}" + ("" if number == 1 else "s")
