"""What the user takes back, and what they set right in a reply."""

from __future__ import annotations

import re
from collections.abc import Sequence

from habitus.memory.extraction.cues import ALLOWED_BEFORE
from habitus.memory.extraction.guards import is_hypothetical
from habitus.memory.extraction.outcome import record_id
from habitus.memory.extraction.preferences import tidy
from habitus.memory.extraction.segmentation import Sentence
from habitus.memory.records import Correction, Turn
from habitus.retrievers.analysis import analyze
from habitus.retrievers.passages import sentences as split_sentences

MAX_SITUATION_CHARS = 400

_TAKES_BACK = (
    (
        re.compile(
            r"(?:^|[,.;!:—-]\s*|\b(?:please|just|and|so|now|also|can\s+you|could\s+you|you\s+can"
            r"|to)\s+)(?:forget|disregard|ignore|scratch|drop|never\s+mind)\s+(?:about\s+)?(?:that\s+"
            r"|what\s+i\s+said\s+(?:about\s+)?(?:that\s+)?|the\s+(?:fact|part|thing)\s+(?:that\s+"
            r"|about\s+))?(?P<words>(?:i|my(?!\s+(?:previous|last|earlier|question|message|prompt))"
            r"|me)\b[^.;!?]{3,160}|(?<=about\s)(?:my|the\s+fact)\b[^.;!?]{3,120})",
            re.IGNORECASE,
        ),
        "{words}",
    ),
    (
        re.compile(
            r"\bforget\s+(?:about\s+)?(?:what\s+i\s+(?:said|told\s+you)\s+about"
            r"|everything\s+(?:about|i\s+said\s+about))\s+(?P<words>[^.;!?]{3,120})",
            re.IGNORECASE,
        ),
        "{words}",
    ),
    (re.compile(r"\bi(?:'m|\s+am)\s+no\s+longer\s+(?P<words>[^.;!?]{3,120})", re.IGNORECASE), "I am {words}"),
    (re.compile(r"\bi\s+no\s+longer\s+(?P<words>[^.;!?]{3,120})", re.IGNORECASE), "I {words}"),
    (
        re.compile(r"\bi\s+(?:don't|do\s+not)\s+(?P<words>[^.;!?]{3,100}?)\s+any\s?more\b", re.IGNORECASE),
        "I {words}",
    ),
    (
        re.compile(r"\bi(?:'m|\s+am)\s+not\s+(?P<words>[^.;!?]{3,100}?)\s+any\s?more\b", re.IGNORECASE),
        "I am {words}",
    ),
    (
        re.compile(
            r"\bi\s+used\s+to\s+(?P<words>(?!be\s+able)[^.;!?]{3,100}?),?\s+but\b(?=[^.;!?]*\b(?:now"
            r"|not|any\s?more|stopped|changed|no\s+longer|over)\b)",
            re.IGNORECASE,
        ),
        "I {words}",
    ),
    (
        re.compile(
            r"\bi(?:'ve|\s+have)?\s+(?:changed\s+my\s+mind"
            r"|take\s+(?:it\s+)?back\s+what\s+i\s+said)\s+(?:about|on"
            r"|regarding)\s+(?P<words>[^.;!?]{3,100})",
            re.IGNORECASE,
        ),
        "{words}",
    ),
    (
        re.compile(
            r"\bi(?:'ve|\s+have)?\s+(?:stopped|quit|given\s+up|gave\s+up)\s+(?P<words>(?:avoiding"
            r"|being|liking|disliking|hating|preferring|following)\b[^.;!?]{3,100})",
            re.IGNORECASE,
        ),
        "I was {words}",
    ),
)
_CORRECTS = re.compile(
    r"^(?:(?:no|nope|wrong|actually|hey|hold\s+on|wait|sorry|not\s+quite|hmm|um|but|well)\b[\s,.!:-]*)*"
    r"(?:(?:no,?\s+)?i\s+(?:already\s+|just\s+|did\s+)?(?:said|told\s+you|meant|mean|asked\s+(?:for"
    r"|you)|mentioned|specified|was\s+talking\s+about|wanted)\b|that(?:'s|\s+is"
    r"|\s+was)\s+(?:not\s+(?:right|true|correct|what)|wrong|incorrect|false|a\s+mistake)"
    r"|you\s+(?:got|have)\s+(?:it|that|this)\s+wrong|you(?:'re|\s+are)\s+wrong"
    r"|you\s+(?:misunderstood|forgot|ignored|made\s+a\s+mistake)"
    r"|not\s+[\w\s]{2,40},\s*(?:but\s+)?(?:i\s+)?\w+)",
    re.IGNORECASE,
)
_STRONG_NO = re.compile(
    r"^(?:no|nope|wrong|incorrect)\b[,.!:\s-]+(?!problem|worries|thanks|thank|need|idea|i'm\s+good"
    r"|more|one|way)(?P<rest>\S.{8,})",
    re.IGNORECASE,
)
_ASKS_CODE = re.compile(r"\b(?:i\s+mean|i\s+asked)\b", re.IGNORECASE)


