"""From one piece of feedback to changes of preferences and corrections. Pure functions.

The evidence of what is learnt names the feedback's id and quotes the user's words. What is returned
goes through `merge` like everything else that is learnt, so a rating or an edit never outweighs what
the user said.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from habitus.memory.extraction import extract
from habitus.memory.extraction.corrections import nearest_sentence
from habitus.memory.extraction.edits import (
    MAX_EXCERPT,
    StyleWish,
    agreed,
    changed_sentences,
    complaint,
    style_changes,
)
from habitus.memory.extraction.outcome import record_id
from habitus.memory.records import Correction, Evidence, Feedback, Preference, SourceKind, Turn
from habitus.retrievers.analysis import analyze

RATING_STEP = 0.05


@dataclass(frozen=True, kw_only=True)
class FeedbackEffect:
    """What a piece of feedback changes.

    Attributes:
        preferences: new ones, and stored ones whose confidence moved; to be passed to `merge`.
        corrections: to be stored.
        reason: what was concluded, in words.
    """

    preferences: tuple[Preference, ...] = ()
    corrections: tuple[Correction, ...] = ()
    reason: str


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


def apply_feedback(
    feedback: Feedback, reply: Turn, request: Turn | None, *, stored: Sequence[Preference], at: datetime
) -> FeedbackEffect:
    """Return what follows from a piece of feedback.

    Args:
        feedback: what the user made of `reply`.
        reply: the assistant's turn.
        request: the user's turn that it answered, if known.
        stored: the user's preferences.
        at: now.
    """
    if feedback.rating is not None:
        return _rated(feedback.rating, reply, stored)
    if feedback.comment is not None:
        return _commented(feedback, feedback.comment, reply, request, at)
    if feedback.edit is not None:
        return _edited(feedback, feedback.edit.before, feedback.edit.after, request, at)
    choice = feedback.choice
    if choice is None:
        raise ValueError("feedback holds neither rating, comment, edit nor choice")
    styles = agreed([style_changes(loser, choice.winner) for loser in choice.losers])
    found = [
        _style_preference(feedback, style, "choice", 0.4, choice.winner[:MAX_EXCERPT], at) for style in styles
    ]
    return FeedbackEffect(preferences=tuple(found), reason=_named("the chosen reply differs in", styles))


def implicit_feedback(turn: Turn, previous_reply: Turn) -> Feedback | None:
    """Return the feedback that a user's turn holds on the reply before it, or None.

    It has the id of the turn, so that what `apply_feedback` and `extract` learn from the same words are
    the same records and count once.

    Praise becomes a rating, blame and wishes about the form a comment in the user's words.
    """
    if turn.role != "user" or previous_reply.role != "assistant":
        return None
    opening = turn.text[:300].replace("’", "'")
    blames = _BLAME.search(opening) or (len(turn.text) <= 200 and complaint(opening))
    praises = not blames and _PRAISE.search(opening)
    if not blames and not praises:
        return None
    return Feedback(
        id=turn.id,
        user_id=turn.user_id,
        turn_id=previous_reply.id,
        at=turn.at,
        comment=turn.text[:2_000] if blames else None,
        rating=0.8 if praises else None,
    )


def _rated(rating: float, reply: Turn, stored: Sequence[Preference]) -> FeedbackEffect:
    said = set(analyze(reply.text[:20_000]))
    moved = []
    for preference in stored:
        if (
            preference.explicit
            or preference.status not in ("active", "pending")
            or not _bears_on(preference, said)
        ):
            continue
        confidence = min(max(preference.confidence + RATING_STEP * rating, 0.05), 0.95)
        if confidence != preference.confidence:
            moved.append(preference.model_copy(update={"confidence": confidence}))
    word = "good" if rating > 0 else "bad"
    return FeedbackEffect(
        preferences=tuple(moved),
        reason=f"rated {word}: {len(moved)} inferred preferences moved, none that was stated",
    )


def _bears_on(preference: Preference, said: set[str]) -> bool:
    terms = set(analyze(preference.target))
    return bool(terms) and len(terms & said) / len(terms) >= 0.5


def _commented(
    feedback: Feedback, comment: str, reply: Turn, request: Turn | None, at: datetime
) -> FeedbackEffect:
    turn = Turn(
        id=feedback.id,
        user_id=feedback.user_id,
        session_id=reply.session_id,
        index=reply.index + 1,
        role="user",
        text=comment,
        at=at,
    )
    context = [request, reply] if request is not None else [reply]
    told = extract(turn, context=context)
    style = complaint(comment)
    found = [p.model_copy(update={"source": "correction"}) for p in told.preferences]
    if style is not None and all(p.topic != style.topic for p in found):
        found.append(
            _style_preference(feedback, style, "correction", 0.7, comment[:MAX_EXCERPT], at, explicit=True)
        )
    corrections = told.corrections or _blamed(feedback, comment, reply, request, at)
    return FeedbackEffect(
        preferences=tuple(found), corrections=tuple(corrections), reason=f"the user said: {comment[:120]}"
    )


def _blamed(
    feedback: Feedback, comment: str, reply: Turn, request: Turn | None, at: datetime
) -> tuple[Correction, ...]:
    if not _BLAME.search(comment) or len(comment.split()) < 4:
        return ()
    return (
        Correction(
            id=record_id(feedback.user_id, feedback.id, "correction"),
            user_id=feedback.user_id,
            situation=(request or reply).text[:MAX_EXCERPT],
            wrong=nearest_sentence(reply.text, comment),
            right=comment[:MAX_EXCERPT],
            turn_id=reply.id,
            made_at=at,
        ),
    )


def _edited(
    feedback: Feedback, before: str, after: str, request: Turn | None, at: datetime
) -> FeedbackEffect:
    styles = style_changes(before, after)
    found = tuple(
        _style_preference(feedback, style, "edit", 0.5, after[:MAX_EXCERPT], at) for style in styles
    )
    corrections: tuple[Correction, ...] = ()
    gone, come = changed_sentences(before, after)
    if gone and come and request is not None:
        corrections = (
            Correction(
                id=record_id(feedback.user_id, feedback.id, "edit"),
                user_id=feedback.user_id,
                situation=request.text[:MAX_EXCERPT],
                wrong=gone,
                right=come,
                turn_id=feedback.turn_id,
                made_at=at,
            ),
        )
    return FeedbackEffect(
        preferences=found, corrections=corrections, reason=_named("the edit changed", styles)
    )


def _style_preference(
    feedback: Feedback,
    style: StyleWish,
    source: SourceKind,
    confidence: float,
    quote: str,
    at: datetime,
    *,
    explicit: bool = False,
) -> Preference:
    return Preference(
        id=record_id(feedback.user_id, feedback.id, style.topic, style.target),
        user_id=feedback.user_id,
        statement=style.statement,
        topic=style.topic,
        target=style.target,
        stance=style.stance,
        strength=0.6,
        explicit=explicit,
        source=source,
        confidence=confidence,
        evidence=(Evidence(turn_id=feedback.id, quote=quote),),
        valid_from=at,
        learnt_at=at,
    )


def _named(what: str, styles: Sequence[StyleWish]) -> str:
    if not styles:
        return "nothing about the form of replies follows"
    return f"{what} " + ", ".join(f"{style.topic} ({style.stance} {style.target})" for style in styles)
