"""Statements of every store that change something, each within a caller's transaction."""

from __future__ import annotations

import json
import secrets
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from itertools import chain

from habitus.memory.errors import InvalidInputError
from habitus.memory.records import (
    Access,
    AskedQuestion,
    Correction,
    Fact,
    Feedback,
    Persona,
    Preference,
    Profile,
    RewardWeights,
    Turn,
)
from habitus.memory.storage import reading
from habitus.memory.storage.preparing import Prepared
from habitus.memory.storage.reading import TABLES, Document, select_in, to_microseconds
from habitus.memory.storage.sql import Connection, Statements
from habitus.retrievers.encoder import Vectors

DOCUMENTS = tuple(TABLES.values())
"""Tables of records kept as JSON, all of the same shape."""


def new_epoch() -> int:
    """Return a number that was hardly ever an epoch: below 2^62, so that any database holds it."""
    return secrets.randbits(62)


def set_meta(connection: Statements, name: str, value: str | None) -> None:
    if value is None:
        connection.execute("DELETE FROM meta WHERE name = ?", (name,))
    else:
        connection.execute(
            "INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (name, value),
        )


def begin_epoch(connection: Connection, user_id: str) -> None:
    """Tell that what others have read of the user's turns no longer holds.

    Epochs are random, so that a user who was deleted and came back is never taken for the former.
    """
    connection.execute("UPDATE users SET epoch = ? WHERE user_id = ?", (new_epoch(), user_id))


def write_turns(connection: Connection, user_id: str, prepared: Sequence[Prepared]) -> None:
    """Store turns, those with a known id in place of the old ones.

    A turn that is stored already, the same in every field, is left alone, so a commit may be repeated.
    A new turn opens its session again.

    Raises:
        InvalidInputError: the place of a turn in its session is taken by another.
    """
    owners = _owners(connection, user_id, [item.turn for item in prepared])
    stored = reading.stored_turns(connection, user_id, [item.turn.id for item in prepared])
    fresh = [item for item in prepared if stored.get(item.turn.id, (0, None))[1] != item.turn]
    replaced = [stored[item.turn.id] for item in fresh if item.turn.id in stored]
    _check_free([item.turn for item in fresh], dict(owners), {turn.id for _, turn in replaced})
    _extend_sessions(connection, user_id, [item.turn for item in fresh], set(stored))
    if replaced:
        delete_turns(connection, user_id, [seq for seq, _ in replaced])
    _insert_turns(connection, user_id, fresh)
    if replaced:
        touched = {turn.session_id for _, turn in replaced} | {item.turn.session_id for item in fresh}
        _recount_sessions(connection, user_id, touched)


_Place = tuple[str, int]
"""A session, and a place in it."""


def _owners(connection: Connection, user_id: str, turns: Iterable[Turn]) -> Iterator[tuple[_Place, str]]:
    """Return which turns have the places of these, the same or others."""
    by_session: dict[str, list[int]] = defaultdict(list)
    for turn in turns:
        by_session[turn.session_id].append(turn.index)
    sql = "SELECT session_id, place, id FROM turns WHERE user_id = ? AND session_id = ? AND place IN ({})"
    found = [
        select_in(connection, sql, [user_id, session_id], places) for session_id, places in by_session.items()
    ]
    return (((session_id, place), owner) for session_id, place, owner in chain.from_iterable(found))


def _check_free(turns: Iterable[Turn], owners: Mapping[_Place, str], replaced: Set[str]) -> None:
    """Check that no other turn has the place of one of these, but for those that are replaced.

    Raises:
        InvalidInputError: one has.
    """
    for turn in turns:
        owner = owners.get((turn.session_id, turn.index))
        if owner is not None and owner not in replaced:
            raise InvalidInputError(
                f"place {turn.index} of session {turn.session_id!r} is taken by turn {owner!r}, so"
                f" {turn.id!r} cannot have it"
            )


