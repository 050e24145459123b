"""From one piece of feedback to everything that it changes. Pure functions.

What each kind changes (`learning/` does the work; nothing else does):

| feedback | preference store | corrections | reward weights | examples |
| --- | --- | --- | --- | --- |
| edit | beliefs on style, checked against every later edit; inferred tastes it bears out or drops move by \
a step | what went and what came | the edit won over the reply | the edit, liked |
| choice | beliefs on style, where the winner differs from every loser | none | the winner won over each \
loser | the winner liked, a loser disliked |
| comment | what it says, as the user's own words; wishes on style ("too long") besides as beliefs | what \
it sets right | none | praised: liked; blamed: disliked |
| "stop doing that" | what the reply has unasked, shared among it | what it refers to | none | disliked |
| an edit of spelling only | nothing | none | none | the edit, liked |
| rating, praise, asking again | inferred tastes that the reply speaks of move by a step, and begin to \
hold or wait where that crosses the line; beliefs on style \
only from many | none | won or lost against the replies rated before | from ±0.5 on |
| undo | all of it as if it had not been given | withdrawn | learnt without it | gone |

The persona is compiled from the preference store after each, and a new version names the feedback as its
reason. What was said stands above what was shown: ratings never move it, and edits only when they bear
each other out (`learning/tastes.py`). Norms are never touched. Floods and repetitions are damped when the
log is read (`learning/log.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from habitus.memory.extraction.outcome import Extraction
from habitus.memory.known.preferences import is_positive
from habitus.memory.learning.beliefs import CUT_TO, Beliefs, believe
from habitus.memory.learning.comments import named, not_understood, read_comment, set_right
from habitus.memory.learning.features import n_words
from habitus.memory.learning.honouring import speaks_of
from habitus.memory.learning.implicit import ASKED_AGAIN
from habitus.memory.learning.languages import language_of
from habitus.memory.learning.log import Given, counted
from habitus.memory.learning.slips import as_meant, only_spelling
from habitus.memory.learning.tastes import INFERRED, is_learnt, waits_for_more, wishes_of
from habitus.memory.learning.weights import learn, told_by_ratings
from habitus.memory.records import (
    Correction,
    EditsHold,
    Feedback,
    Preference,
    RewardWeights,
    Turn,
)
from habitus.retrievers.analysis import analyze

RATING_STEP = 0.05
"""How far a full rating moves the confidence of an inferred taste that the reply speaks of."""
EDIT_STEP = 0.1
"""How far an edit does that puts it in or takes it out."""


@dataclass(frozen=True, kw_only=True)
class FeedbackEffect:
    """What a piece of feedback changes.

    Attributes:
        preferences: what the user said; to be passed to `merge`.
        retractions: what they took back, as the sentence that no longer holds.
        settled: records to write as they are, before anything else: what an undo brings back or ends.
        nudges: by id of an inferred preference, how far its confidence moves.
        corrections: to be stored.
        beliefs: on the form of replies, from the whole log with this feedback in it.
        weights: of the reward, likewise; None where nothing was compared yet.
        log_ids: ids of the feedback that beliefs and weights were made from.
        understood: what was concluded from it, one sentence each; empty where nothing was.
        not_understood: sentences of a comment, verbatim, that the rules took nothing from; they stay in the
            stored feedback, where a chat model can read them.
        cause: what was given and concluded, in no words of the user's.
        reason: the same, with the user's words and those not understood; to be shown to the user.
    """

    preferences: tuple[Preference, ...] = ()
    retractions: tuple[str, ...] = ()
    settled: tuple[Preference, ...] = ()
    nudges: Mapping[str, float] = field(default_factory=dict)
    corrections: tuple[Correction, ...] = ()
    beliefs: Beliefs = field(default_factory=Beliefs)
    weights: RewardWeights | None = None
    log_ids: frozenset[str] = frozenset()
    understood: tuple[str, ...] = ()
    not_understood: tuple[str, ...] = ()
    cause: str
    reason: str


def apply_feedback(
    feedback: Feedback,
    reply: Turn,
    request: Turn | None,
    *,
    log: Sequence[Given] = (),
    earlier: Sequence[Feedback] = (),
    stored: Sequence[Preference],
    at: datetime,
    edits: EditsHold = "everywhere",
) -> FeedbackEffect:
    """Return what follows from a piece of feedback.

    Args:
        feedback: what the user made of `reply`.
        reply: the assistant's turn.
        request: the user's turn that it answered, if known.
        log: the feedback before it that counts, oldest first, see `read_log`.
        earlier: what was given on this same reply before and stands; a second rating or edit replaces the
            first, and does not move the same tastes again.
        stored: the user's preferences.
        at: now.
        edits: where that holds which edits and choices show.
    """
    whole = counted([*(one for one in log if one.id != feedback.id), Given(feedback, reply.text)])
    beliefs, weights = taste_of(feedback.user_id, whole, stored, at)
    before = believe(log, told_by_ratings(log))
    said = Extraction()
    corrections: tuple[Correction, ...] = ()
    unread: tuple[str, ...] = ()
    if feedback.comment is not None:
        said, corrections = read_comment(feedback, feedback.comment, reply, request, at)
        unread = not_understood(feedback, feedback.comment, reply, request, at)
    elif feedback.edit is not None:
        corrections = set_right(feedback, request, at)
    changes = _changes(feedback.user_id, before, beliefs, edits)
    cause = _cause(feedback, changes)
    return FeedbackEffect(
        preferences=said.preferences,
        retractions=said.retractions,
        nudges=_nudges(feedback, reply, stored, earlier),
        corrections=corrections,
        beliefs=beliefs,
        weights=weights,
        log_ids=frozenset(one.id for one in whole),
        understood=(
            *(p.statement for p in said.preferences),
            *(f"No longer: {words}" for words in said.retractions),
            *(f"Set right: {one.right}" for one in corrections),
            *(change for change in changes if feedback.comment is None),
        ),
        not_understood=unread,
        cause=cause,
        reason=_reason(feedback, cause, unread),
    )


def _reason(feedback: Feedback, cause: str, unread: Sequence[str]) -> str:
    if feedback.edit is not None and only_spelling(feedback.edit):
        return f"{cause}, of its spelling only: it changes no taste"
    if feedback.comment is None:
        return cause
    said = f"{cause}: {feedback.comment[:120]}"
    if not unread:
        return said
    language = language_of(" ".join(unread))
    why = (
        f" (the rules read English, this looks like {language})" if language not in (None, "English") else ""
    )
    quoted = " ".join(unread)[:120]
    return f"{said} Not understood, so nothing was learnt from it, but kept: “{quoted}”{why}"


def read_again(
    user_id: str, log: Sequence[Given], stored: Sequence[Preference], at: datetime
) -> FeedbackEffect:
    """Return what follows once a chat model has read one of the log's edits: nothing new was given.

    Args:
        user_id: whose.
        log: what counts, oldest first, see `read_log`; each edit with its reading.
        stored: the user's preferences.
        at: now.
    """
    beliefs, weights = taste_of(user_id, log, stored, at)
    return FeedbackEffect(
        beliefs=beliefs,
        weights=weights,
        log_ids=frozenset(one.id for one in log),
        cause="a chat model read an edit",
        reason="a chat model read an edit",
    )


def taste_of(
    user_id: str, log: Sequence[Given], stored: Sequence[Preference], at: datetime
) -> tuple[Beliefs, RewardWeights | None]:
    """Return beliefs and weights as a log teaches them."""
    tastes = [p for p in stored if p.status == "active"]
    return believe(log, told_by_ratings(log)), learn(user_id, log, at, tastes)


def _nudges(
    feedback: Feedback, reply: Turn, stored: Sequence[Preference], earlier: Sequence[Feedback]
) -> dict[str, float]:
    """Return how far the confidence of tastes that were only inferred moves; what was said never does."""
    inferred = [
        p
        for p in stored
        if not p.explicit
        and p.status in ("active", "pending")
        and not p.topic.startswith("style.")
        # What a model inferred from edits is verified by edits.
        and not is_learnt(p)
    ]
    if feedback.rating is not None:
        said = frozenset(analyze(reply.text[:20_000]))
        moves = {p.id: RATING_STEP * feedback.rating for p in inferred if speaks_of(said, p)}
    elif feedback.edit is not None:
        edit = as_meant(feedback.edit)
        before, after = edit.before, edit.after
        had, has = (frozenset(analyze(text[:20_000])) for text in (before, after))
        if n_words(after) < CUT_TO * n_words(before):
            # What went with most of the text was not objected to.
            had &= has
        moves = {p.id: _borne_out(p, speaks_of(had, p), speaks_of(has, p)) for p in inferred}
    else:
        moves = {}
    confidences = {p.id: p.confidence for p in inferred}
    for one in earlier:
        if (one.rating is None, one.edit is None) == (feedback.rating is None, feedback.edit is None):
            for known, by in one.nudged.items():
                if known in confidences:
                    moves[known] = moves.get(known, 0.0) - by
    kept = {one: min(max(confidences[one] + by, 0.05), 0.95) - confidences[one] for one, by in moves.items()}
    return {one: by for one, by in kept.items() if by}


def _borne_out(preference: Preference, had: bool, has: bool) -> float:
    """Return what an edit says of a taste: putting in what is liked speaks for it, taking it out against."""
    positive = is_positive(preference.stance)
    if positive is None or had == has:
        return 0.0
    return EDIT_STEP if has == positive else -EDIT_STEP


def _changes(user_id: str, before: Beliefs, after: Beliefs, edits: EditsHold) -> list[str]:
    """Name what holds now and did not, what no longer does, and what was seen but does not hold yet."""
    old, known = _held_and_waiting(user_id, before, edits)
    new, waiting = _held_and_waiting(user_id, after, edits)
    return [
        *(f"now: {_named(one)}" for one in sorted(new - old)),
        *(f"no longer: {_named(one)}" for one in sorted(old - new)),
        *(f"seen: {_named(one)} ({why})" for one, why in sorted(waiting.items()) if one not in known),
    ]


def _named(statement: str) -> str:
    """Return a statement as one of a list: a full stop before "; " or a bracket is none."""
    return statement.rstrip(".")


def _held_and_waiting(user_id: str, beliefs: Beliefs, edits: EditsHold) -> tuple[set[str], dict[str, str]]:
    held: set[str] = set()
    waiting: dict[str, str] = {}
    for record, n_shown in wishes_of(user_id, beliefs):
        if record.topic in INFERRED.values():
            continue  # a chat model's statement may hold the user's words
        why = waits_for_more(record, n_shown, edits)
        if why is None:
            held.add(record.statement)
        else:
            waiting[record.statement] = why
    return held, waiting


def _cause(feedback: Feedback, changes: Sequence[str]) -> str:
    kind = (
        "a comment"
        if feedback.comment is not None
        else "the same was asked again"
        if feedback.implicit and feedback.rating == ASKED_AGAIN
        else named(feedback)
    )
    return f"{kind} ({'; '.join(changes)})" if changes else kind