def retractions_in(sentence: Sentence) -> list[str]:
    """Return what one sentence takes back, as the sentence that no longer holds."""
    if sentence.is_question and not re.search(r"\bforget\b", sentence.plain, re.IGNORECASE):
        return []
    for pattern, form in _TAKES_BACK:
        match = pattern.search(sentence.plain)
        if match is not None and _is_said(sentence, match.start()):
            words = sentence.text[slice(*match.span("words"))]
            words = re.split(r",?\s+\b(?:but|because|so|and\s+(?:i|now))\b", words)[0]
            return [form.format(words=words.strip(" ,.'\""))]
    return []


def _is_said(sentence: Sentence, start: int) -> bool:
    """Tell a clause of its own from a relative one ("jeans that I no longer wear")."""
    if sentence.plain[start].lower() != "i":
        return True
    return ALLOWED_BEFORE.search(sentence.plain[:start]) is not None and not is_hypothetical(sentence, start)


def is_correction(sentence: Sentence) -> bool:
    """Tell whether the sentence sets the assistant right."""
    if _CORRECTS.match(sentence.plain):
        return True
    return _STRONG_NO.match(sentence.plain) is not None


def corrections_in(turn: Turn, sentences: Sequence[Sentence], context: Sequence[Turn]) -> list[Correction]:
    """Return what the opening of a turn sets right in the reply before it; nothing without such a reply."""
    reply = context[-1] if context and context[-1].role == "assistant" else None
    opening = next((s for s in sentences[:2] if is_correction(s)), None)
    if reply is None or opening is None:
        return []
    rest = [s.text for s in sentences if s.start > opening.start and not s.is_question][:1]
    right = " ".join([opening.text, *rest]) if len(opening.text.split()) < 6 else opening.text
    if len(right.split()) < 3:
        return []
    asked = next((told for told in reversed(context[:-1]) if told.role == "user"), None)
    situation = (asked or reply).text[:MAX_SITUATION_CHARS].strip()
    return [
        Correction(
            id=record_id(turn.user_id, turn.id, "correction"),
            user_id=turn.user_id,
            situation=situation,
            wrong=nearest_sentence(reply.text, right),
            right=tidy(right),
            turn_id=turn.id,
            made_at=turn.at,
        )
    ]


def nearest_sentence(reply: str, words: str) -> str:
    """Return the sentence of a reply that shares most stems with `words`; the first when none does."""
    said = set(analyze(words))
    pieces = split_sentences(reply[:8_000])[:80] or [reply[:MAX_SITUATION_CHARS]]
    return max(pieces, key=lambda piece: len(said & set(analyze(piece))))[:MAX_SITUATION_CHARS]
