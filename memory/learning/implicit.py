"""The feedback that a message holds on the reply before it: praise, blame, or the same question again.

Cues of language only.
"""

from __future__ import annotations

import re

from habitus.memory.extraction.edits import complaint
from habitus.memory.index.phrases import vectors_of
from habitus.memory.learning.beliefs import is_stop
from habitus.memory.learning.wishes import wishes_in
from habitus.memory.records import Feedback, Turn
from habitus.retrievers.analysis import FUNCTION_STEMS, analyze
from habitus.retrievers.encoder import Encoder

PRAISED, ASKED_AGAIN = 0.8, -0.5
"""Ratings that praise and a repeated question are read as."""
MAX_WISH_WORDS = 8
MAX_COMMENT = 200
"""A longer message that begins with neither praise nor blame is about something else."""
SAME_QUESTION = 0.76
"""Cosine from which two requests ask the same (MiniLM): of 14 hand-made pairs the seven repeated ones reach
.80 and more, the seven that differ in a word .70 and less."""

_PRAISE = re.compile(
    r"^\W*(?:(?:wow|oh|yes|yeah|ok|okay|ah|this|that|that's|this\s+is|that\s+is|was|it's|just"
    r"|exactly|so|very|really|absolutely)\b[\s,!.]*)*"
    r"(?:perfect|excellent|brilliant|exactly\s+what\s+i\s+(?:needed|wanted|was\s+looking\s+for)"
    r"|what\s+i\s+needed|great\s+answer|love\s+(?:it|this)|well\s+done|spot\s+on|very\s+helpful"
    r"|so\s+helpful|really\s+helpful|that\s+helps|thanks?,?\s+(?:that's\s+)?(?:perfect|great"
    r"|helpful))\b",
    re.IGNORECASE,
)
_BLAME = re.compile(
    r"^\W*(?:(?:no|nope|hey|hm+|ugh|sorry|but|well|actually|again)\b[\s,!.]*)*(?:i\s+(?:already\s+"
    r"|just\s+)?(?:told\s+you|said|mentioned)\b|that(?:'s|\s+is|\s+was)\s+(?:not\s+(?:what|right"
    r"|correct|true|helpful)|wrong|incorrect|useless|terrible|bad)"
    r"|(?:this|that|it)\s+(?:doesn't|does\s+not|didn't)\s+(?:help|answer|work)|you\s+(?:forgot"
    r"|ignored|misunderstood|didn't\s+(?:listen|answer|read)|got\s+(?:it|that)\s+wrong"
    r"|keep\s+\w+ing)|wrong\b|not\s+(?:helpful|what\s+i)|useless\b|bad\s+answer)",
    re.IGNORECASE,
)
_DISTINCT = re.compile(r"\d+|(?<=[^.?!]\s)[A-Z]\w+")
"""Numbers and names: "a hotel in Rome" is not asked again by "a hotel in Oslo"."""
_OPENING = 300


def implicit_feedback(
    turn: Turn, previous_reply: Turn, *, request: Turn | None = None, encoder: Encoder | None = None
) -> Feedback | None:
    """Return the feedback that a user's turn holds on the reply before it, or None.

    It has the id of the turn, so that what `apply_feedback` and `extract` learn from the same words are
    the same records and count once. Praise becomes a good rating, the same question in other words a bad
    one, blame and wishes about the form a comment in the user's words.

    Args:
        turn: what the user says now.
        previous_reply: what it may be about.
        request: the user's turn that this answered; without it no question is taken for a repeated one.
        encoder: compares questions.
    """
    if turn.role != "user" or previous_reply.role != "assistant":
        return None
    rating, comment = None, None
    if is_blame(turn.text):
        comment = turn.text[:2_000]
    elif is_praise(turn.text):
        rating = PRAISED
    elif request is not None and encoder is not None and asks_again(turn.text, request.text, encoder):
        rating = ASKED_AGAIN
    if rating is None and comment is None:
        return None
    return Feedback(
        id=turn.id,
        user_id=turn.user_id,
        turn_id=previous_reply.id,
        at=turn.at,
        comment=comment,
        rating=rating,
        request_id=request.id if request is not None else None,
        implicit=True,
    )


def is_praise(text: str) -> bool:
    """Tell whether a text opens with praise of the last reply."""
    opening = _opening(text)
    return not is_blame(text) and _PRAISE.search(opening) is not None


def is_blame(text: str) -> bool:
    """Tell whether a text finds fault with the last reply."""
    opening = _opening(text)
    if _BLAME.search(opening):
        return True
    return len(text) <= MAX_COMMENT and (
        complaint(opening) is not None or is_stop(opening) or _only_wishes(opening)
    )


def _only_wishes(text: str) -> bool:
    """Tell a bare wish about the form ("no emojis, please") from a request that names it in passing."""
    return len(text.split()) <= MAX_WISH_WORDS and not text.rstrip().endswith("?") and bool(wishes_in(text))


def sets_right(text: str) -> bool:
    """Tell whether a text blames the reply for what it said, not for its form."""
    return _BLAME.search(_opening(text)) is not None


def _opening(text: str) -> str:
    return text[:_OPENING].replace("’", "'")


def asks_again(text: str, before: str, encoder: Encoder) -> bool:
    """Tell whether a question is an earlier one in other words: the answer to that was of no use.

    Both name the same things: they share a content word, no number or name differs, and the meaning is the
    same. A question repeated word for word counts too.
    """
    new, old = _content(text), _content(before)
    if not new or not old or not new & old:
        return False
    if set(_DISTINCT.findall(text)) != set(_DISTINCT.findall(before)):
        return False
    if new == old:
        return True
    one, other = vectors_of([text, before], encoder)
    return float(one @ other) >= SAME_QUESTION


def _content(text: str) -> frozenset[str]:
    return frozenset(analyze(text)) - FUNCTION_STEMS
