"""Copying users from one store to another, of whatever kind, and making sure that all of it arrived."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from habitus.memory.errors import InvalidInputError, NotFoundError, StoreCorruptError
from habitus.memory.records import Changes, Exported
from habitus.memory.store import MemoryStore, Progress
from habitus.retrievers.encoder import Vectors

_TURNS_AT_ONCE = 1_000


@dataclass(frozen=True, kw_only=True)
class Moved:
    """What a move did.

    Attributes:
        copied: users that were written, with their number of messages.
        found: users that were there already, the same in everything.
    """

    copied: dict[str, int]
    found: tuple[str, ...]


def checksum(store: MemoryStore, user_id: str) -> str:
    """Return SHA-256 over everything stored of a user, the same in every kind of store.

    Vectors are not in it: they follow from the texts.

    Raises:
        NotFoundError: nothing is stored of the user.
    """
    return _checksum(store.export(user_id), store.unread(user_id))


def _checksum(exported: Exported, unread: Sequence[str]) -> str:
    content = {**exported.model_dump(mode="json"), "unread": list(unread)}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def move_users(
    source: MemoryStore,
    target: MemoryStore,
    user_ids: Sequence[str] | None = None,
    *,
    progress: Progress | None = None,
) -> Moved:
    """Copy users, each verified by counts and checksum before the next; the source is left as it is.

    The same call goes on where an interrupted one stopped. Turns of a user wait while they are copied.
    Vectors are copied between stores of one encoder, and else computed anew.

    Args:
        source: where the users are.
        target: where they are to be.
        user_ids: whom; by default everybody.
        progress: called with the number of users done and of all.

    Raises:
        NotFoundError: the source does not know a user.
        InvalidInputError: the target holds something of a user that the source does not.
        StoreCorruptError: what arrived differs from what was sent.
    """
    wanted = list(source.users() if user_ids is None else user_ids)
    unknown = sorted({*wanted} - {*source.users()})
    if unknown:
        raise NotFoundError(f"nothing is stored of user {unknown[0]!r}, so there is nothing to move")
    there = {*target.users()}
    copied: dict[str, int] = {}
    found: list[str] = []
    for done, user_id in enumerate(wanted, start=1):
        with source.turn_of(user_id), target.turn_of(user_id):
            exported, unread = source.export(user_id), source.unread(user_id)
            if user_id in there and checksum(target, user_id) == _checksum(exported, unread):
                found.append(user_id)
            else:
                if user_id in there:
                    _check_begun(exported, unread, target.export(user_id), target.unread(user_id))
                _copy(target, exported, unread, _vectors(source, target, user_id))
                if differs := _difference(target, exported, unread):
                    raise StoreCorruptError(f"{differs}: the source is as it was; move the user again")
                copied[user_id] = len(exported.turns)
        if progress:
            progress(done, len(wanted))
    return Moved(copied=copied, found=tuple(found))


def bring_back(target: MemoryStore, exported: Exported) -> bool:
    """Store all of an export, verified by counts and checksum; an interrupted one goes on where it stopped.

    Returns:
        False where everything was there already.

    Raises:
        InvalidInputError: the store holds something of the user that the export does not; or the export does
            not hold together, such as one that was changed by hand. Of such a one nothing is kept.
    """
    user_id = exported.user_id
    with target.turn_of(user_id):
        is_new = user_id not in target.users()
        if not is_new:
            there, unread = target.export(user_id), target.unread(user_id)
            if there == exported:
                return False
            _check_begun(exported, unread, there, unread)
        try:
            _check_sessions(exported)
            _copy(target, exported, (), lambda turn_ids: None)
            if differs := _difference(target, exported, target.unread(user_id)):
                raise InvalidInputError(differs)
        except InvalidInputError as error:
            if is_new and user_id in target.users():
                target.delete_user(user_id)
            raise InvalidInputError(
                f"the export of user {user_id!r} does not hold together, it was changed since it was made:"
                f" {error}"
            ) from error
    return True


def _check_sessions(exported: Exported) -> None:
    unknown = {turn.session_id for turn in exported.turns} - {session.id for session in exported.sessions}
    if unknown:
        raise InvalidInputError(f"session {min(unknown)!r} of its messages is not in it")


_RECORDS = ("turns", "preferences", "facts", "corrections", "feedback", "questions", "accesses", "personas")


def _check_begun(
    sent: Exported, sent_unread: Sequence[str], there: Exported, there_unread: Sequence[str]
) -> None:
    """Check that what the target holds of a user can only be the beginning of this very move.

    Raises:
        InvalidInputError: it holds something else, which would be mixed up or overwritten.
    """
    other = [name for name in _RECORDS if not _holds(getattr(sent, name), getattr(there, name))]
    other += [
        name for name in ("profile", "weights") if getattr(there, name) not in (None, getattr(sent, name))
    ]
    if not _holds(_ended(sent), _ended(there)):
        other.append("ended sessions")
    if not _holds(sent_unread, there_unread):
        other.append("turns that wait to be read")
    if other:
        raise InvalidInputError(
            f"user {sent.user_id!r} has {other[0]} at the target that the source does not have: delete the"
            " user there first, or leave the user out"
        )


def _holds(all_of_them: Sequence[object], some: Sequence[object]) -> bool:
    return set(map(repr, some)) <= set(map(repr, all_of_them))


def _ended(exported: Exported) -> list[str]:
    return [session.id for session in exported.sessions if session.ended]


VectorsOf = Callable[[Sequence[str]], dict[str, Vectors] | None]
"""Returns the vectors of turns, by id; None where they are to be computed."""


def _vectors(source: MemoryStore, target: MemoryStore, user_id: str) -> VectorsOf:
    same_space = source.encoder.fingerprint == target.encoder.fingerprint
    return lambda turn_ids: source.turn_vectors(user_id, turn_ids) if same_space else None


def _copy(target: MemoryStore, exported: Exported, unread: Sequence[str], vectors_of: VectorsOf) -> None:
    user_id = exported.user_id
    # Session by session, as they were said: among equal scores a search keeps the order of storing.
    places = {session.id: place for place, session in enumerate(exported.sessions)}
    ordered = sorted(exported.turns, key=lambda turn: (places[turn.session_id], turn.index))
    for begin in range(0, len(ordered), _TURNS_AT_ONCE):
        turns = tuple(ordered[begin : begin + _TURNS_AT_ONCE])
        target.commit(user_id, Changes(turns=turns), vectors=vectors_of([turn.id for turn in turns]))
    for persona in exported.personas:
        target.commit(user_id, Changes(persona=persona))
    target.commit(
        user_id,
        Changes(
            preferences=exported.preferences,
            facts=exported.facts,
            corrections=exported.corrections,
            feedback=exported.feedback,
            questions=exported.questions,
            accesses=exported.accesses,
            profile=exported.profile,
            weights=exported.weights,
            ends_sessions=tuple(session.id for session in exported.sessions if session.ended),
            unread=tuple(unread),
        ),
    )


def _difference(target: MemoryStore, sent: Exported, unread: Sequence[str]) -> str:
    """Return in what the user arrived otherwise than sent; empty if in nothing."""
    arrived = target.export(sent.user_id)
    lost = [f"{len(a)} of {len(b)} {name}" for name, a, b in _lists(arrived, sent) if len(a) != len(b)]
    if not lost and _checksum(arrived, target.unread(sent.user_id)) == _checksum(sent, unread):
        return ""
    where = ", ".join(lost) or "in its contents"
    return f"what arrived of user {sent.user_id!r} differs from what was sent ({where})"


def _lists(arrived: Exported, sent: Exported) -> Iterator[tuple[str, Sequence[object], Sequence[object]]]:
    names: Iterable[str] = (
        "sessions",
        "turns",
        "preferences",
        "facts",
        "corrections",
        "feedback",
        "personas",
    )
    for name in names:
        yield name, getattr(arrived, name), getattr(sent, name)
