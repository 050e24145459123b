"""From a message to the sentences in which the user speaks for themselves.

Code, quotations, letters, transcripts and pasted documents are masked with blanks of the same length,
so that every offset still points into the message.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from habitus.memory.extraction.letters import letters_in

MAX_READ_CHARS = 6_000
MAX_OWN_CHARS = 2_500
MAX_SENTENCE_CHARS = 600

_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]{1,300}`", re.DOTALL)
_QUOTED_LINE = re.compile(r"^[ \t]*(?:>|\|).*$", re.MULTILINE)
_LINK = re.compile(r"https?://\S+|<[^<>\n]{1,200}>")
_QUOTATION = re.compile(r"[\"“”«]([^\"“”«»\n]{3,800})[\"“”»]|(?<![\w’'])['‘]([^'‘\n]{12,400}?)['’](?!\w)")
_FIRST_PERSON = re.compile(r"\b(?:i|i'm|i've|my|me|we)\b", re.IGNORECASE)
_SPEAKER = re.compile(r"^[ \t]*[A-Z][\w .\-]{0,30}:[ \t]+\S", re.MULTILINE)
_OPENER = re.compile(
    r"(?:\b(?:following|below|article|text|passage|essay|paragraph|email|e-mail|letter|transcript|document"
    r"|review|story|lyrics|paper|abstract|description|draft|message|post|excerpt|summary|notes|resume|cv"
    r"|content|input|context|quote|prompt|this|these|here)\b[^\n:]{0,80}|^\W*\w{1,20}):[ \t]*(?=\S|\n)",
    re.IGNORECASE | re.MULTILINE,
)
_ANNOUNCED = re.compile(
    r"\b(?:below|following|attached|pasted)\b[^\n:]{0,60}[.!?]?[ \t]*\n[ \t]*\n(?=\S)", re.IGNORECASE
)
_MARKED_UP = re.compile(r"<(\w{2,20})\b[^<>]{0,80}>.*?(?:</\1\s*>|\Z)", re.DOTALL)
_BLANK_LINE = re.compile(r"\n[ \t]*\n")
_TO_ASSISTANT = re.compile(r"\b(?:you|please|your|summari[sz]e|rewrite|translate|explain)\b", re.IGNORECASE)
_LIST_ITEM = re.compile(r"^[ \t]*(?:[-*•]|\d{1,3}[.)])[ \t]+", re.MULTILINE)
_ABBREVIATION = re.compile(
    r"\b(?:e\.g|i\.e|etc|vs|dr|mr|mrs|ms|st|no|approx|inc|ltd|u\.s|a\.m|p\.m)\.$", re.I
)
_STOP = re.compile(r"(?:[.!?…]+[\"'”’)\]]*(?=\s|$)|\n+|[。！？])")
_FRONTED = re.compile(
    r"(?:^|(?<=[.!?\n]))[ \t]*(?:when(?:ever)?|if|while|after|before)\s+"
    r"(?:(?:i|we|he|she|it|they)\b|(?:my|the|our)\s+\w)"
    r"[^,.;:!?\n]{2,60}?(?P<blank>\s)(?=i(?:'m|'d|'ve)?\s+(?!(?:do|did|am|was|have|had|can|could)\b))",
    re.IGNORECASE,
)
_REPORTING = re.compile(
    r"\b(?:say|says|said|saying|think|thought|feel|felt|know|knew|guess|mean|meant|hope|wish|believe"
    r"|reali[sz]ed?"
    r"|remember|told?\s+\w+|tells?\s+\w+|that|what|which|who|how|where|why|and|or|but|because|so|things?"
    r"|ones?)$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Sentence:
    """A sentence of the user's own.

    Attributes:
        text: without surrounding blanks; what was masked in it is blank.
        raw: the same span verbatim.
        start: where it begins in the message.
        is_question: True when it ends with a question mark.
        previous: the sentence before it, "" for the first.
        is_bounded: True where words that bound it in time were blanked out.
    """

    text: str
    raw: str
    start: int
    is_question: bool
    previous: str = ""
    is_bounded: bool = False

    @property
    def plain(self) -> str:
        """The text with typewriter apostrophes, character by character as long as `text`."""
        return self.text.replace("’", "'").replace("‘", "'")

    def quote(self, start: int, end: int) -> str:
        """Return a part of the sentence verbatim, without surrounding blanks."""
        return self.raw[start:end].strip()


def own_sentences(text: str) -> list[Sentence]:
    """Return what the user says in their own name, in order; bounded work for any length of text."""
    found: list[Sentence] = []
    for start, end in _windows(text):
        masked = _mask(text[start:end])
        if start > 0 or end < len(text):
            masked = _only_edge(masked, is_head=start == 0)
        found += _sentences(masked, text[start:end], start, found[-1].text if found else "")
    return found


def _windows(text: str) -> list[tuple[int, int]]:
    if len(text) <= MAX_OWN_CHARS:
        return [(0, len(text))]
    half = MAX_READ_CHARS // 2
    if len(text) <= MAX_READ_CHARS:
        middle = len(text) // 2
        return [(0, middle), (middle, len(text))]
    return [(0, half), (len(text) - half, len(text))]


def _blank(text: str, start: int, end: int) -> str:
    return text[:start] + re.sub(r"[^\n]", " ", text[start:end]) + text[end:]


def _mask(text: str) -> str:
    for pattern in (_CODE, _MARKED_UP, _QUOTED_LINE, _LINK):
        text = pattern.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)
    text = _mask_quotations(text)
    text = _mask_letters(text)
    text = _mask_transcript(text)
    return _part(_mask_paste(text))


def _part(text: str) -> str:
    """Put the comma that belongs between a condition in front and what "I" do then, in place of the blank."""
    for match in list(_FRONTED.finditer(text)):
        blank = match.start("blank")
        if not _REPORTING.search(text[match.start() : blank]):
            text = f"{text[:blank]},{text[blank + 1 :]}"
    return text


def _mask_quotations(text: str) -> str:
    for match in list(_QUOTATION.finditer(text)):
        if match.start() <= 1 and match.end() >= len(text.rstrip()) - 1:
            continue  # the whole message in quotation marks is somebody's habit of typing, not a quotation
        inner = match.group(1) or match.group(2)
        if _FIRST_PERSON.search(inner) or len(inner.split()) > 8:
            text = _blank(text, match.start(), match.end())
    return text


def _mask_transcript(text: str) -> str:
    lines = list(_SPEAKER.finditer(text))
    return _blank(text, lines[0].start(), len(text)) if len(lines) >= 2 else text


def _mask_letters(text: str) -> str:
    for start, end in letters_in(text):
        text = _blank(text, start, end)
    return text


def _mask_paste(text: str) -> str:
    """Mask what follows an announcement ("here is the article:"), but for a closing word to the assistant."""
    openers = sorted([*_OPENER.finditer(text), *_ANNOUNCED.finditer(text)], key=re.Match.end)
    for opener in openers:
        rest = text[opener.end() :]
        if len(rest) < 160 and rest.count("\n") < 2:
            continue
        last = _last_paragraph(rest)
        keep = opener.end() + last if last and _is_address(rest[last:]) else len(text)
        return _blank(text, opener.end(), keep)
    return text


def _last_paragraph(text: str) -> int:
    breaks = [match.end() for match in _BLANK_LINE.finditer(text.rstrip())]
    return breaks[-1] if breaks else 0


def _is_address(paragraph: str) -> bool:
    return len(paragraph) <= 400 and _TO_ASSISTANT.search(paragraph) is not None


def _only_edge(text: str, *, is_head: bool) -> str:
    """Of a long message keep the paragraph at its edge, where people put their own words around a paste."""
    if is_head:
        first = _BLANK_LINE.search(text.lstrip())
        lead = len(text) - len(text.lstrip())
        end = lead + first.start() if first else text.find("\n", lead)
        return text[:end] if 0 < end <= 800 else ""
    last = _last_paragraph(text)
    return _blank(text, 0, last) if last and _is_address(text[last:]) else ""


def _sentences(text: str, raw: str, offset: int, previous: str) -> Iterator[Sentence]:
    start = 0
    for end, is_question in _ends(text):
        piece = _LIST_ITEM.sub(lambda match: " " * len(match.group()), text[start:end])
        stripped = piece.strip()
        if stripped and len(stripped) <= MAX_SENTENCE_CHARS:
            lead = len(piece) - len(piece.lstrip())
            first = start + lead
            yield Sentence(
                stripped, raw[first : first + len(stripped)], offset + first, is_question, previous
            )
            previous = stripped
        start = end


def _ends(text: str) -> Iterator[tuple[int, bool]]:
    for match in _STOP.finditer(text):
        if match.group().startswith(".") and _ABBREVIATION.search(
            text[max(0, match.start() - 8) : match.end()]
        ):
            continue
        yield match.end(), "?" in match.group() or "？" in match.group()
    yield len(text), False
