"""What the user or the app decides about preferences by hand: confirm, retract, edit. Pure functions.

History is kept: a preference that is edited is superseded by its new wording, one that is rejected is
retracted. Deleting is the store's `forget`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from habitus.memory.errors import InvalidInputError, NotFoundError
from habitus.memory.known.lasting import is_over
from habitus.memory.known.norms import DEFAULT_NORMS
from habitus.memory.known.preferences import merge
from habitus.memory.records import Evidence, Norm, Preference, new_id
from habitus.retrievers.encoder import Encoder

EDITABLE = ("statement", "topic", "target", "stance", "strength", "scope")
CONFIRMED = 0.95
"""Confidence of what the user has confirmed, at least."""


def find(stored: Sequence[Preference], preference_id: str) -> Preference:
    """Return the preference with an id.

    Raises:
        NotFoundError: there is none.
    """
    for preference in stored:
        if preference.id == preference_id:
            return preference
    raise NotFoundError(f"the user has no preference {preference_id!r}")


def confirm(
    stored: Sequence[Preference],
    preference_id: str,
    *,
    encoder: Encoder,
    at: datetime,
    norms: Sequence[Norm] = DEFAULT_NORMS,
    evidence: Sequence[Evidence] = (),
) -> tuple[Preference, ...]:
    """Return the records to write when the user says that a preference is right.

    It counts as said from now on: it no longer fades, and it supersedes what contradicts it.

    Args:
        stored: the user's preferences, any status.
        preference_id: a pending or active one.
        encoder: compares targets.
        at: now.
        norms: rules that block.
        evidence: where the user confirmed it, when that was in a conversation.

    Raises:
        NotFoundError: there is no such preference.
        InvalidInputError: it is neither pending nor active.
    """
    preference = find(stored, preference_id)
    if preference.status not in ("pending", "active"):
        raise InvalidInputError(
            f"preference {preference_id!r} is {preference.status}, so it cannot be confirmed; state it anew"
        )
    said = preference.model_copy(
        update={
            "status": "active",
            "status_reason": None,
            "explicit": True,
            "source": "statement",
            "confidence": max(CONFIRMED, preference.confidence),
            "evidence": tuple(dict.fromkeys([*preference.evidence, *evidence])),
            "valid_from": max(at, preference.valid_from),
            "seen_at": at,
            "valid_to": None if is_over(preference, at) else preference.valid_to,
        }
    )
    others = [one for one in stored if one.id != preference_id]
    written = merge(others, [said], encoder=encoder, at=at, norms=norms)
    if any(one.id == preference_id for one in written):
        return written
    doubled = {"status": "superseded", "valid_to": said.valid_from, "status_reason": "known already"}
    return (*written, preference.model_copy(update=doubled))


def reject(stored: Sequence[Preference], preference_id: str, *, at: datetime) -> Preference:
    """Return a preference as the user says that it is wrong: retracted.

    Raises:
        NotFoundError: there is no such preference.
        InvalidInputError: it has ended already.
    """
    preference = find(stored, preference_id)
    if preference.status in ("superseded", "retracted"):
        raise InvalidInputError(f"preference {preference_id!r} is {preference.status} already")
    update = {
        "status": "retracted",
        "status_reason": "taken back by hand",
        "valid_to": max(at, preference.valid_from),
    }
    return preference.model_copy(update=update)


def edit(
    stored: Sequence[Preference],
    preference_id: str,
    changes: Mapping[str, Any],
    *,
    encoder: Encoder,
    at: datetime,
    norms: Sequence[Norm] = DEFAULT_NORMS,
) -> tuple[Preference, ...]:
    """Return the records to write when a preference is put differently by hand.

    Args:
        stored: the user's preferences, any status.
        preference_id: which.
        changes: new values of some of `EDITABLE`.
        encoder: compares targets.
        at: now.
        norms: rules that block.

    Raises:
        NotFoundError: there is no such preference.
        InvalidInputError: a field that cannot be edited, a wrong value, or a preference that has ended.
    """
    unknown = sorted(set(changes) - set(EDITABLE))
    if unknown or not changes:
        named = f"got {', '.join(unknown)}" if unknown else "none was given"
        raise InvalidInputError(f"of a preference one can edit {', '.join(EDITABLE)}; {named}")
    old = find(stored, preference_id)
    if old.status in ("superseded", "retracted"):
        raise InvalidInputError(f"preference {preference_id!r} is {old.status}; edit the one in force")
    told = {
        "id": new_id(),
        "explicit": True,
        "source": "correction",
        "confidence": 1.0,
        "status": "active",
        "status_reason": None,
        "valid_from": max(at, old.valid_from),
        "valid_to": None if is_over(old, at) else old.valid_to,
        "learnt_at": at,
        "seen_at": None,
        "supersedes": old.id,
    }
    try:
        new = Preference.model_validate(old.model_dump() | told | dict(changes))
    except ValidationError as error:
        wrong = error.errors()[0]
        raise InvalidInputError(f"{wrong['loc'][0]}: {wrong['msg']}") from error
    ended = old.model_copy(update={"status": "superseded", "valid_to": new.valid_from})
    others = [ended if one.id == old.id else one for one in stored]
    return (ended, *merge(others, [new], encoder=encoder, at=at, norms=norms))
