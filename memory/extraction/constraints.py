"""What a request rules out in passing: "anything that is not spicy?", "somewhere without stairs"."""

from __future__ import annotations

import re

from habitus.memory.extraction.guards import is_hypothetical
from habitus.memory.extraction.outcome import make_preference
from habitus.memory.extraction.segmentation import Sentence
from habitus.memory.extraction.targets import clean_target, is_anaphor, object_span, scope_of
from habitus.memory.extraction.wording import tidy
from habitus.memory.learning.features import trait_called
from habitus.memory.records import Preference, Stance, Turn

CONFIDENCE = 0.45
"""A wish for one request is a hint of a lasting taste, no more: it waits to be confirmed."""
WISH = 0.65
"""Confidence in a wish on the form of replies."""

_ASKS = re.compile(
    r"\b(?:recommend\w*|suggest\w*|any\s+(?:\w+\s+)?(?:ideas?|tips|good|options|places|others?)"
    r"|ideas?\s+(?:for|about)|looking\s+for|options?|know\s+(?:of\s+)?(?:any|a|some|good)"
    r"|what\s+(?:are|is|should|would|can)"
    r"|where\s+(?:can|should|could)|which|find\s+(?:me|a|an|some)|show\s+me|prefer\w*|give\s+me"
    r"|anything|something|somewhere|anywhere|(?:is|are)\s+there\s+(?:an?|any|some)|got\s+any|what's\s+a"
    r"\s+good"
    r"|(?:can|could)\s+(?:we|i)\s+(?:do|have|get|try))\b|^any\b|,\s*nothing\s+too\b",
    re.IGNORECASE,
)
_HEAD = (
    r"(?:anything|something|somewhere|anywhere|nothing|one|ones|options?|some|any|ideas?"
    r"|alternatives?|places?|\w+s)"
)
_CONSTRAINTS: tuple[tuple[re.Pattern[str], Stance], ...] = (
    (
        re.compile(
            r"\b(?!(?:is|was|so|know|fact|note|think|say|said|me|it|such)\b)[\w-]+\s+(?:(?:\w+"
            r"\s+){0,3}?)?(?:that|which)\s+(?:(?:isn't|aren't|is\s+not"
            r"|are\s+not|won't\s+be|wouldn't\s+be)\s+(?:too\s+|overly\s+|very\s+"
            r"|so\s+)?(?:\w+ly\s+)?(?:based\s+on\s+|made\s+(?:of|with)\s+)?"
            r"|(?:doesn't|don't|does\s+not|do\s+not|won't|wouldn't)\s+(?:\w+ly\s+)?(?:involve"
            r"|include|contain|have|use|feature|rely\s+on|require|focus\s+on|cost|need|feel|taste"
            r"|smell|look|serve|come\s+with|depend\s+on)\s+|(?:doesn't|don't|won't)\s+(?=\w+\W*$)|avoids?\s+"
            r"|come\s+without\s+)",
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
            r"\b(?:anything|something|somewhere|anywhere|one|ones|options?|places?)\s+(?:\w+\s+)?(?:free"
            r"\s+of|but\s+not(?:\s+too)?|not\s+too"
            r"|other\s+than|(?:but|except)(?!\s+(?:i|it|not|for|that)\b))\s+|\b(?!(?:do|it|go|live|that|this"
            r"|done|get|way|work\w*)\b)[\w-]+\s+(?:(?:come|comes)\s+)?without"
            r"(?!\s+(?:\w+ing|the|my|it|them|your?|me|us|this|that|having|any\s+(?:\w+\s+)?(?:issues?"
            r"|problems?))\b)\s+",
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
_REFUSED = re.compile(
    r"(?:(?:please|and|but|so|oh|also)\b,?\s+)*no\s+(?=[\w\s-]{3,40}?\s*(?:for\s+me\b|,?\s*please\b))"
    r"|nothing\s+(?:with|containing)\s+(?=[\w\s-]{3,30}(?:,?\s*please\b|\W*$))|please,?\s+(?:no|nothing"
    r"\s+(?:with|that\s+(?:has|involves)))\s+|nothing\s+too\s+"
    r"|(?:ideally|preferably),?\s+(?:no|not|nothing|without)\s+",
    re.IGNORECASE,
)
_WISHED = re.compile(
    r"(?:ideally|preferably),?\s+(?:(?:something|somewhere|one|an?|with)\s+)*"
    r"|(?:something|somewhere)\s+(?!not\b|without\b|too\b|less\b)(?=[\w\s-]{3,30},?\s*please\b)",
    re.IGNORECASE,
)
_NOT_THINGS = re.compile(
    r"^(?:(?:still|even|actually|multiple|much|special|any\s+special|guilt|any\s+guilt|hassle|any\s+hassle"
    r"|effort|delay|further|warning|question)\b|problem|worries|idea|need|way|doubt|wonder|matter|thanks"
    r"|offen[cs]e|one|longer|more|less"
    r"|rush|hurry|pressure|much|breaking|having|compromising|sacrificing|spending|it|that|this|being"
    r"|making|getting|overwhelming|feeling|losing|any\s+(?:issues?|problems?))\b",
    re.IGNORECASE,
)


def constraints_in(turn: Turn, sentence: Sentence) -> list[Preference]:
    """Return what one sentence that asks for suggestions rules out."""
    refused = _REFUSED.match(sentence.plain)
    if refused is not None:
        plain_no = _constraint(turn, sentence, refused, "avoid")
        return [_of_replies(plain_no) or plain_no] if plain_no else []
    wished = _WISHED.match(sentence.plain)
    if wished is not None:
        wish = _constraint(turn, sentence, wished, "like")
        return [wish] if wish else []
    if not _ASKS.search(sentence.plain):
        return []
    found: list[Preference] = []
    for pattern, stance in _CONSTRAINTS:
        match = pattern.search(sentence.plain)
        preference = _constraint(turn, sentence, match, stance) if match else None
        if preference is not None and all(preference.target != other.target for other in found):
            found.append(preference)
    return found


def _of_replies(plain_no: Preference) -> Preference | None:
    """Return a bare "no closing phrase, please" as the wish on replies that it is; None for other things."""
    trait = trait_called(plain_no.target)
    if trait is None:
        return None
    told = {"topic": trait.topic, "target": trait.target.lower(), "explicit": True, "confidence": WISH}
    return plain_no.model_copy(update=told)


def _constraint(turn: Turn, sentence: Sentence, match: re.Match[str], stance: Stance) -> Preference | None:
    start, end = object_span(sentence.plain, match.end())
    words = re.split(r",|\bplease\b|\bfor\b|\bto\b", sentence.plain[start:end], maxsplit=1)[0]
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
