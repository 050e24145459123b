"""Tastes whose object comes first ("crowds drain me") or that hide in a noun ("my nut allergy")."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from habitus.memory.extraction.grammar import BE, NOT, POOR
from habitus.memory.extraction.guards import is_hypothetical, is_reported
from habitus.memory.extraction.preferences import make_preference
from habitus.memory.extraction.segmentation import Sentence
from habitus.memory.extraction.targets import clean_target, is_anaphor, scope_of
from habitus.memory.extraction.wording import tidy
from habitus.memory.records import Preference, Stance, Turn

_ADVERBS = (
    r"(?:(?:\w+ly|just|quite|so|too|also|always|often|tends?\s+to|would|can|do|does|ever|exactly"
    r"|much|all\s+that|a\s+bit|all|not\s+really)\s+)*"
)
_UNWELL = (
    r"(?:(?:feel|get)\s+)?(?:\w+ly\s+|very\s+|so\s+|too\s+)?(?:nauseous|sick|dizzy|anxious"
    r"|uncomfortable|uneasy|nervous|motion\s+sick|disoriented|overwhelmed"
    r"|claustrophobic|ill|restless|tense|queasy|itchy|cringe|bloated|sneeze|panic\w*|jittery|miserable|sad)"
)
_AILMENT = (
    r"(?:\w+\s+)?(?:headaches?|migraines?|anxiety|nausea|vertigo|hives|rash(?:es)?|the\s+creeps"
    r"|nightmares|heartburn|acne|indigestion|motion\s+sickness|pain)"
)


@dataclass(frozen=True)
class _Pattern:
    """The object of a taste stands before `regex`, or is its group `target`."""

    regex: re.Pattern[str]
    stance: Stance
    strength: float
    confidence: float


def _pattern(text: str, stance: Stance, strength: float, confidence: float = 0.8) -> _Pattern:
    return _Pattern(re.compile(text, re.IGNORECASE), stance, strength, confidence)


_PATTERNS: tuple[_Pattern, ...] = (
    _pattern(
        rf"(?<=\s){_ADVERBS}(?:{NOT}|never|has\s+never|have\s+never|no\s+longer)\s+{_ADVERBS}"
        r"(?:appeal(?:s|ed)?\s+to|interest(?:s|ed)?|excite|work\s+(?:well\s+)?for|do\s+(?:it|much"
        r"|anything)\s+for|agree\s+with|suit|attract|sit\s+well\s+with|resonate\s+with"
        r"|speak\s+to)\s+me\b",
        "dislike",
        0.75,
    ),
    _pattern(
        rf"(?<=\s)(?:{BE}\s+{_ADVERBS}(?:not|never)|isn't|aren't|are\s+not|just\s+isn't"
        rf"|just\s+aren't)\s+{_ADVERBS}"
        r"(?:my\s+(?:\w+\s+)?(?:thing|cup\s+of\s+tea|style|jam|scene|favou?rites?|taste|preference"
        r"|strong\s+suit)|for\s+me|to\s+my\s+(?:taste|liking)|appealing\s+to\s+me)\b",
        "dislike",
        0.75,
    ),
    _pattern(rf"(?<=\s){_ADVERBS}(?:makes?|making|leaves?)\s+me\s+{_UNWELL}\b", "dislike", 0.75),
    _pattern(
        rf"(?<=\s){_ADVERBS}(?:gives?|causes?|triggers?|cause)\s+(?:me|my)\s+{_AILMENT}\b",
        "avoid",
        0.8,
    ),
    _pattern(
        rf"(?<=\s){_ADVERBS}(?:bothers?|annoys?|bores?|irritates?|scares?|frightens?"
        rf"|terrif(?:y|ies)|overwhelms?|drains?|exhausts?|disgusts?|distracts?|repulses?"
        r"|drives?|turns?|stress(?:es)?|gross(?:es)?|freak(?:s)?|puts?|creeps?|wears?"
        r"|upsets?)\s+me(?:\s+(?:off|out|crazy|mad|insane|nuts|down|up\s+the\s+wall))?\b",
        "dislike",
        0.75,
    ),
    _pattern(
        rf"(?<=\s){BE}\s+{_ADVERBS}(?:an?\s+)?(?:complete\s+|total\s+|absolute\s+|strict\s+"
        rf"|huge\s+|big\s+|major\s+)?"
        r"(?:deal-?\s?breakers?|no-?\s?go|off(?:-|\s)limits|turn-?\s?offs?|out\s+of\s+the\s+question"
        r"|pet\s+peeves?(?:\s+of\s+mine)?)(?:\s+(?:for|to|with)\s+me)?(?=\s*(?:[.,;!?]|$|for|because"
        r"|so|and))",
        "avoid",
        0.95,
    ),
    _pattern(
        rf"(?<=\s){BE}\s+{_ADVERBS}(?:an?\s+)?(?:must-?\s?have|must|non-?\s?negotiable"
        rf"|essential|very\s+important|crucial|a\s+priority)\s+(?:for|to)\s+me\b",
        "require",
        0.85,
    ),
    _pattern(
        rf"(?<=\s)(?:{BE})\s+{_ADVERBS}(?:one\s+of\s+)?my\s+(?:all-?\s?time\s+|absolute\s+"
        rf"|personal\s+)?(?:favou?rites?|go-?to|passion|comfort\s+\w+"
        rf"|guilty\s+pleasure)\b(?!\s+(?:so\s+far|part|one))",
        "like",
        0.8,
    ),
    _pattern(
        rf"(?<=\s){BE}\s+{_ADVERBS}an?\s+(?:\w+\s+)?(?:problem|nightmare|struggle|challenge|nuisance"
        rf"|torture)\s+(?:for|to)\s+me\b",
        "dislike",
        0.7,
    ),
    _pattern(
        rf"(?<=\s){BE}\s+(?:definitely\s+|completely\s+|totally\s+|all\s+)?out\s+for\s+(?:me|us)"
        r"(?=\s*(?:[.,;!?]|$|because|so|and))(?!\s*(?:this|that|today|tonight))",
        "avoid",
        0.8,
    ),
    _pattern(r"\b(?:nothing|you\s+can't)\s+beats?\s+(?P<target>[^.;:!?,()]{2,60})", "like", 0.75, 0.75),
    _pattern(
        r"\bmy\s+(?:all-?\s?time\s+|absolute\s+|personal\s+)?favou?rite\s+(?:(?:kind|type"
        r"|sort)s?\s+of\s+)?(?:[\w' -]{2,40}?)\s+(?:is|are|has\s+(?:always\s+)?been"
        r"|would\s+be)\s+(?P<target>[^.;:!?,()]{2,70})",
        "like",
        0.85,
        0.9,
    ),
    _pattern(
        rf"(?<=\s){_ADVERBS}(?:appeals?\s+to|suits?|fascinates?|relax(?:es)?|calms?|soothes?"
        rf"|works?\s+best\s+for|motivates?)\s+me\b",
        "like",
        0.65,
    ),
    _pattern(rf"(?<=\s)(?:feels?|{BE})\s+{_ADVERBS}{POOR}\s+(?:to|for)\s+me\b", "dislike", 0.7),
    _pattern(
        r"\bmy\s+(?:(?:severe|strong|serious|mild|bad|deadly|terrible|deep"
        r"|intense)\s+)?(?P<target>(?:[\w-]+\s+){1,3}?)(?:allerg(?:y|ies)|intolerance)\b",
        "avoid",
        1.0,
        0.95,
    ),
    _pattern(
        r"\bmy\s+(?:(?:severe|strong|serious|mild|bad|deadly|terrible|deep"
        r"|intense)\s+)?(?:allerg(?:y|ies)|aversion|intolerance|sensitivity)\s+(?:to|of"
        r"|for)\s+(?P<target>[^.;:!?,()]{2,60})",
        "avoid",
        0.95,
        0.95,
    ),
    _pattern(
        r"\b(?:my|a)\s+(?:strong\s+|deep\s+|intense\s+)?(?:fear|phobia|dislike|hatred)\s+(?:of"
        r"|for)\s+(?P<target>[^.;:!?,()]{2,60})",
        "dislike",
        0.85,
        0.85,
    ),
)
_NOT_A_TASTE = re.compile(
    r"^(?:no|none|not|nothing|neither)\b|^(?:the\s+)?(?:other|others|rest|first|second|third|last|option|options|choice|idea|question"
    r"|answer|thing|problem|something|anything|nothing|everything|what|which|who|there)\b"
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
    r"|turn-?\s?off|\bbeats?\b",
    re.I,
)
_CLAUSE_END = re.compile(r"[;()]|,\s*(?:so|and|but|can|do|what|any|could)\b|\s[-–—]\s")
_ADVERB_LAST = re.compile(
    r"(?:\s+(?:really|just|also|always|often|usually|generally|simply|honestly|typically|definitely"
    r"|certainly|still|truly))+\s*$",
    re.I,
)
_MAX_OBJECT_CHARS = 90


def complaints_in(turn: Turn, sentence: Sentence) -> list[Preference]:
    """Return the tastes of one sentence whose object comes first or is part of a noun ("my nut allergy")."""
    if not _MINE.search(sentence.plain):
        return []
    return list(_found(turn, sentence))


def _found(turn: Turn, sentence: Sentence) -> Iterator[Preference]:
    for pattern in _PATTERNS:
        match = pattern.regex.search(sentence.plain)
        if match is None or (sentence.is_question and match.end() > len(sentence.plain) - 2):
            continue
        start, end = _object(sentence.plain, match)
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
        yield make_preference(
            turn,
            statement=tidy(sentence.text[begin:stop]),
            quote=quote,
            target=target,
            stance=pattern.stance,
            strength=pattern.strength,
            confidence=pattern.confidence,
            scope=scope_of(quote),
        )


def _object(text: str, match: re.Match[str]) -> tuple[int, int]:
    """Return where the object stands: the group `target`, or the noun phrase before the match."""
    if "target" in match.re.groupindex:
        start, end = match.span("target")
        cut = _CLAUSE_BREAK.search(text, start, end)
        return start, cut.start() if cut and cut.start() > start and "and" not in cut.group() else end
    start, end = max(0, match.start() - _MAX_OBJECT_CHARS), match.start()
    for cut in _CLAUSE_BREAK.finditer(text, start, end):
        joins_nouns = cut.group().strip().lower() in ("and", "or") and cut.start() - start <= 25
        start = start if joins_nouns and start < cut.start() else cut.end()
    return start, end


def _end(text: str, start: int) -> int:
    stop = _CLAUSE_END.search(text, start)
    return stop.start() if stop else len(text)
