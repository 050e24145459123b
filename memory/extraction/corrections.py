"""What the user takes back, and what they set right in a reply."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from habitus.memory.extraction.comparisons import replacements_in
from habitus.memory.extraction.cues import ALLOWED_BEFORE
from habitus.memory.extraction.grammar import EATER, KEEP
from habitus.memory.extraction.guards import is_hypothetical
from habitus.memory.extraction.outcome import record_id
from habitus.memory.extraction.segmentation import Sentence
from habitus.memory.extraction.turning import TURNS, in_the_present
from habitus.memory.extraction.wording import tidy
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
    (
        re.compile(
            r"\bi(?:'m|\s+am)\s+(?:actually\s+|in\s+fact\s+|really\s+)?not\s+(?P<words>(?:allergic"
            r"|intolerant|sensitive)\s+to\s+[^.;!?,]{2,60}"
            rf"|(?:an?\s+)?(?:vegan|{EATER})\b)",
            re.IGNORECASE,
        ),
        "I am {words}",
    ),
    (re.compile(r"\bi(?:'m|\s+am)\s+no\s+longer\s+(?P<words>[^.;!?]{3,120})", re.IGNORECASE), "I am {words}"),
    (re.compile(r"\bi\s+no\s+longer\s+(?P<words>[^.;!?]{3,120})", re.IGNORECASE), "I {words}"),
    (
        re.compile(
            r"\bi\s+(?:don't|do\s+not)\s+(?P<words>[^.;!?]{3,100}?)\s+any\s?more\b(?!\s+(?!but\b"
            r"|because\b|as\b)\w+s\b)",
            re.IGNORECASE,
        ),
        "I {words}",
    ),
    (
        re.compile(
            r"\bi(?:'m|\s+am)\s+not\s+(?P<words>[^.;!?]{3,100}?)\s+any\s?more\b(?!\s+(?!but\b"
            r"|because\b|as\b)\w+s\b)",
            re.IGNORECASE,
        ),
        "I am {words}",
    ),
    (
        re.compile(
            r"\bi\s+(?P<words>(?:like|love|enjoy|prefer|want|need)\s[^.,;!?]{2,60}?)\s+no\s+more\b(?!"
            r"\s+than)",
            re.IGNORECASE,
        ),
        "I {words}",
    ),
    *TURNS,
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
_GOES_ON = re.compile(
    r",?\s+\b(?:but|because|so|and\s+(?:i|now))\b|[,:]\s+(?=(?:i|now|my|these|in\s+fact|actually)\b)",
    re.IGNORECASE,
)
_RESTS = re.compile(
    r"[\s,;:–—-]*(?:\b(?:but|yet|though|because|so|and|in\s+fact)\b[\s,]*)*(?=(?:now\b|these\s+days\b|i\b"
    r"|my\b|\w+\s))",
    re.I,
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
_BEHAVIOUR = re.compile(rf"i\s+(?:\w+ly\s+)?(?:{KEEP}|take)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Retraction:
    """What one sentence takes back.

    Attributes:
        words: the sentence that no longer holds.
        rest: what the same sentence goes on to say ("but now I prefer rock"), None if nothing.
        tells: True when it says besides what is done instead: who no longer drinks coffee does not
            drink coffee, whereas who no longer likes it need not dislike it.
    """

    words: str
    rest: Sentence | None = None
    tells: bool = False


def retraction_in(sentence: Sentence) -> Retraction | None:
    """Return what one sentence takes back; something taken up in its place is no mere retraction."""
    if sentence.is_question and not re.search(r"\bforget\b", sentence.plain, re.IGNORECASE):
        return None
    if any(replacements_in(sentence.plain)):
        return None
    for pattern, form in _TAKES_BACK:
        match = pattern.search(sentence.plain)
        if match is None or not _is_said(sentence, match.start()):
            continue
        start, end = match.span("words")
        cut = _GOES_ON.search(sentence.plain, start, end)
        words = sentence.text[start : cut.start() if cut else end]
        said = in_the_present(form.format(words=words.strip(" ,.;:'\"")))
        # Whoever asks to forget two things names both.
        forgets = re.search(r"\bforget\b", sentence.plain, re.IGNORECASE)
        tells = _BEHAVIOUR.match(said) is not None
        return Retraction(
            said, None if forgets else _rest(sentence, cut.start() if cut else match.end()), tells
        )
    return None


def _rest(sentence: Sentence, start: int) -> Sentence | None:
    opening = _RESTS.match(sentence.plain, start)
    if opening is None:
        return None
    begin = opening.end()
    return Sentence(
        sentence.text[begin:],
        sentence.raw[begin:],
        sentence.start + begin,
        sentence.is_question,
        sentence.text,
    )


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