def _extend_sessions(connection: Connection, user_id: str, turns: Iterable[Turn], known: set[str]) -> None:
    by_session: dict[str, list[Turn]] = defaultdict(list)
    for turn in turns:
        by_session[turn.session_id].append(turn)
    connection.executemany(
        "INSERT INTO sessions (user_id, id, started_at, last_at, n_turns) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (user_id, id) DO UPDATE SET n_turns = sessions.n_turns + excluded.n_turns,"
        " started_at = CASE WHEN excluded.started_at < sessions.started_at THEN excluded.started_at"
        " ELSE sessions.started_at END,"
        " last_at = CASE WHEN excluded.last_at > sessions.last_at THEN excluded.last_at"
        " ELSE sessions.last_at END,"
        " ended = sessions.ended * ?",
        [
            (
                user_id,
                session_id,
                to_microseconds(min(turn.at for turn in group)),
                to_microseconds(max(turn.at for turn in group)),
                len(group),
                int(all(turn.id in known for turn in group)),
            )
            for session_id, group in by_session.items()
        ],
    )


def _insert_turns(connection: Connection, user_id: str, prepared: Sequence[Prepared]) -> None:
    if not prepared:
        return
    first = connection.reserve(user_id, len(prepared))
    connection.executemany(
        "INSERT INTO turns (user_id, seq, id, session_id, place, role, at, text, meta)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                user_id,
                seq,
                turn.id,
                turn.session_id,
                turn.index,
                turn.role,
                to_microseconds(turn.at),
                turn.text,
                _meta(turn),
            )
            for seq, turn in enumerate((item.turn for item in prepared), start=first)
        ],
    )
    connection.add_features(
        user_id,
        [
            (
                seq,
                len(item.vectors),
                item.terms.length,
                item.terms.hashes.tobytes(),
                item.terms.counts.tobytes(),
                item.vectors.tobytes(),
            )
            for seq, item in enumerate(prepared, start=first)
        ],
    )
    own = sum(item.terms.length for item in prepared if item.turn.role == "user")
    _count(
        connection,
        user_id,
        len(prepared),
        sum(len(item.vectors) for item in prepared),
        sum(item.terms.length for item in prepared),
        own,
    )


