"""What recall reads from a question before it searches."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from habitus.memory.retrieval.timing import Span, spans, timeless
from habitus.retrievers.analysis import content

_ABOUT_REPLIES = re.compile(
    r"\b(?:you (?:\w+ )?(?:told|said|mentioned|recommended|suggested|gave|provided|listed|shared|wrote|"
    r"described|explained|advised|created|made|named)|did you|"
    r"your (?:recommendation|suggestion|advice|list|answer|reply)|"
    r"our (?:previous|last|earlier|past) (?:\w+ )?(?:conversation|chat|discussion|session)|"
    r"we (?:\w+ )?(?:talked|discussed|spoke|chatted))\b",
    re.IGNORECASE,
)
_ASKS_WHEN = re.compile(
    r"\b(?:when|how (?:many (?:days|weeks|months|years)|long)|ago|first|last|before|after|order|earlier|"
    r"later)\b",
    re.IGNORECASE,
)
_AGGREGATES = re.compile(
    r"\b(?:how (?:many|much|often)|total|list|all (?:the|of)|order|each|every|altogether|combined|average|"
    r"sum|times)\b|\bwhich .{0,300}?\b(?:have i|did i)\b",
    re.IGNORECASE,
)
_MAX_CHARS = 20_000
"""Of a longer message only the beginning is looked at for time and for whom it is about."""


@dataclass(frozen=True)
class Question:
    """A question to memory.

    Attributes:
        meaning: its text without time expressions, to be encoded.
        words: its content words, for lexical search.
        spans: the days it points to.
        about_replies: whether it asks for what the assistant said.
        asks_when: whether the time of something matters to it.
        aggregates: whether it may ask for several things together, counted, listed or put in order.
    """

    meaning: str
    words: str
    spans: tuple[Span, ...] = ()
    about_replies: bool = False
    asks_when: bool = False
    aggregates: bool = False


def read_question(text: str, at: datetime) -> Question:
    """Read a message asked at `at`."""
    head = text[:_MAX_CHARS]
    meaning = timeless(head, at) if len(text) == len(head) else text
    pointed = spans(head, at)
    return Question(
        meaning=meaning,
        words=content(text),
        spans=pointed,
        about_replies=bool(_ABOUT_REPLIES.search(head)),
        asks_when=bool(pointed or _ASKS_WHEN.search(head)),
        aggregates=bool(_AGGREGATES.search(head)),
    )
