"""What a comment on a reply states and what it sets right, and what an edit sets right."""

from __future__ import annotations

from datetime import datetime

from habitus.memory.extraction import extract
from habitus.memory.extraction.corrections import nearest_sentence
from habitus.memory.extraction.edits import MAX_EXCERPT, StyleWish, changed_sentences
from habitus.memory.extraction.outcome import Extraction, record_id
from habitus.memory.learning.beliefs import is_stop
from habitus.memory.learning.features import named_traits
from habitus.memory.learning.implicit import is_blame, is_praise, sets_right
from habitus.memory.learning.slips import as_meant
from habitus.memory.learning.wishes import instead_of, wishes_in
from habitus.memory.records import Correction, Evidence, Feedback, Preference, Turn
from habitus.retrievers.passages import sentences


def read_comment(
    feedback: Feedback, comment: str, reply: Turn, request: Turn | None, at: datetime
) -> tuple[Extraction, tuple[Correction, ...]]:
    """Return what a comment on a reply says of the user's tastes, and what it sets right."""
    turn = as_turn(feedback, comment, reply, at)
    told = extract(turn, context=[request, reply] if request is not None else [reply])
    found = [_on_reply(p) for p in told.preferences]
    wishes = wishes_in(comment, reply.text)
    for wish in [*wishes, *instead_of([*wishes, *map(_as_wish, found)], reply.text)]:
        if not any(_says_it(p, wish) for p in found):
            found.append(_said(feedback, wish, comment[:MAX_EXCERPT], at))
    corrections = told.corrections or _blamed(feedback, comment, reply, request, at)
    return Extraction(preferences=tuple(found), retractions=told.retractions), tuple(corrections)


def as_turn(feedback: Feedback, comment: str, reply: Turn, at: datetime) -> Turn:
    """Return a comment as the turn that it would have been in the conversation; it has the feedback's id."""
    return Turn(
        id=feedback.id,
        user_id=feedback.user_id,
        session_id=reply.session_id,
        index=reply.index + 1,
        role="user",
        text=comment,
        at=at,
    )


SURE = 0.7
"""Confidence in a wish on the form of replies that was given as a comment on one: there is no task that it
could belong to instead."""


def _on_reply(preference: Preference) -> Preference:
    is_form = preference.topic.startswith("style.")
    confidence = max(preference.confidence, SURE) if is_form else preference.confidence
    return preference.model_copy(update={"source": "correction", "confidence": confidence})


def _as_wish(preference: Preference) -> StyleWish:
    return StyleWish(preference.topic, preference.target, preference.stance, preference.statement)


def not_understood(
    feedback: Feedback, comment: str, reply: Turn, request: Turn | None, at: datetime
) -> tuple[str, ...]:
    """Return the sentences of a comment that the rules take nothing from, verbatim."""
    return tuple(
        sentence
        for sentence in sentences(comment)
        if any(letter.isalpha() for letter in sentence)
        and not _is_read(sentence, *read_comment(feedback, sentence, reply, request, at))
    )


def _is_read(sentence: str, said: Extraction, corrections: tuple[Correction, ...]) -> bool:
    judged = is_praise(sentence) or is_blame(sentence) or is_stop(sentence)
    return judged or bool(said.preferences or said.retractions or corrections)


def _says_it(preference: Preference, wish: StyleWish) -> bool:
    if preference.topic != wish.topic:
        return False
    named = {trait.name for trait in named_traits(preference.topic, preference.target)}
    wanted = {trait.name for trait in named_traits(wish.topic, wish.target)}
    return bool(named & wanted) or not wanted


def _blamed(
    feedback: Feedback, comment: str, reply: Turn, request: Turn | None, at: datetime
) -> tuple[Correction, ...]:
    if not (sets_right(comment) and len(comment.split()) >= 4) and not is_stop(comment):
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


def set_right(feedback: Feedback, request: Turn | None, at: datetime) -> tuple[Correction, ...]:
    """Return what an edit sets right in the reply: the sentences that went, and those that came."""
    if feedback.edit is None or request is None:
        return ()
    edit = as_meant(feedback.edit)
    gone, come = changed_sentences(edit.before, edit.after)
    if not gone or not come:
        return ()
    return (
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


def _said(feedback: Feedback, style: StyleWish, quote: str, at: datetime) -> Preference:
    return Preference(
        id=record_id(feedback.user_id, feedback.id, style.topic, style.target),
        user_id=feedback.user_id,
        statement=style.statement,
        topic=style.topic,
        target=style.target,
        stance=style.stance,
        strength=0.6,
        explicit=True,
        source="correction",
        confidence=SURE,
        evidence=(Evidence(turn_id=feedback.id, quote=quote),),
        valid_from=at,
        learnt_at=at,
    )


def named(feedback: Feedback) -> str:
    """Name a piece of feedback in words."""
    if feedback.comment is not None:
        return f"“{feedback.comment[:80]}”"
    if feedback.edit is not None:
        return "an edit of a reply"
    return "a choice among replies" if feedback.choice is not None else f"a rating of {feedback.rating:+g}"
