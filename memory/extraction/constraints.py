"""What a request rules out in passing: "anything that is not spicy?", "somewhere without stairs"."""

from __future__ import annotations

import re

from habitus.memory.extraction.guards import is_hypothetical
from habitus.memory.extraction.preferences import make_preference
from habitus.memory.extraction.segmentation import Sentence
from habitus.memory.extraction.targets import clean_target, is_anaphor, object_span, scope_of
from habitus.memory.extraction.wording import tidy
from habitus.memory.records import Preference, Stance, Turn

CONFIDENCE = 0.45
"""A wish for one request is a hint of a lasting taste, no more: it waits to be confirmed."""

_ASKS = re.compile(
    r"\b(?:recommend\w*|suggest\w*|any\s+(?:\w+\s+)?(?:ideas?|tips|good|options|places|others?)"
    r"|ideas?\s+(?:for|about)|looking\s+for|options?|know\s+(?:of\s+)?(?:any|a|some|good)"
    r"|what\s+(?:are|is|should|would|can)"
    r"|where\s+(?:can|should|could)|which|find\s+(?:me|a|an|some)|show\s+me|prefer\w*|give\s+me"
    r"|anything|something|somewhere|anywhere)\b",
    re.IGNORECASE,
)
_HEAD = (
    r"(?:anything|something|somewhere|anywhere|nothing|one|ones|options?|some|any|ideas?"
    r"|alternatives?|places?|\w+s)"
)
_CONSTRAINTS: tuple[tuple[re.Pattern[str], Stance], ...] = (
    (
        re.compile(
            rf"\b(?:{_HEAD}|event|activity|place|recipe|gift"
            rf"|option)\s+(?:(?:\w+\s+){{0,4}}?)?that\s+(?:(?:isn't|aren't|is\s+not"
            rf"|are\s+not|won't\s+be|wouldn't\s+be)\s+(?:too\s+|overly\s+|very\s+"
            rf"|so\s+)?(?:\w+ly\s+)?(?:based\s+on\s+|made\s+(?:of|with)\s+)?"
            r"|(?:doesn't|don't|does\s+not|do\s+not|won't|wouldn't)\s+(?:\w+ly\s+)?(?:involve"
            r"|include|contain|have|use|feature|rely\s+on|require|focus\s+on|cost|need|feel|taste"
            r"|smell|look|serve|come\s+with|depend\s+on)\s+)",
            re.IGNORECASE,
        ),
        "avoid",
    ),
    (
        re.compile(r"\bnothing\s+(?:too\s+|overly\s+|that(?:'s|\s+is)\s+(?:too\s+)?|with\s+)", re.IGNORECASE),
        "avoid",
    ),
    (
        re.compile(
            r"\b(?:anything|something|somewhere|anywhere|one|ones|options?|places?)\s+(?:\w+\s+)?"
            r"(?:without(?!\s+\w+ing\b)|free\s+of|but\s+not(?:\s+too)?|not\s+too)\s+",
            re.IGNORECASE,
        ),
        "avoid",
    ),
    (
        re.compile(
            r"(?:^|,\s*|\bbut\s+|\band\s+)no\s+(?=[\w\s-]{3,40}(?:,?\s*please\b))",
            re.IGNORECASE,
        ),
        "avoid",
    ),
)
_REFUSED = re.compile(r"no\s+(?=[\w\s-]{3,40}?\s*(?:for\s+me\b|,?\s*please\b))", re.IGNORECASE)
_NOT_THINGS = re.compile(
    r"^(?:problem|worries|idea|need|way|doubt|wonder|matter|thanks|offen[cs]e|one|longer|more|less"
    r"|rush|hurry|pressure|much|breaking|having|compromising|sacrificing|spending|it|that|this|being"
    r"|making|getting|overwhelming|feeling|losing|any\s+(?:issues?|problems?))\b",
    re.IGNORECASE,
)


def constraints_in(turn: Turn, sentence: Sentence) -> list[Preference]:
    """Return what one sentence that asks for suggestions rules out."""
    refused = _REFUSED.match(sentence.plain)
    if refused is not None:
        plain_no = _constraint(turn, sentence, refused, "avoid")
        return [plain_no] if plain_no else []
    if not _ASKS.search(sentence.plain):
        return []
    found: list[Preference] = []
    for pattern, stance in _CONSTRAINTS:
        match = pattern.search(sentence.plain)
        preference = _constraint(turn, sentence, match, stance) if match else None
        if preference is not None and all(preference.target != other.target for other in found):
            found.append(preference)
    return found


def _constraint(turn: Turn, sentence: Sentence, match: re.Match[str], stance: Stance) -> Preference | None:
    start, end = object_span(sentence.plain, match.end())
    words = re.split(r",|\bfor\b|\bto\b", sentence.plain[start:end], maxsplit=1)[0]
    target = clean_target(words)
    if not re.search(r"\w{3}", target) or is_anaphor(words) or _NOT_THINGS.match(words.strip()):
        return None
    if is_hypothetical(sentence, match.start()):
        return None
    quote = sentence.quote(match.start(), start + len(words))
    return make_preference(
        turn,
        statement=tidy(quote),
        quote=quote,
        target=target,
        stance=stance,
        strength=0.6,
        confidence=CONFIDENCE,
        scope=scope_of(words),
        explicit=False,
    )
