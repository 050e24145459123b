"""Taking feedback back: what would be known had it never been given. Pure functions.

Beliefs and weights are folds over the log, so they are made again without it. What a comment brought
into the preference store met other statements there: it strengthened, superseded or was superseded. The
records linked to it are taken apart into the statements they rest on, each read once more from its own
words, and merged again without the comment's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from habitus.memory.extraction.outcome import Extraction
from habitus.memory.known.norms import DEFAULT_NORMS
from habitus.memory.known.preferences import merge, no_longer_true, with_confidence
from habitus.memory.learning.comments import named, read_comment, set_right
from habitus.memory.learning.feedback import FeedbackEffect, taste_of
from habitus.memory.learning.log import Given
from habitus.memory.learning.tastes import UNDONE, is_learnt
from habitus.memory.records import Correction, Evidence, Feedback, Norm, Preference, RewardWeights, Turn
from habitus.retrievers.encoder import Encoder

ReadAgain = Callable[[str], Sequence[Preference]]
"""Returns what the turn or comment of this id says, as it was extracted; nothing if it is not stored."""


def without_feedback(
    feedback: Feedback,
    stored: Sequence[Preference],
    *,
    read_again: ReadAgain,
    retractions: Sequence[str],
    nudges: Mapping[str, float],
    encoder: Encoder,
    at: datetime,
    norms: Sequence[Norm] = DEFAULT_NORMS,
) -> tuple[Preference, ...]:
    """Return the preferences to write: those that would stand without a piece of feedback.

    Styles read off edits, choices and ratings are not among them, see `tastes.reconcile`. A record that
    rests on this feedback alone ends as `retracted`; its history stays.

    Args:
        feedback: what is taken back.
        stored: all preferences of the user.
        read_again: gives the statements of the other evidence.
        retractions: what the feedback took back, which holds again.
        nudges: how far it moved the confidence of inferred preferences, which move back.
        encoder: of the store.
        at: now.
        norms: rules that block.
    """
    linked = _linked(feedback.id, stored)
    written: dict[str, Preference] = {}
    if linked:
        rest = [p for p in stored if p.id not in linked]
        told = _statements(linked.values(), feedback.id, read_again)
        again: dict[str, Preference] = {}
        for statement in told:
            moment = max(statement.valid_from, statement.learnt_at)
            for change in merge(
                [*rest, *again.values()], [statement], encoder=encoder, at=moment, norms=norms
            ):
                again[change.id] = change
        for record in linked.values():
            written[record.id] = _ended(record, at)
        written |= again
    for record in stored:
        if record.id in written:
            continue
        restored = _restored(record, retractions, nudges)
        if restored != record:
            written[record.id] = restored
    return tuple(written.values())


def take_back(
    feedback: Feedback,
    reply: Turn | None,
    request: Turn | None,
    *,
    log: Sequence[Given],
    stored: Sequence[Preference],
    corrections: Sequence[Correction],
    read_again: ReadAgain,
    encoder: Encoder,
    norms: Sequence[Norm],
    at: datetime,
) -> FeedbackEffect:
    """Return what undoes a piece of feedback: all is as if it had never been given.

    Args:
        feedback: what is taken back.
        reply: what it was about; None if that is no longer stored.
        request: what that answered, if known.
        log: the feedback that counts, this one included or not.
        stored: the user's preferences.
        corrections: all of the user's.
        read_again: what other turns and comments say, see `without_feedback`.
        encoder: of the store.
        norms: rules that block.
        at: now.
    """
    rest = [one for one in log if one.id != feedback.id]
    said = Extraction()
    made: tuple[Correction, ...] = ()
    if feedback.comment is not None and reply is not None:
        said, made = read_comment(feedback, feedback.comment, reply, request, feedback.at)
    elif feedback.edit is not None:
        made = set_right(feedback, request, feedback.at)
    ids = {one.id for one in made}
    settled = without_feedback(
        feedback,
        stored,
        read_again=read_again,
        retractions=said.retractions,
        nudges=feedback.nudged,
        encoder=encoder,
        at=at,
        norms=norms,
    )
    left = {one.id: one for one in (*stored, *settled)}
    beliefs, weights = taste_of(feedback.user_id, rest, list(left.values()), at)
    return FeedbackEffect(
        settled=settled,
        corrections=tuple(
            one.model_copy(update={"withdrawn_at": at}) for one in corrections if one.id in ids
        ),
        beliefs=beliefs,
        weights=weights or RewardWeights(user_id=feedback.user_id, made_at=at, values={}, n_comparisons=0),
        log_ids=frozenset(one.id for one in rest),
        cause="feedback was taken back",
        reason=f"feedback of {feedback.at:%Y-%m-%d} was taken back: {named(feedback)}",
    )


def last_feedback(feedback: Sequence[Feedback]) -> Feedback | None:
    """Return the latest feedback that stands, None where there is none."""
    standing = [one for one in feedback if one.undone_at is None]
    return max(standing, key=lambda one: (one.at, one.id)) if standing else None


def said_in(feedback: Feedback, reply: Turn, request: Turn | None) -> tuple[Preference, ...]:
    """Return the preferences that a comment states, as they were first read."""
    if feedback.comment is None:
        return ()
    return read_comment(feedback, feedback.comment, reply, request, feedback.at)[0].preferences


def _linked(feedback_id: str, stored: Sequence[Preference]) -> dict[str, Preference]:
    """Return the records that rest on the feedback, and what superseded them or was superseded by them."""
    of_words = {p.id: p for p in stored if not is_learnt(p) and p.status != "retracted"}
    found = {p.id: p for p in of_words.values() if any(e.turn_id == feedback_id for e in p.evidence)}
    while True:
        nearby = {
            p.id: p
            for p in of_words.values()
            if p.id not in found
            and (p.supersedes in found or any(one.supersedes == p.id for one in found.values()))
        }
        if not nearby:
            return found
        found |= nearby


def _statements(records: Iterable[Preference], feedback_id: str, read_again: ReadAgain) -> list[Preference]:
    """Return every statement that the records rest on but for the feedback's, oldest first."""
    found: dict[str, Preference] = {}
    for record in records:
        for evidence in record.evidence:
            if evidence.turn_id == feedback_id:
                continue
            statement = _as_said(evidence, record, read_again)
            found.setdefault(statement.id, statement)
        if not record.evidence:
            found.setdefault(record.id, record)
    return sorted(found.values(), key=lambda p: (p.learnt_at, p.id))


def _as_said(evidence: Evidence, record: Preference, read_again: ReadAgain) -> Preference:
    for statement in read_again(evidence.turn_id):
        if evidence in statement.evidence:
            return statement
    # It was not read by the rules, so the record itself is the only copy.
    return record.model_copy(
        update={
            "evidence": (evidence,),
            "status": "active",
            "status_reason": None,
            "valid_to": None,
            "supersedes": None,
        }
    )


def _ended(record: Preference, at: datetime) -> Preference:
    ends = max(at, record.valid_from)
    return record.model_copy(update={"status": "retracted", "valid_to": ends, "status_reason": UNDONE})


def _restored(record: Preference, retractions: Sequence[str], nudges: Mapping[str, float]) -> Preference:
    if record.status == "retracted" and record.status_reason in {no_longer_true(one) for one in retractions}:
        record = record.model_copy(update={"status": "active", "valid_to": None, "status_reason": None})
    by = nudges.get(record.id)
    if by:
        record = with_confidence(record, record.confidence - by)
    return record
