"""Sums and differences of what was told at several times: "the total cost of A and B", "how much more".

Only quantities of one kind are reckoned with, and only where each of them was told: else no sum is better.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from habitus.agent.generators.extractive.asked import NUMBER, Asked
from habitus.agent.generators.extractive.choosing import Evidence, Found
from habitus.agent.generators.extractive.wording import shortest, told_on
from habitus.retrievers.analysis import FUNCTION_STEMS, analyze, lowered

_N_TRIED = 6
"""The best sentences for a part that are looked through for a quantity."""
_MIN_COVERED = 0.5
"""Share of a part's own words that a sentence must hold to tell of it; or all of them its message."""
_MAX_GAP = 3
"""Words between a number and what it counts."""
_QUOTED_WORDS = 20

_MAX_CHARS = 400
"""A longer message asks for no sum: what stands between two words is tried for every pair of them."""

_TOTAL = re.compile(r"\b(?:total|in all|altogether|combined)\b", re.IGNORECASE)
_PAIR = re.compile(
    r"^(?P<head>.*?\b(?:of|for|from|on|as)\s+)(?P<a>(?:(?!\b(?:of|for|from|on)\b).)+?)\s+and\s+(?P<b>.+?)"
    r"(?P<tail>\s+(?:i|we|that|in total|combined|altogether|in the|at the)\b.*)?\?*$",
    re.IGNORECASE,
)
_COMPARED = re.compile(
    r"^(?P<head>how (?:much|many)\b.*?\b(?:more|less|fewer|faster|slower|older|younger|longer|shorter|higher"
    r"|lower|cheaper|save|exceed\w*)\b)(?P<a>.*?)\b(?:compared (?:to|with)|than|instead of|rather than)\s+"
    r"(?P<b>.+?)\?*$",
    re.IGNORECASE,
)
_BETWEEN = re.compile(
    r"^(?P<head>.*\bdifference\b.*?\bbetween\s+)(?P<a>.+?)\s+and\s+(?P<b>.+?)\?*$", re.IGNORECASE
)
_MONEY = re.compile(
    r"\b(?:cost|costs|price|spen[dt]|money|pa(?:y|id)|earn\w*|rais\w+|sav\w+|donat\w+|worth)\b", re.IGNORECASE
)
_UNIT = re.compile(
    r"\bhow (?:many|much) (?P<unit>second|minute|hour|day|night|week|month|year)s?\b", re.IGNORECASE
)
_COUNTED = re.compile(
    r"\b(?:how many|number of)\s+(?:more\s+)?(?P<what>[\w'-]+(?:\s+and\s+[\w'-]+)?)", re.IGNORECASE
)
_SUM = re.compile(r"(?P<sign>[$€£])\s?(?P<number>\d[\d,]*(?:\.\d+)?)(?P<range>\s?[-–]\s?[$€£]?\d)?")
_SPAN = re.compile(
    rf"\b(?P<number>{NUMBER})(?:[ -](?:full|whole|long))?[ -]"
    r"(?P<unit>second|minute|hour|day|night|week|month|year)s?\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(rf"\b(?P<number>{NUMBER})\b", re.IGNORECASE)
_VALUES = {
    word: float(value)
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
        "sixteen seventeen eighteen nineteen twenty".split()
    )
} | {
    "thirty": 30.0,
    "forty": 40.0,
    "fifty": 50.0,
    "sixty": 60.0,
    "hundred": 100.0,
    "dozen": 12.0,
    "half": 0.5,
}

Kind = Literal["money", "span", "number"]


@dataclass(frozen=True)
class _Sought:
    """The quantity that is asked for: its kind, and the unit of a span or the name of what is counted."""

    kind: Kind
    name: str


@dataclass(frozen=True)
class _Told:
    found: Found
    value: float
    sign: str
    match: re.Match[str]

    @property
    def place(self) -> int:
        return self.match.start()


def reckon(asked: Asked, evidence: Evidence) -> str | None:
    """Add up or subtract what the question asks for; None where it asks for neither, or one is missing."""
    question = asked.text.strip()
    if len(question) > _MAX_CHARS:
        return None
    sought = _sought(question)
    pair = _TOTAL.search(question) and _PAIR.match(question)
    if pair and (told := _each(asked, pair, sought, evidence)):
        return _said("Together", sum(one.value for one in told), told, sought, asked)
    compared = _COMPARED.match(question) or _BETWEEN.match(question)
    if compared and (told := _each(asked, compared, sought, evidence)):
        return _said("A difference of", abs(told[0].value - told[1].value), told, sought, asked)
    return None


