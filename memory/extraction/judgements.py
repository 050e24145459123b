"""Judgements that are tastes: what the user says of a kind of things, without a word of themselves.

"Window seats are the best", "Coriander is disgusting". Kinds are named bare: a plural or a stuff without
the, this or my. What is said of one thing or event ("the concert was great"), in the past, of what is good
for a purpose or for others ("great for teaching"), or by somebody else, tells no taste.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from habitus.memory.extraction.grammar import UNPLEASANT
from habitus.memory.extraction.guards import is_hypothetical, is_reported
from habitus.memory.extraction.outcome import make_preference
from habitus.memory.extraction.segmentation import Sentence
from habitus.memory.extraction.targets import clean_target, is_anaphor
from habitus.memory.extraction.wording import tidy
from habitus.memory.records import Preference, Stance, Turn

_OWN = (
    r"(?:(?:and|but|also|plus|because|since|well|oh|ugh|ah|hmm|yes|no|honestly|frankly|personally|seriously|sorry"
    r"|imo|imho|in\s+my\s+(?:\w+\s+)?(?:opinion|view|book)|to\s+be\s+honest|if\s+you\s+ask\s+me|for\s+me|to\s+me"
    r"|(?:i|we)\s+(?:\w+ly\s+|just\s+|still\s+)*(?:think|find|feel|believe|reckon|say|swear)(?:\s+that)?)[\s,]+)*"
)
_NO_KIND = (
    r"(?:the|this|that|these|those|my|your|his|her|our|their|its|it|he|she|they|we|you|i|there|here|what|which|who"
    r"|how|where|when|why|if|some|most|many|all|both|one|two|three|each|every|other|others|no|any|none|not|only|both"
    r"|few|several|such|same|things?|ideas?|options?|suggestions?|answers?|everyone|everything|everybody|someone"
    r"|something|anything|anyone|nothing|nobody|people|nothing's)"
)
_NO_NOUN = (
    r"(?:is|are|was|were|be|been|am|has|have|had|do|does|did|will|would|can|could|should|might|may|must"
    r"|says?|said|thinks?|thought|tells?|told|means?|makes?|made|looks?|sounds?|seems?|feels?|tastes?|and|or|but|that"
    r"|which|who|if|whether|because|so|than|your|his|her|their|my|the|this|these|those|i|you|we|they|he|she|it|me)"
)
_WORD = rf"(?!{_NO_NOUN}(?![\w-]))[\w'-]+"
_KIND = rf"(?P<kind>(?!{_NO_KIND}(?![\w-]))(?:an?\s+)?{_WORD}(?:\s+{_WORD}){{0,5}}?)"
_MUCH = (
    r"(?:(?:\w+ly|just|so|too|such|very|quite|pretty|rather|always|still|way|kind\s+of|sort\s+of|a\s+bit|so\s+much"
    r"|by\s+far|hands\s+down|simply|pure)\s+)*"
)
_ASPECT = r"(?:\s+(?:thing|part|bit)\s+(?:about|of|in)\s+[\w' -]{3,40}?|\s+thing)?"
_GOOD = (
    rf"(?:the\s+best{_ASPECT}|awesome|amazing|brilliant|fantastic|wonderful|lovely|delicious|yummy|unbeatable"
    r"|irresistible|heavenly|divine|bliss|heaven|underrated|fun|fascinating|delightful|magical|life"
    r"|an?\s+(?:\w+\s+)?(?:godsend|lifesaver|life-?\s?saver|joy|treat|delight|blessing|must-have))"
)
_BAD = (
    rf"(?:the\s+(?:absolute\s+|very\s+)?worst{_ASPECT}|overrated|over-?hyped|vile|revolting|rubbish|trash|garbage"
    r"|nasty|yucky|icky|unbearable|insufferable|hell|torture|evil"
    rf"|an?\s+(?:\w+\s+)?(?:waste\s+of\s+(?:time|money|space|energy)|crime|nightmare|pain|drag|chore|bore|joke|abomination"
    rf"|turn-?off)|{UNPLEASANT})"
)
_EVER = (
    r"(?:\s+(?:ever|of\s+all|in\s+the\s+world|on\s+earth|to\s+me|in\s+my\s+(?:opinion|book|view)|imo|imho"
    r"|anyway|honestly))*"
)
_CLOSES = r"(?=\s*(?:[.!;,:]|$|\s[-–—]\s)|\s+(?:because|since|but|and\s+i)\b)"
_JUDGED = re.compile(
    rf"(?:^|(?<=[;,:–—])\s+|(?<=\bbecause)\s+|(?<=\bbut)\s+)(?P<own>{_OWN}){_KIND}(?:\s+(?:is|are)|'s|'re)\s+"
    rf"(?:(?P<not>not\s+)?{_MUCH})(?:(?P<good>{_GOOD})|(?P<bad>{_BAD})){_EVER}{_CLOSES}",
    re.IGNORECASE,
)
_ANY = re.compile(r"\b(?:is|are)\b|'(?:s|re)\b", re.IGNORECASE)
_SOURCE = re.compile(r"\baccording\s+to\b", re.IGNORECASE)
_TIME = re.compile(
    r"\b(?:today|tonight|yesterday|tomorrow|right\s+now|at\s+the\s+moment|currently|this|here|there|so\s+far)\b",
    re.IGNORECASE,
)
_STRENGTH, _CONFIDENCE = 0.65, 0.6


def judgements_in(turn: Turn, sentence: Sentence) -> list[Preference]:
    """Return the tastes that one sentence tells by judging a kind of things."""
    if (
        sentence.is_question
        or sentence.is_bounded
        or not _ANY.search(sentence.plain)
        or _TIME.search(sentence.plain)
    ):
        return []
    return list(_found(turn, sentence))


def _found(turn: Turn, sentence: Sentence) -> Iterator[Preference]:
    for match in _JUDGED.finditer(sentence.plain):
        start = match.start("own")
        target = clean_target(match["kind"])
        is_word = re.search(r"[^\W\d_]{2}", target) is not None
        if not is_word or is_anaphor(match["kind"]) or _is_name(match["kind"]):
            continue
        if is_hypothetical(sentence, start) or is_reported(sentence, start) or _SOURCE.search(sentence.plain):
            continue
        liked = (match["good"] is not None) != (match["not"] is not None)
        stance: Stance = "like" if liked else "dislike"
        yield make_preference(
            turn,
            statement=tidy(sentence.text[start : match.end()]),
            quote=sentence.quote(start, match.end()),
            target=target,
            stance=stance,
            strength=_STRENGTH,
            confidence=_CONFIDENCE,
        )


def _is_name(kind: str) -> bool:
    """Tell "Anna Kowalska" from a kind of things."""
    words = kind.split()
    return len(words) > 1 and all(word[0].isupper() for word in words)
