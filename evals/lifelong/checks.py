"""What an answer claims, read by cues of language: the same for every agent, and no model needed."""

from __future__ import annotations

import re
from collections.abc import Iterable

from habitus.retrievers.passages import sentences

_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
_DATE = re.compile(
    rf"\b(?:\d{{1,2}}(?:st|nd|rd|th)? (?:of )?(?:{_MONTHS})(?:,? \d{{4}})?"
    rf"|(?:{_MONTHS}) \d{{1,2}}(?:,? \d{{4}})?|(?:{_MONTHS}) \d{{4}}"
    rf"|\d{{4}}-\d{{2}}-\d{{2}}|\d{{1,2}}/\d{{1,2}}/\d{{2,4}}|\d{{1,2}}:\d{{2}})\b"
)
_LIST_MARK = re.compile(r"^\s*(?:\d{1,2}[.)]|[-*•])\s+", re.MULTILINE)
_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty"
).split()
_NUMBERS = {word: number for number, word in enumerate(_WORDS)} | {"once": 1, "twice": 2, "none": 0}
_NUMBER = re.compile(rf"(?<![\w.])(?:\d{{1,4}}|{'|'.join(_NUMBERS)})(?![\w]|\.\d)", re.IGNORECASE)
_DECLINES = re.compile(
    r"\b(?:(?:do not|don't|did not|didn't|can ?not|can't|could not|couldn't) (?:\w+ )?"
    r"(?:know|have|recall|remember|find|tell|see|say)\b|not sure\b|unsure\b|no (?:information|record|mention|"
    r"memory|data|details?|idea)\b|(?:have not|haven't|has not|hasn't|never|not|n't) (?:\w+ )?"
    r"(?:told|mentioned|shared|said|stated|specified|provided|discussed|stored)\b|"
    r"unknown\b|nothing (?:about|on|stored|in)\b)",
    re.IGNORECASE,
)
_PAST = re.compile(
    r"\b(?:before|earlier|previous(?:ly)?|former(?:ly)?|used to|no longer|any ?more|until|once|old|replac\w+|"
    r"instead|left|sold|switch\w+|moved?|chang\w+|traded|gone|renamed|rather than|than|over|was|were|had|"
    r"isn't|aren't|ago|since)\b",
    re.IGNORECASE,
)
_DENIED = re.compile(
    r"\b(?:not|never|no|neither|nor|dislik\w+|hat(?:e|es|ed)|avoid\w*|unlike)\b|n't\b|\bcannot\b",
    re.IGNORECASE,
)


def names(answer: str, value: str) -> bool:
    """Tell whether an answer names a value: its words in their order, at word limits, in any case."""
    return re.search(rf"(?<!\w){re.escape(value)}(?!\w)", answer, re.IGNORECASE) is not None


def claims(answer: str, wrong: str, right: str | None) -> bool:
    """Tell whether an answer claims a wrong value.

    A sentence that names it claims it, unless it is a question, names the right value too, speaks of the
    past, or denies.
    """
    for sentence in sentences(answer):
        if not names(sentence, wrong) or sentence.rstrip().endswith("?"):
            continue
        excused = (right is not None and names(sentence, right)) or _PAST.search(sentence)
        if not excused and not _DENIED.search(sentence):
            return True
    return False


def declines(answer: str) -> bool:
    """Tell whether an answer says that it does not know."""
    return _DECLINES.search(answer.replace("’", "'")) is not None


def number_in(answer: str) -> int | None:
    """Return the first number that an answer gives, outside dates, times and list marks; None without one."""
    found = _NUMBER.search(_DATE.sub(" ", _LIST_MARK.sub("", answer)))
    if found is None:
        return None
    return _NUMBERS[found[0].lower()] if found[0].lower() in _NUMBERS else int(found[0])


def found_in(text: str, needles: Iterable[str]) -> tuple[str, ...]:
    """Return the needles that a text holds, in any case."""
    lowered = text.lower()
    return tuple(needle for needle in needles if needle.lower() in lowered)
