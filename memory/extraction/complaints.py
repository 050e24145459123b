"""Tastes whose object comes first ("crowds drain me") or that hide in a noun ("my nut allergy")."""

from __future__ import annotations

import re
from collections.abc import Iterator

from habitus.memory.extraction.guards import is_hypothetical, is_reported
from habitus.memory.extraction.object_cues import OBJECT_FIRST
from habitus.memory.extraction.outcome import make_preference
from habitus.memory.extraction.segmentation import Sentence
from habitus.memory.extraction.targets import clean_target, is_anaphor, opening_occasion, scope_of
from habitus.memory.extraction.wording import tidy
from habitus.memory.records import Preference, Turn

FAVOURITE = "favourite"
"""First part of the topic of what there is one of at a time: "favourite.colour"."""

_NOT_A_TASTE = re.compile(
    r"^(?:no|none|not|nothing|neither)\b|^(?:the\s+)?(?:other|others|rest|first|second|third|last|option"
    r"|options|choice|idea|question"
    r"|answer|thing|problem|something|anything(?!\s+(?:with|that|made|containing)\b)|nothing|everything|what"
    r"|which|who|there)\b"
    r"|\b(?:you|your|i|he|she|they|we|his|her|their|son's|daughter's|wife's|husband's|friend's"
    r"|mother's|that\s+one|this\s+one|which|will|would|can|could|to|what|\w+n't)(?!\w)|\w's$",
    re.IGNORECASE,
)
_CLAUSE_BREAK = re.compile(
    r"(?:[.;:!?,()]|\s[-–—]|\b(?:but|and|because|since|although|though|while|as|so|that)\b)\s+",
    re.IGNORECASE,
)


_MINE = re.compile(
    r"\b(?:me|my|mine)\b|deal-?\s?breaker|no-?\s?go|off[-\s]limits|out\s+of\s+the\s+question"
    r"|turn-?\s?off|\bbeats?\b|\bover\b|\b(?:suggest|recommend|propose|offer)|\bplease\b|^there's\s+nothing"
    r"|^there\s+is\s+nothing|\bthe\s+worst\b|^(?:what|the\s+(?:one\s+)?thing)\s+i\b",
    re.I,
)
_CLAUSE_END = re.compile(r"[;()]|,\s*(?:so|and|but|can|do|what|any|could)\b|\s[-–—]\s")
_ADVERB_LAST = re.compile(
    r"(?:\s+(?:really|just|also|always|often|usually|generally|simply|honestly|typically|definitely"
    r"|certainly|still|truly))+\s*$",
    re.I,
)
_TIME_FIRST = re.compile(
    r"^\s*(?:(?:these\s+days|now(?:adays)?|lately|recently|today|honestly|actually|personally|frankly"
    r"|to\s+be\s+honest|by\s+now"
    r"|in\s+fact)\b[\s,]*)+",
    re.I,
)
_WITH_RELATIVE = re.compile(
    r"^(?:an?|any)\s+(?:[\w-]+\s+){1,2}(?:that|which)\s+[\w' -]{2,40}$", re.IGNORECASE
)
_MAX_OBJECT_CHARS = 90


def complaints_in(turn: Turn, sentence: Sentence) -> list[Preference]:
    """Return the tastes of one sentence whose object comes first or is part of a noun ("my nut allergy")."""
    if not _MINE.search(sentence.plain):
        return []
    return list(_found(turn, sentence))


def _found(turn: Turn, sentence: Sentence) -> Iterator[Preference]:
    for pattern in OBJECT_FIRST:
        match = pattern.regex.search(sentence.plain)
        if match is None or (sentence.is_question and match.end() > len(sentence.plain) - 2):
            continue
        start, end = _object(sentence.plain, match)
        start += len(sentence.plain[start:end]) - len(_TIME_FIRST.sub("", sentence.plain[start:end]))
        words = _ADVERB_LAST.sub("", sentence.plain[start:end])
        if is_anaphor(words) or _NOT_A_TASTE.search(words):
            continue
        if is_hypothetical(sentence, start) or is_reported(sentence, start):
            continue
        target = clean_target(words)
        if not re.search(r"\w{2}", target) or len(target.split()) > 10:
            continue
        begin, stop = min(start, match.start()), _end(sentence.plain, match.end())
        quote = sentence.quote(begin, stop)
        occasion = None if scope_of(quote) else _occasion_before(sentence, begin)
        yield make_preference(
            turn,
            statement=tidy(sentence.text[0 if occasion else begin : stop]),
            quote=quote,
            target=target,
            stance=pattern.stance,
            strength=pattern.strength,
            confidence=pattern.confidence,
            topic=_favourite(match),
            scope=occasion or scope_of(quote),
        )


def _occasion_before(sentence: Sentence, start: int) -> str | None:
    """Return the occasion that the sentence opens with, where the taste follows right behind it."""
    opening = opening_occasion(sentence.plain)
    return opening[0] if opening is not None and opening[1] == start else None


def _favourite(match: re.Match[str]) -> str | None:
    """Return the topic of "my favourite colour is ...": of it there is one at a time; None for others."""
    attribute = match.groupdict().get("attribute")
    if attribute is None or re.search(r"\bare\b", match.group()[: match.start("target") - match.start()]):
        return None
    return f"{FAVOURITE}.{'_'.join(attribute.lower().split())}"


def _object(text: str, match: re.Match[str]) -> tuple[int, int]:
    """Return where the object stands: the group `target`, or the noun phrase before the match."""
    if "target" in match.re.groupindex:
        start, end = match.span("target")
        cut = _CLAUSE_BREAK.search(text, start, end)
        return start, cut.start() if cut and cut.start() > start and "and" not in cut.group() else end
    start, end = max(0, match.start() - _MAX_OBJECT_CHARS), match.start()
    if _WITH_RELATIVE.match(text[:end]):
        return 0, end
    for cut in _CLAUSE_BREAK.finditer(text, start, end):
        joins_nouns = cut.group().strip().lower() in ("and", "or") and cut.start() - start <= 25
        start = start if joins_nouns and start < cut.start() else cut.end()
    return start, end


def _end(text: str, start: int) -> int:
    stop = _CLAUSE_END.search(text, start)
    return stop.start() if stop else len(text)
