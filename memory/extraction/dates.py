"""Days and periods that lie ahead, by their names: "Friday", "the end of the month", "5 June"."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import MAXYEAR, date, timedelta

NUMBERS = {
    word: number
    for number, words in enumerate(
        (
            "a an one",
            "two couple",
            "three few",
            "four",
            "five several",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
        ),
        start=1,
    )
    for word in words.split()
} | {"eleven": 11, "twelve": 12}
"""What number a word stands for; "a few" is three, "several" five."""

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_SEASON_ENDS = {"summer": (3, 9), "winter": (3, 9), "spring": (6, 12), "autumn": (6, 12), "fall": (6, 12)}
"""Months with whose beginning a season is over, in one half of the world or the other."""

WEEKDAY = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day"
MONTH = (
    r"(?:january|february|march|april|may|june|july|august|september|october|november|december"
    r"|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)"
)
PERIOD = r"(?:day|week|weekend|month|year|summer|winter|spring|autumn|fall)"
DATE = (
    rf"(?:the\s+end\s+of\s+(?:the|this|next)\s+{PERIOD}|the\s+{PERIOD}'s\s+end|today|tonight|tomorrow"
    rf"|(?:(?:this|next)\s+)?{WEEKDAY}|(?:the|this)\s+weekend|next\s+(?:weekend|week|month|year)"
    r"|\d{4}-\d{2}-\d{2}"
    rf"|(?:the\s+)?\d{{1,2}}(?:st|nd|rd|th)?\s+(?:of\s+)?{MONTH}|{MONTH}\s+(?:the\s+)?\d{{1,2}}(?:st|nd|rd|th)?"
    rf"|the\s+\d{{1,2}}(?:st|nd|rd|th)|(?:next\s+)?{MONTH}|christmas|new\s+year)"
)
"""A day or period ahead, or the end of one."""

Days = tuple[date, date]
"""First and last, both included."""


def after(number: int, unit: str, today: date) -> date:
    """Return the last of so many days, weeks, months or years that begin today."""
    if unit.startswith(("month", "year")):
        months = today.month - 1 + number * (12 if unit.startswith("year") else 1)
        year, month = today.year + months // 12, months % 12 + 1
        return date(year, month, min(today.day, monthrange(year, month)[1]))
    length = {"day": 1, "week": 7, "weekend": 7, "fortnight": 14}[unit]
    return today + timedelta(days=number * length)


def this(period: str, today: date) -> Days:
    """Return what is left of the period that the day lies in; of a weekend, the one to come."""
    if period == "day":
        return today, today
    if period == "week":
        # Whoever speaks of this week on a Sunday means the one that begins.
        return today, today + timedelta(days=(6 - today.weekday()) or 7)
    if period == "weekend":
        saturday = today + timedelta(days=max(5 - today.weekday(), 0))
        return saturday, today + timedelta(days=6 - today.weekday())
    if period == "month":
        return today, today.replace(day=monthrange(today.year, today.month)[1])
    if period == "year":
        return today, date(today.year, 12, 31)
    ends = [date(today.year + more, month, 1) for more in (0, 1) for month in _SEASON_ENDS[period]]
    return today, min(end for end in ends if end > today) - timedelta(days=1)


def next_(period: str, today: date) -> Days:
    """Return the week, weekend, month or year after this one."""
    if period == "weekend":
        saturday = today + timedelta(days=12 - today.weekday())
        return saturday, saturday + timedelta(days=1)
    if period == "week":
        monday = today + timedelta(days=7 - today.weekday())
        return monday, monday + timedelta(days=6)
    first = this(period, today)[1] + timedelta(days=1)
    return first, this(period, first)[1]


def named(words: str, today: date) -> Days | None:
    """Return the day or period ahead that words of the form `DATE` name; None if there is no such day."""
    words = " ".join(words.lower().split())
    if words in ("today", "tonight"):
        return today, today
    if words == "tomorrow":
        return today + timedelta(days=1), today + timedelta(days=1)
    if words in ("christmas", "new year"):
        found = _in_year(today, 12, 25) if words == "christmas" else date(today.year + 1, 1, 1)
        return (found, found) if found else None
    ending = re.match(r"the end of (?P<which>the|this|next) (?P<period>\w+)|the (?P<of>\w+)'s end", words)
    if ending is not None:
        period = ending["period"] or ending["of"]
        last = (next_ if ending["which"] == "next" else this)(period, today)[1]
        return last, last
    which, _, rest = words.rpartition(" ")
    if rest in ("week", "weekend", "month", "year"):
        return (next_ if which == "next" else this)(rest, today)
    return _weekday(words, today) or _date(words, today)


def _weekday(words: str, today: date) -> Days | None:
    which, _, rest = words.rpartition(" ")
    if not rest.endswith("day"):
        return None
    ahead = (_WEEKDAYS.index(rest[:3]) - today.weekday()) % 7
    if which == "next" and ahead + today.weekday() < 7:
        ahead += 7
    day = today + timedelta(days=ahead or 7)
    return day, day


def _date(words: str, today: date) -> Days | None:
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", words):
            day = date.fromisoformat(words)
            return (day, day) if day >= today else None
    except ValueError:
        return None
    number = re.search(r"\d+", words)
    month = re.search(rf"\b{MONTH}\b", words)
    if number is None and month is not None:
        first = _in_year(today.replace(day=1), _MONTHS.index(month[0][:3]) + 1, 1)
        return (first, this("month", first)[1]) if first else None
    if number is None:
        return None
    wanted = int(number[0])
    if month is not None:
        found = _in_year(today, _MONTHS.index(month[0][:3]) + 1, wanted)
    else:
        ahead = (today, next_("month", today)[0])
        days = [one.replace(day=wanted) for one in ahead if 1 <= wanted <= monthrange(one.year, one.month)[1]]
        found = next((day for day in days if day >= today), None)
    return (found, found) if found else None


def _in_year(today: date, month: int, day: int) -> date | None:
    """Return the next day of this date, today included."""
    for year in (today.year, today.year + 1):
        if 1 <= day <= monthrange(year, month)[1] and (found := date(year, month, day)) >= today:
            return found
    return None


def in_calendar(today: date) -> bool:
    """Tell whether a day is far enough from the end of the calendar to reckon ahead of it."""
    return today.year < MAXYEAR - 200
