"""What a question says about when: time expressions as spans of days, and the question without them.

Only what points to a place in time counts ("two weeks ago", "last Friday", "on 5 May", "in March"); durations
("for two weeks") and counts ("how many weeks ago") do not. A span is a soft hint: people tell of things
days after they happened.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import MINYEAR, date, datetime, timedelta

import numpy as np
import numpy.typing as npt

from habitus.retrievers.analysis import lowered

_SECONDS_PER_DAY = 86_400.0
_NUMBERS = {
    word: number
    for number, words in enumerate(
        (
            "a an one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
        ),
        start=1,
    )
    for word in words.split()
} | {"a couple of": 2, "couple of": 2, "a few": 3, "few": 3, "several": 4}
_UNITS = {"day": (1.0, 1.0), "week": (7.0, 3.0), "month": (30.4, 10.0), "year": (365.25, 60.0)}
"""Length of a unit, and how far from the named day people still call it so, in days."""

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS: tuple[str, ...] = tuple(
    "january february march april may june july august september october november december".split()
)
_MONTH = "|".join(_MONTHS)
_COUNT = "|".join(sorted((*_NUMBERS, r"\d{1,3}"), key=len, reverse=True))


@dataclass(frozen=True)
class Span:
    """Days that a question points to.

    Attributes:
        first, last: the days, both included.
        slack: days beside the span at which the hint has lost 63 % of its weight.
        weight: 1 for an expression that names a day or week, less for a vaguer one.
    """

    first: date
    last: date
    slack: float
    weight: float


_Reader = Callable[[re.Match[str], date], Span | None]


def _ago(found: re.Match[str], today: date) -> Span | None:
    count = lowered(found["count"])
    number = int(count) if count.isdigit() else _NUMBERS[count]
    length, slack = _UNITS[lowered(found["unit"])]
    day = today - timedelta(days=round(number * length))
    return Span(day, day, slack, 1.0)


def _named_day(found: re.Match[str], today: date) -> Span:
    day = today - timedelta(days={"yesterday": 1, "today": 0, "this morning": 0}[lowered(found[0])])
    return Span(day, day, 1.0, 1.0)


def _last_weekday(found: re.Match[str], today: date) -> Span:
    back = (today.weekday() - _WEEKDAYS.index(lowered(found["weekday"]))) % 7 or 7
    day = today - timedelta(days=back)
    return Span(day, day, 1.0, 1.0)


def _last_unit(found: re.Match[str], today: date) -> Span:
    unit = lowered(found["unit"])
    if unit == "weekend":
        sunday = today - timedelta(days=(today.weekday() + 1) % 7 or 7)
        return Span(sunday - timedelta(days=1), sunday, 1.0, 1.0)
    near, far, slack = {"week": (4, 11, 2.0), "month": (15, 45, 5.0), "year": (200, 500, 60.0)}[unit]
    return Span(today - timedelta(days=far), today - timedelta(days=near), slack, 0.5)


def _day_of_month(found: re.Match[str], today: date) -> Span | None:
    month = _MONTHS.index(lowered(found["month"] or found["month2"])) + 1
    number = int(found["day"] or found["day2"])
    years = [int(found["year"])] if found["year"] else [today.year, today.year - 1]
    for year in years:
        if year >= MINYEAR and 1 <= number <= monthrange(year, month)[1]:
            day = date(year, month, number)
            if day <= today or found["year"]:
                return Span(day, day, 1.0, 1.0)
    return None


def _whole_month(found: re.Match[str], today: date) -> Span | None:
    month = _MONTHS.index(lowered(found["month"])) + 1
    year = int(found["year"]) if found["year"] else today.year - (month > today.month)
    if year < MINYEAR:
        return None
    return Span(date(year, month, 1), date(year, month, monthrange(year, month)[1]), 3.0, 0.5)


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


_YEAR = r"(?:,? (?P<year>(?:19|20)\d\d))?"
_EXPRESSIONS: tuple[tuple[re.Pattern[str], _Reader], ...] = (
    (_pattern(rf"\b(?:about |around )?(?P<count>{_COUNT}) (?P<unit>day|week|month|year)s? ago\b"), _ago),
    (_pattern(r"\b(?:yesterday|today|this morning)\b"), _named_day),
    (_pattern(rf"\b(?:on )?(?:this )?(?:last|past) (?P<weekday>{'|'.join(_WEEKDAYS)})\b"), _last_weekday),
    (
        _pattern(
            r"\b(?:over |in |during )?(?:the |this )?(?:last|past|previous) "
            r"(?P<unit>week(?:end)?|month|year)\b(?!'s)"
        ),
        _last_unit,
    ),
    (
        _pattern(
            rf"\b(?:on )?(?:the )?(?:(?P<month>{_MONTH}) (?P<day>\d{{1,2}})(?:st|nd|rd|th)?"
            rf"|(?P<day2>\d{{1,2}})(?:st|nd|rd|th)?(?: of)? (?P<month2>{_MONTH}))\b{_YEAR}"
        ),
        _day_of_month,
    ),
    (
        _pattern(rf"\b(?:in|during|of|since|this|last|mid-|early|late) (?P<month>{_MONTH})\b{_YEAR}"),
        _whole_month,
    ),
)
_MENTIONED = _pattern(r"\b(?:i|we) (?:had )?(?:mentioned|told you|said)(?: that)?(?: i\b)?")


def _found(text: str, today: date) -> Iterator[tuple[re.Match[str], Span]]:
    taken: list[tuple[int, int]] = []
    for pattern, read in _EXPRESSIONS:
        for found in pattern.finditer(text):
            if any(start < found.end() and found.start() < end for start, end in taken):
                continue
            try:
                span = read(found, today)
            except OverflowError:
                continue  # it points to before the year 1
            if span is not None:
                taken.append(found.span())
                yield found, span


def spans(text: str, at: datetime) -> tuple[Span, ...]:
    """Return the days that the time expressions of a text point to, asked at `at`."""
    return tuple(span for _, span in _found(text, at.date()))


def timeless(text: str, at: datetime) -> str:
    """Return a question without its time expressions and "I mentioned": what it asks for.

    Their words draw its vector to whatever was said about time. The text itself comes back if nothing
    else would be left.
    """
    left = list(text)
    for found, _ in _found(text, at.date()):
        left[found.start() : found.end()] = [""] * (found.end() - found.start())
    stripped = " ".join(_MENTIONED.sub("", "".join(left)).split())
    return stripped if any(letter.isalnum() for letter in stripped) else text


def nearness(spans: tuple[Span, ...], at: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Score instants by how near they come to the nearest span.

    Args:
        spans: of a question.
        at: shape `(n,)`, seconds since 1970 UTC.

    Returns:
        shape `(n,)`, between 0 and 1: the span's weight inside it, falling exponentially beside it.
    """
    days = at / _SECONDS_PER_DAY
    best = np.zeros(len(at))
    for span in spans:
        first = (span.first - date(1970, 1, 1)).days
        last = (span.last - date(1970, 1, 1)).days + 1
        gap = np.maximum(0.0, np.maximum(first - days, days - last))
        best = np.maximum(best, span.weight * np.exp(-gap / span.slack))
    return best