def _sought(text: str) -> _Sought:
    if unit := _UNIT.search(text):
        return _Sought("span", lowered(unit["unit"]))
    if _MONEY.search(text):
        return _Sought("money", "")
    counted = _COUNTED.search(text)
    return _Sought("number", counted["what"] if counted else "")


def _each(asked: Asked, pair: re.Match[str], sought: _Sought, evidence: Evidence) -> list[_Told]:
    """Return the quantity told of either part; empty unless both were told, in different words."""
    groups = pair.groupdict()
    frame = f"{groups['head']}{{}}{groups.get('tail') or ''}"
    told = [
        _of_part(asked.about(frame.format(groups[own])), groups[own], groups[other], sought, evidence)
        for own, other in (("a", "b"), ("b", "a"))
    ]
    known = [one for one in told if one is not None]
    if len(known) < 2 or (known[0].found.said, known[0].place) == (known[1].found.said, known[1].place):
        return []
    return known


def _of_part(question: Asked, part: str, other: str, sought: _Sought, evidence: Evidence) -> _Told | None:
    own = _stems(part) - _stems(other)
    if not own:
        return None
    for one in evidence.found(question)[:_N_TRIED]:
        said = _stems(one.said.text)
        told_of = len(own & said) / len(own) >= _MIN_COVERED or own <= evidence.message_of(one)
        if one.said.text.endswith("?") or not told_of:
            continue
        if told := _nearest(one, sought, own):
            return told
    return None


def _nearest(one: Found, sought: _Sought, own: frozenset[str]) -> _Told | None:
    """Return the quantity of the kind sought that stands nearest to what it is told of."""
    text = one.said.text
    told = list(_quantities(one, sought))
    if not told:
        return None
    places = [match.start() for match in re.finditer(r"[\w'-]+", text) if own & _stems(match.group())]
    return min(told, key=lambda it: (min((abs(it.place - place) for place in places), default=0), it.place))


def _quantities(one: Found, sought: _Sought) -> list[_Told]:
    text = one.said.text
    if sought.kind == "money":
        matches = [match for match in _SUM.finditer(text) if match["range"] is None]
        return [_Told(one, _value(match["number"]), match["sign"], match) for match in matches]
    if sought.kind == "span":
        matches = [match for match in _SPAN.finditer(text) if lowered(match["unit"]) == sought.name]
    else:
        names = _stems(sought.name)
        matches = [match for match in _NUMBER.finditer(text) if names & _stems(_around(text, match))]
    return [_Told(one, value, "", match) for match in matches if (value := _value(match["number"])) >= 0]


def _around(text: str, match: re.Match[str]) -> str:
    before = text[: match.start()].split()[-1:]
    return " ".join([*before, *text[match.end() :].split()[:_MAX_GAP]])


def _value(number: str) -> float:
    """Return a number's value; -1 for an ordinal, or a word that tells none."""
    plain = number.lower().replace(",", "").rstrip(".")
    if re.fullmatch(r"\d+(?:\.\d+)?", plain):
        return float(plain)
    return _VALUES.get(plain, -1.0)


def _stems(text: str) -> frozenset[str]:
    return frozenset(analyze(text)) - FUNCTION_STEMS


def _said(lead: str, value: float, told: Sequence[_Told], sought: _Sought, asked: Asked) -> str:
    number = f"{value:,.0f}" if value == int(value) else f"{value:,.2f}"
    if sought.kind != "money":
        number = number.rstrip("0").rstrip(".") if "." in number else number
    shown = f"{told[0].sign}{number}" if sought.kind == "money" else number
    if sought.kind == "span":
        shown += f" {sought.name}{'' if value == 1 else 's'}"
    parts = "; ".join(f"“{_excerpt(one, asked)}” ({told_on(one.found.said.day)})" for one in told)
    return f"{lead} {shown}: {parts}"


def _excerpt(told: _Told, asked: Asked) -> str:
    """Return a few words of a sentence, the quantity among them."""
    text = told.found.said.text
    short = shortest(text, asked, _QUOTED_WORDS)
    if told.match.group() in short:
        return short
    words = [match.span() for match in re.finditer(r"\S+", text)]
    at = next(number for number, (_, end) in enumerate(words) if end > told.place)
    first, last = max(0, at - _QUOTED_WORDS // 2), min(len(words) - 1, at + _QUOTED_WORDS // 2)
    lead, trail = ("… " if first else ""), (" …" if last < len(words) - 1 else "")
    return f"{lead}{text[words[first][0] : words[last][1]]}{trail}"
