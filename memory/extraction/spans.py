"""For how long a taste is to hold: "this month", "until Friday", "for the next two weeks", "just today".

The words that bound a sentence in time are taken out of it before it is read, and give the record its end.
Habits ("every week"), the past ("for two years") and times of day bound nothing. Days end at midnight UTC, as
no time zone of the user's is known, yet never sooner than some hours after they were spoken of.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from habitus.memory.extraction.dates import (
    DATE,
    MONTH,
    NUMBERS,
    PERIOD,
    WEEKDAY,
    Days,
    after,
    in_calendar,
    named,
    next_,
    this,
)
from habitus.memory.extraction.outcome import FOR_NOW, of_today
from habitus.memory.extraction.segmentation import Sentence
from habitus.memory.known.health import rests_on_health
from habitus.memory.records import Preference, Turn

OCCASION = timedelta(hours=1)
"""How long "this time" lasts."""
WISH = 0.6
"""Confidence at least of what is ruled out for a time."""
A_DAY = timedelta(days=1)
"""What is liked for so long or less is a wish of the moment, and waits to be confirmed."""
SHORTEST_DAY = timedelta(hours=6)
"""What is left of a day at least, wherever the user is."""

_Reader = Callable[[re.Match[str], date], Days | None]


@dataclass(frozen=True)
class _Form:
    first: re.Pattern[str]
    """At the beginning of a sentence."""
    later: re.Pattern[str]
    read: _Reader | None
    """None: one occasion."""


_COUNT = rf"(?P<count>\d{{1,3}}|(?:an?\s+)?(?:couple|few)(?:\s+of)?|{'|'.join(NUMBERS)})"
_UNIT = r"(?P<unit>day|week|weekend|fortnight|month|year)s?"
_ONLY = r"(?:(?:just|only|at\s+least)\s+)?"
_OPENING = r"(?:(?:and|but|so|also|ok|okay|well|please|hi|hey|hello|yes|no)[\s,]+)*"
_IS_NO_SUBJECT = (
    r"(?!'s\b)(?!\s+(?:is|was|has|had|will|would|were|seems?|feels?|felt|looks?|looked|went|made|makes|gives?"
    r"|gave|brought|turned)\b)(?=[\s,:])[,:]?"
)
_ENDS_CLAUSE = (
    r"(?=\s*(?:[.,;:!?)]|$)|\s+(?:[-–—]\s|(?:because|since|as|so|and|but|or|when|while|if|i|we|please|can|could"
    r"|keep|no|only|at|in|for|to|with|due|given|then|though|thanks|unless|except|instead|rather)\b))"
)
_ANY = re.compile(
    r"\b(?:this|today|tonight|tomorrow|until|till?|through|next|coming|rest|for|once|from|starting|as\s+of)\b",
    re.IGNORECASE,
)
_PAST = re.compile(
    r"\b(?:have|has|had|was|were|been|did|didn't|used\s+to|since)\b|\w've\b|\b(?:\w{2,}ed|went|spent)\b",
    re.IGNORECASE,
)
_FROM_NOW = re.compile(
    r"\b(?:i'm|i\s+am|we're|we\s+are|i'll|i\s+will|keep|no|please|only|don't|can't|cannot"
    r"|mustn't|told|avoid|use)\b",
    re.IGNORECASE,
)
_DURATION = re.compile(r"(?:(?:just|only|at\s+least)\s+)?for\s+(?!this\b|the\b|to|next\b|all\b)")
_PARTS = re.compile(
    r"[,;:()]|\b(?:and|but|because|since|so|which|that|who|when|if|while|for(?!\s+(?:me|us)\b)|to)\b"
)
_NOTHING = re.compile(r"(?:[\s,]|\bfor\s+(?:me|us)\b|\bplease\b)*", re.IGNORECASE)
_HABIT = re.compile(r"\b(?:every|each|always|usually|often|most|sometimes|whenever)\b", re.IGNORECASE)


def _form(text: str, read: _Reader | None) -> _Form:
    return _Form(
        re.compile(rf"(?P<opening>{_OPENING})(?P<span>{text}){_IS_NO_SUBJECT}", re.IGNORECASE),
        re.compile(rf"(?<=[\w%)])(?P<opening>,?\s+)(?P<span>{text}){_ENDS_CLAUSE}", re.IGNORECASE),
        read,
    )


def _counted(found: re.Match[str], today: date) -> Days:
    words = [word for word in found["count"].lower().split() if word != "of"]
    number = int(words[-1]) if words[-1].isdigit() else NUMBERS[words[-1]]
    return today, after(number, found["unit"].lower(), today)


def _until(found: re.Match[str], today: date) -> Days | None:
    days = named(found["date"], today)
    if days is None:
        return None
    first, last = days
    if first == last or found["span"].lower().startswith("through"):
        return today, last
    # A day is counted in; a week, month or season that comes ends what held till then.
    return today, max(first - timedelta(days=1), today)


def _coming(found: re.Match[str], today: date) -> Days | None:
    return named(found["date"], today)


def _of_month(found: re.Match[str], today: date) -> Days | None:
    return named(found["month"], today)


_FORMS: tuple[_Form, ...] = (
    _form(
        rf"{_ONLY}(?:for\s+)?this\s+(?:(?:one\s+)?time|once)|just\s+(?:the\s+)?once"
        rf"|{_ONLY}(?:for|in)\s+this\s+(?:chat|conversation|session|thread|answer|reply|question|one)"
        r"(?:\s+only)?",
        None,
    ),
    _form(
        rf"{_ONLY}(?:for\s+)?(?:today|tonight|this\s+(?:morning|afternoon|evening))(?:\s+only)?",
        lambda found, today: (today, today),
    ),
    _form(
        rf"{_ONLY}(?:for\s+|on\s+)?(?P<date>tomorrow|this\s+{WEEKDAY})(?:\s+(?:morning|afternoon|evening"
        r"|night))?(?:\s+only)?",
        _coming,
    ),
    _form(
        rf"(?:for\s+)?(?:the\s+)?rest\s+of\s+(?:the|this)\s+(?P<period>{PERIOD})",
        lambda found, today: (today, this(found["period"].lower(), today)[1]),
    ),
    _form(rf"(?:(?:for|over|during|in)\s+)?the\s+(?:next|coming)\s+{_COUNT}\s+{_UNIT}", _counted),
    _form(rf"{_ONLY}for\s+(?:another\s+)?{_COUNT}\s+(?:more\s+)?{_UNIT}", _counted),
    _form(
        rf"{_ONLY}(?:(?:for|over|during|all(?:\s+of)?|throughout)\s+)?this\s+(?P<period>{PERIOD})",
        lambda found, today: this(found["period"].lower(), today),
    ),
    _form(
        rf"{_ONLY}(?:(?:for|during|all(?:\s+of)?|throughout)\s+)?this\s+(?P<month>(?!may\b){MONTH}|(?-i:May))",
        _of_month,
    ),
    _form(
        rf"{_ONLY}(?:(?:for|over|during|all(?:\s+of)?)\s+)?next\s+(?P<period>week|weekend|month|year)",
        lambda found, today: next_(found["period"].lower(), today),
    ),
    _form(
        rf"{_ONLY}(?:(?:up\s+)?(?:until|till|til|'til)|through)\s+(?:after\s+)?(?P<date>{DATE})"
        r"(?:\s+(?:only|at\s+least|inclusive))?",
        _until,
    ),
    _form(
        rf"(?:starting|as\s+of|from)\s+(?P<date>tomorrow|next\s+(?:week|month|year|{WEEKDAY}))"
        r"(?:\s+on(?:wards?)?)?",
        _coming,
    ),
)


@dataclass(frozen=True, kw_only=True)
class Span:
    """Words of a sentence that bound it in time.

    Attributes:
        start: where they begin in the sentence.
        end: where they end in it.
        leads: the sentence begins with them.
    """

    start: int
    end: int
    leads: bool
    match: re.Match[str]
    form: _Form

    def limits(self, at: datetime) -> tuple[datetime, datetime | None]:
        """Return from when to when the sentence holds if it is said at `at`; no end where it only begins."""
        if self.form.read is None:
            return at, at + OCCASION
        days = self.form.read(self.match, at.date()) if in_calendar(at.date()) else None
        if days is None:
            return at, None
        first, last = (datetime.combine(day, time(), UTC) for day in days)
        begins = max(first, at)
        opens = re.match(r"starting|as\s+of|from", self.match["span"], re.IGNORECASE) is not None
        return begins, None if opens else max(last + timedelta(days=1), begins + SHORTEST_DAY)


def without_span(sentence: Sentence) -> tuple[Sentence, Span | None]:
    """Return a sentence with what bounds it in time blanked out, and these words; None if there are none."""
    span = _span_in(sentence.plain)
    if span is None:
        return sentence, None
    if span.leads:
        rest = len(sentence.text) - len(sentence.text[span.end :].lstrip())
        text, raw = sentence.text[rest:], sentence.raw[rest:]
        left = replace(sentence, text=text, raw=raw, start=sentence.start + rest, is_bounded=True)
    else:
        blank = " " * (span.end - span.start)
        text = sentence.text[: span.start] + blank + sentence.text[span.end :]
        left = replace(sentence, text=text, is_bounded=True)
    return (left, span) if re.search(r"\w", left.text) else (sentence, None)


def _span_in(plain: str) -> Span | None:
    if not _ANY.search(plain):
        return None
    for form in _FORMS:
        match = form.first.match(plain)
        if match is not None and _bounds(plain, match):
            return Span(start=match.start("span"), end=match.end(), leads=True, match=match, form=form)
    for form in _FORMS:
        for match in form.later.finditer(plain):
            if _bounds(plain, match):
                return Span(
                    start=match.start("opening"), end=match.end(), leads=False, match=match, form=form
                )
    return None


def _bounds(plain: str, match: re.Match[str]) -> bool:
    """Tell words about what is to come from those about a habit, or about the past."""
    before = re.split(r"[;:,]", plain[: match.start("span")])[-1]
    if _HABIT.search(before):
        return False
    said = match["span"].lower()
    if "til" in said or said.startswith("through"):
        return re.search(r"\bnever\b", before, re.IGNORECASE) is None
    if _DURATION.match(said):
        rest = plain[match.end("span") :]
        return _PAST.search(before) is None and _FROM_NOW.search(f"{before} {rest}") is not None
    return True


def bounded(turn: Turn, sentence: Sentence, read: Callable[[Sentence], list[Preference]]) -> list[Preference]:
    """Return what `read` finds in a sentence, with the end that the sentence gives to it.

    What holds for a day or less and has no end known to the calendar ("for now") waits to be confirmed. What
    the body does not bear never ends by itself.
    """
    left, span = without_span(sentence)
    if span is None:
        return [_for_now(one) for one in read(sentence)]
    found = read(left)
    covering = [_covers(sentence, span, one) for one in found]
    if any(covers and not _belongs(sentence, span, one) for covers, one in zip(covering, found, strict=True)):
        return [_for_now(one) for one in read(sentence)]
    begins, ends = span.limits(turn.at)
    return [
        _within(one, begins, ends, span.match["span"])
        if covers and not rests_on_health(one)
        else _for_now(one)
        for covers, one in zip(covering, found, strict=True)
    ]


def _within(preference: Preference, begins: datetime, ends: datetime | None, words: str) -> Preference:
    confidence = preference.confidence
    if preference.stance in ("avoid", "dislike"):
        # Whoever wants none of a thing for a time means it for that time.
        confidence = max(confidence, WISH)
    elif ends is not None and ends - begins <= A_DAY and not preference.topic.startswith("style."):
        confidence = min(confidence, FOR_NOW)
    told = {"valid_from": begins, "valid_to": ends, "confidence": confidence}
    if preference.scope is not None and preference.scope in " ".join(words.lower().split()):
        told["scope"] = None
    return preference.model_copy(update=told)


def _for_now(preference: Preference) -> Preference:
    passing = preference.confidence > FOR_NOW and of_today(preference.evidence[0].quote)
    passing = passing and not rests_on_health(preference)
    return preference.model_copy(update={"confidence": FOR_NOW}) if passing else preference


def _covers(sentence: Sentence, span: Span, preference: Preference) -> bool:
    quote = preference.evidence[0].quote
    start = max(sentence.raw.find(quote), 0)
    if span.leads:
        return _NOTHING.fullmatch(sentence.plain, span.end, max(start, span.end)) is not None
    end = start + len(quote)
    follows = end <= span.start and _NOTHING.fullmatch(sentence.plain, end, span.start) is not None
    return follows or start <= span.start + 1 and span.end <= end + 1


def _belongs(sentence: Sentence, span: Span, preference: Preference) -> bool:
    """Tell whether the words of time stand in front of the taste, or right behind what it is about."""
    if span.leads:
        return True
    start = max(sentence.raw.find(preference.evidence[0].quote), 0)
    between = sentence.plain[start : span.start].lower()
    place = between.find(preference.target)
    if place >= 0:
        return _PARTS.search(between, place + len(preference.target)) is None
    return _PARTS.search(between) is None