def _meta(turn: Turn) -> str:
    try:
        return json.dumps(turn.meta, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInputError(f"meta of turn {turn.id!r} must hold JSON values only: {error}") from error


def _count(connection: Connection, user_id: str, *changes: int) -> None:
    connection.execute(
        "UPDATE users SET n_turns = n_turns + ?, n_passages = n_passages + ?, n_terms = n_terms + ?,"
        " n_own_terms = n_own_terms + ? WHERE user_id = ?",
        (*changes, user_id),
    )


def delete_turns(connection: Connection, user_id: str, seqs: Sequence[int]) -> None:
    """Delete turns and what is derived from them; their sessions keep stale counts."""
    sql = (
        "SELECT count(*), coalesce(sum(f.n_passages), 0), coalesce(sum(f.n_terms), 0),"
        " coalesce(sum(CASE WHEN t.role = 'user' THEN f.n_terms ELSE 0 END), 0)"
        f" FROM turns t {connection.with_features} WHERE t.user_id = ? AND t.seq IN ({{}})"
    )
    begin_epoch(connection, user_id)
    for sums in list(select_in(connection, sql, [user_id], seqs)):
        _count(connection, user_id, *(-number for number in sums))
    connection.was_removed(user_id, seqs)
    connection.executemany(
        "DELETE FROM turns WHERE user_id = ? AND seq = ?", [(user_id, seq) for seq in seqs]
    )


def forget_turns(connection: Connection, user_id: str, seqs: Sequence[int]) -> None:
    """Delete turns; a session without turns goes too."""
    sql = "SELECT DISTINCT session_id FROM turns WHERE user_id = ? AND seq IN ({})"
    touched = {session_id for (session_id,) in select_in(connection, sql, [user_id], seqs)}
    for table in ("accesses", "unread"):
        connection.executemany(
            f"DELETE FROM {table} WHERE user_id = ? AND turn_id ="
            " (SELECT id FROM turns WHERE user_id = ? AND seq = ?)",
            [(user_id, user_id, seq) for seq in seqs],
        )
    delete_turns(connection, user_id, seqs)
    _recount_sessions(connection, user_id, touched)


def _recount_sessions(connection: Connection, user_id: str, session_ids: Iterable[str]) -> None:
    for session_id in session_ids:
        key = (user_id, session_id)
        row = connection.execute(
            "SELECT min(at), max(at), count(*) FROM turns WHERE user_id = ? AND session_id = ?", key
        ).fetchone()
        if row[2]:
            connection.execute(
                "UPDATE sessions SET started_at = ?, last_at = ?, n_turns = ? WHERE user_id = ? AND id = ?",
                (*row, *key),
            )
        else:
            connection.execute("DELETE FROM sessions WHERE user_id = ? AND id = ?", key)


def end_sessions(connection: Connection, user_id: str, session_ids: Sequence[str]) -> None:
    """Mark sessions as consolidated.

    Raises:
        InvalidInputError: the user has no such session.
    """
    sql = "SELECT id FROM sessions WHERE user_id = ? AND id IN ({})"
    known = {session_id for (session_id,) in select_in(connection, sql, [user_id], session_ids)}
    for session_id in session_ids:
        if session_id not in known:
            raise InvalidInputError(f"session {session_id!r} has no turns, so it cannot be ended")
    connection.executemany(
        "UPDATE sessions SET ended = 1 WHERE user_id = ? AND id = ?",
        [(user_id, session_id) for session_id in session_ids],
    )


AnyDocument = Preference | Fact | Correction | Feedback | AskedQuestion


def write_documents(connection: Connection, records: Sequence[AnyDocument]) -> None:
    """Store records kept as JSON, those with a known id in place of the old ones, without their vectors."""
    by_table: dict[str, list[AnyDocument]] = defaultdict(list)
    for record in records:
        by_table[TABLES[type(record)]].append(record)
    for table, group in by_table.items():
        connection.executemany(
            f"DELETE FROM {table} WHERE user_id = ? AND id = ?",
            [(record.user_id, record.id) for record in group],
        )
        connection.executemany(
            f"INSERT INTO {table} (user_id, id, status, at, document) VALUES (?, ?, ?, ?, ?)",
            [(record.user_id, record.id, *_status_and_instant(record), _json(record)) for record in group],
        )


def write_preferences(
    connection: Connection, user_id: str, preferences: Sequence[Preference], vectors: Vectors
) -> None:
    """Store preferences, those with a known id in place of the old ones.

    Args:
        connection: within a transaction.
        user_id: whose.
        preferences: of the user.
        vectors: shape `(n, 2, dim)`, of the `phrases_of` each.
    """
    delete_documents(connection, user_id, Preference, [one.id for one in preferences])
    _insert_preferences(
        connection, [(one, rows.tobytes()) for one, rows in zip(preferences, vectors, strict=True)]
    )


def rewrite_preferences(connection: Connection, user_id: str, preferences: Sequence[Preference]) -> None:
    """Store preferences whose words are the same in place of the old ones, which leave them their vectors."""
    sql = "SELECT id, vectors FROM preferences WHERE user_id = ? AND id IN ({})"
    kept = dict(select_in(connection, sql, [user_id], [one.id for one in preferences]))
    delete_documents(connection, user_id, Preference, [one.id for one in preferences])
    _insert_preferences(connection, [(one, kept.get(one.id)) for one in preferences])


def add_vectors(
    connection: Connection, user_id: str, preferences: Sequence[Preference], vectors: Vectors
) -> None:
    """Store vectors with preferences that have none; those that have changed meanwhile are left alone.

    Args:
        connection: within a transaction.
        user_id: whose.
        preferences: as they were read.
        vectors: shape `(n, 2, dim)`, of the `phrases_of` each.
    """
    unchanged = {one.id: one for one in reading.without_vectors(connection, user_id)}
    connection.executemany(
        "UPDATE preferences SET vectors = ? WHERE user_id = ? AND id = ?",
        [
            (rows.tobytes(), user_id, one.id)
            for one, rows in zip(preferences, vectors, strict=True)
            if unchanged.get(one.id) == one
        ],
    )


def _insert_preferences(
    connection: Connection, preferences: Iterable[tuple[Preference, bytes | None]]
) -> None:
    connection.executemany(
        "INSERT INTO preferences (user_id, id, status, at, document, vectors) VALUES (?, ?, ?, ?, ?, ?)",
        [
            (one.user_id, one.id, *_status_and_instant(one), _json(one), vectors)
            for one, vectors in preferences
        ],
    )


def _status_and_instant(record: AnyDocument) -> tuple[str | None, int]:
    if isinstance(record, Correction):
        return None, to_microseconds(record.made_at)
    if isinstance(record, AskedQuestion):
        return None, to_microseconds(record.asked_at)
    if isinstance(record, Feedback):
        return None, to_microseconds(record.at)
    return record.status, to_microseconds(record.learnt_at)


def _json(record: AnyDocument | Profile | Persona | RewardWeights) -> str:
    try:
        return record.model_dump_json()
    except ValueError as error:
        raise InvalidInputError(
            f"a {type(record).__name__.lower()} cannot be written as JSON: {error}"
        ) from error


def delete_documents(connection: Connection, user_id: str, kind: type[Document], ids: Iterable[str]) -> None:
    connection.executemany(
        f"DELETE FROM {TABLES[kind]} WHERE user_id = ? AND id = ?",
        [(user_id, record_id) for record_id in ids],
    )


def write_accesses(connection: Connection, accesses: Iterable[Access]) -> None:
    """Store how turns were recalled; of turns that are not stored nothing is kept."""
    connection.executemany(
        "INSERT INTO accesses (user_id, turn_id, at, n) SELECT user_id, id, ?, ? FROM turns"
        " WHERE user_id = ? AND id = ?"
        " ON CONFLICT (user_id, turn_id) DO UPDATE SET at = excluded.at, n = excluded.n",
        [(to_microseconds(one.at), one.n, one.user_id, one.turn_id) for one in accesses],
    )


def mark_unread(connection: Connection, user_id: str, turn_ids: Sequence[str]) -> None:
    """Have turns wait to be read by a chat model; those that wait already keep their place."""
    connection.executemany(
        "INSERT INTO unread (user_id, turn_id) SELECT user_id, id FROM turns WHERE user_id = ? AND id = ?"
        " ON CONFLICT (user_id, turn_id) DO NOTHING",
        [(user_id, turn_id) for turn_id in turn_ids],
    )


def mark_read(connection: Connection, user_id: str, turn_ids: Sequence[str]) -> None:
    connection.executemany(
        "DELETE FROM unread WHERE user_id = ? AND turn_id = ?", [(user_id, turn_id) for turn_id in turn_ids]
    )


def write_profile(connection: Connection, profile: Profile) -> None:
    connection.execute("DELETE FROM profiles WHERE user_id = ?", (profile.user_id,))
    connection.execute(
        "INSERT INTO profiles (user_id, document) VALUES (?, ?)", (profile.user_id, _json(profile))
    )


def write_weights(connection: Connection, weights: RewardWeights) -> None:
    connection.execute("DELETE FROM weights WHERE user_id = ?", (weights.user_id,))
    connection.execute(
        "INSERT INTO weights (user_id, document) VALUES (?, ?)", (weights.user_id, _json(weights))
    )


def delete_weights(connection: Connection, user_id: str) -> None:
    connection.execute("DELETE FROM weights WHERE user_id = ?", (user_id,))


def write_persona(connection: Connection, persona: Persona) -> None:
    key = (persona.user_id, persona.version)
    connection.execute("DELETE FROM personas WHERE user_id = ? AND version = ?", key)
    connection.execute(
        "INSERT INTO personas (user_id, version, document) VALUES (?, ?, ?)", (*key, _json(persona))
    )


def delete_user(connection: Connection, user_id: str) -> None:
    """Delete every row of a user."""
    tables = (
        *connection.derived_tables,
        "accesses",
        "unread",
        "turns",
        "sessions",
        "profiles",
        "personas",
        "weights",
        *DOCUMENTS,
        "users",
    )
    for table in tables:
        connection.execute(f"DELETE FROM {table} WHERE user_id = ?", (user_id,))
