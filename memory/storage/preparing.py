"""What is checked and computed before anything is written; the same for every store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import TypeAdapter, ValidationError

from habitus.memory.errors import InvalidInputError
from habitus.memory.index.terms import Terms, terms_of
from habitus.memory.index.units import units
from habitus.memory.records import Changes, Id, Turn
from habitus.memory.store import Query
from habitus.retrievers.encoder import Encoder, Vectors

_ID: TypeAdapter[str] = TypeAdapter(Id)


@dataclass(frozen=True)
class Prepared:
    """A turn with what is derived from its text; `vectors` has shape `(n_passages, dim)`."""

    turn: Turn
    vectors: Vectors
    terms: Terms


def check_changes(user_id: str, changes: Changes) -> None:
    """Check that all records are one user's, and that no id or place occurs twice.

    Raises:
        InvalidInputError: they are not.
    """
    try:
        _ID.validate_python(user_id)
    except ValidationError as error:
        raise InvalidInputError(f"user_id {user_id!r} is no id: {error.errors()[0]['msg']}") from error
    groups = (
        changes.turns,
        changes.preferences,
        changes.facts,
        changes.corrections,
        changes.feedback,
        changes.questions,
    )
    whole = (*changes.accesses, changes.profile, changes.persona, changes.weights)
    for record in (*(item for group in groups for item in group), *whole):
        if record is not None and record.user_id != user_id:
            raise InvalidInputError(
                f"a {type(record).__name__.lower()} of user {record.user_id!r} was committed for {user_id!r}"
            )
    for group in groups:
        _check_distinct("id", [record.id for record in group])
    _check_distinct("turn", [access.turn_id for access in changes.accesses])
    _check_distinct("session and index", [(turn.session_id, turn.index) for turn in changes.turns])


def _check_distinct(what: str, keys: Sequence[object]) -> None:
    if len(set(keys)) < len(keys):
        twice = next(key for place, key in enumerate(keys) if key in keys[:place])
        raise InvalidInputError(f"two records of one change have the same {what}: {twice!r}")


def check_query(query: Query, dim: int) -> Vectors:
    """Return the query's vector as float32 of shape `(dim,)`.

    Raises:
        InvalidInputError: it has another shape or holds something that is no number.
    """
    vector = np.asarray(query.vector, dtype=np.float32)
    if vector.shape != (dim,):
        raise InvalidInputError(f"the vector of a query must have shape ({dim},), got {vector.shape}")
    if not np.isfinite(vector).all():
        raise InvalidInputError("the vector of a query must hold finite numbers only")
    return vector


def prepare(
    encoder: Encoder, turns: Iterable[Turn], vectors: Mapping[str, Vectors] | None = None
) -> list[Prepared]:
    """Compute vectors and terms of turns; the missing vectors in one call of the encoder.

    Args:
        encoder: of the store.
        turns: to be stored.
        vectors: what is computed already, by turn id; ids of other turns are of no consequence.

    Raises:
        InvalidInputError: given vectors have a wrong shape or hold something that is no number.
    """
    turns, given = list(turns), vectors or {}
    pieces = {turn.id: units(turn.role, turn.text) for turn in turns}
    missing = [turn.id for turn in turns if turn.id not in given]
    encoded = encoder.encode([piece for turn_id in missing for piece in pieces[turn_id]]) if missing else None
    computed: dict[str, Vectors] = {}
    begin = 0
    for turn_id in missing:
        end = begin + len(pieces[turn_id])
        assert encoded is not None
        computed[turn_id] = encoded[begin:end]
        begin = end
    return [
        Prepared(
            turn,
            _checked(turn.id, computed.get(turn.id, given.get(turn.id)), (len(pieces[turn.id]), encoder.dim)),
            terms_of(turn.text),
        )
        for turn in turns
    ]


def _checked(turn_id: str, vectors: Vectors | None, shape: tuple[int, int]) -> Vectors:
    found = np.ascontiguousarray(vectors, dtype=np.float32)
    if found.shape != shape:
        raise InvalidInputError(f"vectors of turn {turn_id!r} must have shape {shape}, got {found.shape}")
    if not np.isfinite(found).all():
        raise InvalidInputError(f"vectors of turn {turn_id!r} must hold finite numbers only")
    return found
