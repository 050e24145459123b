"""Letters and mails within a message, told by their form: greeting, body, closing words, a name."""

from __future__ import annotations

import re
from collections.abc import Iterator

_GREETING = re.compile(
    r"^[ \t]*(?:(?:my\s+)?dear(?:est)?|hi|hiya|hello|hey|greetings|good\s+(?:morning|afternoon|evening"
    r"|day)|to\s+whom)"
    r"\b[^\n.?]{0,40}?[,!:.]?[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)
_CLOSING = re.compile(
    r"^[ \t]*(?:(?:all\s+(?:the|my)\s+|with\s+|kind(?:est)?\s+|warm(?:est)?\s+|many\s+)*"
    r"(?:best|regards|wishes|yours|sincerely|respectfully|cordially|cheers|thanks|thank\s+you|love|hugs"
    r"|kisses|xx+"
    r"|take\s+care|greetings|see\s+you|cu|bye|ciao))\b[^\n]{0,30}?[,.!]?[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)
_SIGNATURE = re.compile(r"[ \t]*\n+[ \t]*[-–—]?[ \t]*(?:[A-Z][\w'’.-]*[ \t]*){1,4}(?=\n|\Z)")
_SIGNED = re.compile(
    r"^[ \t]*(?:(?:best|regards|yours|cheers|thanks|love|sincerely)[, ]+|[-–—][ \t]*)"
    r"(?:[A-Z][\w'’.-]*[ \t]*){1,3}\.?[ \t]*$",
    re.MULTILINE,
)
_HEADER = re.compile(
    r"^[ \t]*(?:from|to|cc|subject|re|date|sent|von|an)[ \t]*:[ \t]*\S", re.IGNORECASE | re.MULTILINE
)
_FORWARDED = re.compile(
    r"^[ \t]*(?:[-_=*]{3,}.*\b(?:forwarded|original)\b.*|begin\s+forwarded\s+message:?"
    r"|on\s+[^\n]{4,60}\bwrote:)[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)
_TEXT = (
    r"(?:e-?mail|mail|letter|message|note|text|post|comment|review|reply|draft|memo|card|invitation|complaint"
    r"|statement|testimonial|sms|dm|tweet|paragraph|passage|excerpt|quote)s?"
)
_COMES = (
    r"(?:got|get|received|came|come|arrived|found|saw|read|sent|wrote|writes|written|posted|left|forwarded)"
)
_HANDED = (
    rf"(?:{_COMES}|here|this|following|below|answer|reply|respond|proof-?read|translate|summari[sz]e"
    rf"|polish|rephrase"
    r"|shorten|edit)"
)
_INTRODUCED = re.compile(
    rf"(?P<inline>(?:^|(?<=[.!?]\s))(?=[^\n:.?!]*\b{_TEXT}\b)"
    rf"(?=[^\n:.?!]*\b{_COMES}\b)[^\n:.?!]{{3,120}}:[ \t]+(?=\S))"
    rf"|(?:^|(?<=[.!?]\s))(?=[^\n:.?!]*\b{_TEXT}\b)(?=[^\n:.?!]*\b{_HANDED}\b)[^\n:.?!]*[:?.!,][ \t]*\n"
    rf"|(?:^|(?<=[.!?]\s))[^\n:.?!]*\b(?:wrote|sent|texted|mailed|e-?mailed|messaged)\s+(?:me"
    rf"|us)\b[^\n:.?!]{{0,40}}"
    rf"(?:[:.][ \t]*\n|(?P<said>:[ \t]+(?=\S)))",
    re.IGNORECASE | re.MULTILINE,
)
"""A line that hands over a text of somebody's: "Here is the mail I got:", "My aunt wrote me this."."""
_MIN_BODY = 80
"""Characters after a greeting by name from which a message without a name below is taken for a letter."""
_TO_NAME = re.compile(r"^[ \t]*(?:dear\s+\S.{0,60}|hi\s+\w+|hello\s+\w+|to whom .{0,30}),[ \t]*$", re.I)


_MASKED = re.compile(r"\n+[ \t]{3,}(?:\n|\Z)")
"""What was quoted line by line is blank by now: what stands below it is the user's own."""
_BREAK = re.compile(r"\n[ \t]*\n")
_TO_ASSISTANT = re.compile(r"\b(?:you|please|your|summari[sz]e|rewrite|translate|explain)\b", re.IGNORECASE)


def letters_in(text: str) -> Iterator[tuple[int, int]]:
    """Yield where letters stand in a message, from greeting or header to the name below or the end.

    A message that greets the assistant is none: before or behind a letter somebody speaks about it, or it is
    long and goes to a name.
    """
    forwarded = _forwarded(text)
    if forwarded is not None:
        yield forwarded, len(text)
        text = text[:forwarded]
    introduced = _INTRODUCED.search(text)
    if introduced is not None and text[introduced.end() :].strip():
        yield introduced.end(), _end_of_handed(text, introduced)
        text = text[: introduced.start()]
    place = 0
    while (greeting := _GREETING.search(text, place)) is not None:
        end = _signed_at(text, greeting.end())
        around = text[: greeting.start()].strip() or (end is not None and text[end:].strip())
        long = _TO_NAME.match(greeting.group()) and len(text) - greeting.end() >= _MIN_BODY
        if text[greeting.end() :].strip() and (around or long):
            yield greeting.start(), end if end is not None else len(text)
            place = end if end is not None else len(text)
        else:
            place = greeting.end()
        if place >= len(text):
            return


def _forwarded(text: str) -> int | None:
    """Return where the head of a forwarded mail begins: its mark, or two lines of its header."""
    mark = _FORWARDED.search(text)
    headers = list(_HEADER.finditer(text))
    starts = [mark.start()] if mark and not _MASKED.match(text, mark.end()) else []
    starts += [headers[0].start()] if len(headers) >= 2 else []
    return min(starts, default=None)


def _end_of_handed(text: str, introduced: re.Match[str]) -> int:
    if introduced["inline"] or introduced["said"]:
        stop = text.find("\n", introduced.end())
        return stop if stop >= 0 else len(text)
    end = _signed_at(text, introduced.end())
    return end if end is not None else _last_word(text, introduced.end())


def _last_word(text: str, start: int) -> int:
    """Return where a handed-over text ends that is not signed: before a last paragraph to the assistant."""
    breaks = [match.end() for match in _BREAK.finditer(text.rstrip(), start)]
    if (
        breaks
        and breaks[-1] > start
        and len(text) - breaks[-1] <= 400
        and _TO_ASSISTANT.search(text, breaks[-1])
    ):
        return breaks[-1]
    return len(text)


def _signed_at(text: str, start: int) -> int | None:
    """Return where the letter that goes on at `start` ends with closing words and a name, if it does."""
    for closing in _CLOSING.finditer(text, start):
        name = _SIGNATURE.match(text, closing.end())
        if name is not None:
            return name.end()
        if _SIGNED.match(closing.group()):
            return closing.end()
    return None
