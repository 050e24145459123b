"""Queries of every store: from rows to records. Each function reads within a caller's transaction."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any, TypeVar

import numpy as np

from habitus.memory.index.phrases import phrases_of
from habitus.memory.index.remembering import remembered
from habitus.memory.index.rows import Rows
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
    Session,
    Turn,
)
from habitus.memory.storage.sql import Connection, Statements
from habitus.retrievers.encoder import Vectors

Document = TypeVar("Document", Preference, Fact, Correction, Feedback, AskedQuestion)

TABLES: dict[type[Any], str] = {
    Preference: "preferences",
    Fact: "facts",
    Correction: "corrections",
    Feedback: "feedback",
    AskedQuestion: "questions",
}

MAX_PARSED = 20_000
"""Records of each kind that stay in memory; some 4 kB a preference."""

# Records are frozen, and the same ones are read in every turn.
_parsed: dict[type[Any], Callable[[str], Any]] = {
    kind: remembered(kind.model_validate_json, n=MAX_PARSED) for kind in TABLES
}

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_ROWS_AT_ONCE = 4_096
_TURN = "id, user_id, session_id, place, role, text, at, meta"
_ROW = (
    "SELECT t.seq, t.id, t.session_id, t.place, t.role = 'user', t.at, f.n_passages, f.terms, f.counts,"
    " f.vectors FROM turns t {} WHERE t.user_id = ?"
)


def to_microseconds(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND


def from_microseconds(at: int) -> datetime:
    return _EPOCH + timedelta(microseconds=at)


def select_in(
    connection: Statements, sql: str, first: Sequence[Any], values: Sequence[Any]
) -> Iterator[tuple[Any, ...]]:
    """Run `sql`, whose last place is `{}`, for all values; databases bound the number of places."""
    parts = [values[begin : begin + 500] for begin in range(0, len(values), 500)]
    found = [connection.execute(sql.format(",".join("?" * len(part))), (*first, *part)) for part in parts]
    return chain.from_iterable(found)


def _turn(row: tuple[Any, ...]) -> Turn:
    turn_id, user_id, session_id, place, role, text, at, meta = row
    # Checked before it was stored; a turn reads more than a hundred messages, and checks cost half of it.
    return Turn.model_construct(
        id=turn_id,
        user_id=user_id,
        session_id=session_id,
        index=place,
        role=role,
        text=text,
        at=from_microseconds(at),
        meta={} if meta == "{}" else json.loads(meta),
    )


def _in_time(turns: list[Turn]) -> list[Turn]:
    return sorted(turns, key=lambda turn: (turn.at, turn.session_id, turn.index))


def users(connection: Connection) -> list[str]:
    return sorted(user_id for (user_id,) in connection.execute("SELECT user_id FROM users"))


def turns(
    connection: Connection,
    user_id: str,
    ids: Sequence[str] | None = None,
    session_id: str | None = None,
) -> list[Turn]:
    """Return turns in time order, those with one of the ids and of the session where these are given."""
    sql, first = f"SELECT {_TURN} FROM turns WHERE user_id = ?", [user_id]
    if session_id is not None:
        sql, first = f"{sql} AND session_id = ?", [user_id, session_id]
    if ids is None:
        return _in_time([_turn(row) for row in connection.execute(sql, first)])
    unique = list(dict.fromkeys(ids))
    return _in_time([_turn(row) for row in select_in(connection, sql + " AND id IN ({})", first, unique)])


def texts(connection: Connection, user_id: str, ids: Sequence[str]) -> dict[str, str]:
    """Return the words of turns by id."""
    sql = "SELECT id, text FROM turns WHERE user_id = ? AND id IN ({})"
    return dict(select_in(connection, sql, [user_id], list(dict.fromkeys(ids))))


def stored_turns(connection: Connection, user_id: str, ids: Sequence[str]) -> dict[str, tuple[int, Turn]]:
    """Return sequence number and turn by id."""
    sql = f"SELECT seq, {_TURN} FROM turns WHERE user_id = ? AND id IN ({{}})"
    return {row[1]: (row[0], _turn(row[1:])) for row in select_in(connection, sql, [user_id], ids)}


def vectors(connection: Connection, user_id: str, ids: Sequence[str], dim: int) -> dict[str, Vectors]:
    joined = f"turns t {connection.with_features}"
    sql = f"SELECT t.id, f.vectors FROM {joined} WHERE t.user_id = ? AND t.id IN ({{}})"
    found = select_in(connection, sql, [user_id], list(dict.fromkeys(ids)))
    return {turn_id: np.frombuffer(blob, dtype=np.float32).reshape(-1, dim) for turn_id, blob in found}


def sessions(connection: Connection, user_id: str, *, open_only: bool = False) -> list[Session]:
    """Return sessions, oldest first."""
    sql = "SELECT id, started_at, last_at, n_turns, ended FROM sessions WHERE user_id = ?"
    if open_only:
        sql += " AND ended = 0"
    return [
        Session(
            id=session_id,
            user_id=user_id,
            started_at=from_microseconds(started_at),
            last_at=from_microseconds(last_at),
            n_turns=n_turns,
            ended=bool(ended),
        )
        for session_id, started_at, last_at, n_turns, ended in connection.execute(
            f"{sql} ORDER BY started_at, id", (user_id,)
        )
    ]


def parsed(kind: type[Document], document: str) -> Document:
    """Return the record that a stored document is of; those read last stay in memory."""
    record: Document = _parsed[kind](document)
    return record


def documents(
    connection: Connection,
    user_id: str,
    kind: type[Document],
    status: str | None = None,
    limit: int | None = None,
) -> list[Document]:
    """Return records kept as JSON, oldest first by the instant they were learnt; with `limit` the latest."""
    sql = f"SELECT document FROM {TABLES[kind]} WHERE user_id = ?"
    values: list[str | int] = [user_id]
    if status is not None:
        sql += " AND status = ?"
        values.append(status)
    if limit is None:
        found = [document for (document,) in connection.execute(f"{sql} ORDER BY at, id", values)]
    else:
        latest = connection.execute(f"{sql} ORDER BY at DESC, id DESC LIMIT ?", [*values, limit])
        found = [document for (document,) in latest][::-1]
    return [parsed(kind, document) for document in found]


def preference_vectors(connection: Statements, user_id: str, dim: int) -> dict[str, Vectors]:
    """Return the vectors that are stored with preferences, by the `phrases_of` each, shape `(dim,)`.

    Text and vector come from one row: a preference that is changed meanwhile keeps its id, not its words.
    """
    sql = "SELECT document, vectors FROM preferences WHERE user_id = ? AND vectors IS NOT NULL"
    return {
        text: vector
        for document, blob in connection.execute(sql, (user_id,))
        for text, vector in zip(
            phrases_of(parsed(Preference, document)),
            np.frombuffer(blob, dtype=np.float32).reshape(2, dim),
            strict=True,
        )
    }


def without_vectors(connection: Statements, user_id: str) -> list[Preference]:
    """Return the preferences that are stored without vectors."""
    sql = "SELECT document FROM preferences WHERE user_id = ? AND vectors IS NULL ORDER BY at, id"
    return [parsed(Preference, document) for (document,) in connection.execute(sql, (user_id,))]


def accesses(connection: Connection, user_id: str) -> list[Access]:
    sql = "SELECT turn_id, at, n FROM accesses WHERE user_id = ? ORDER BY turn_id"
    # Checked before they were stored.
    return [
        Access.model_construct(user_id=user_id, turn_id=turn_id, at=from_microseconds(at), n=n)
        for turn_id, at, n in connection.execute(sql, (user_id,))
    ]


def unread(connection: Connection, user_id: str) -> list[str]:
    sql = "SELECT turn_id FROM unread WHERE user_id = ? ORDER BY key"
    return [turn_id for (turn_id,) in connection.execute(sql, (user_id,))]


def users_with_unread(connection: Connection) -> list[str]:
    sql = "SELECT user_id FROM unread GROUP BY user_id ORDER BY min(key)"
    return [user_id for (user_id,) in connection.execute(sql)]


def profile(connection: Connection, user_id: str) -> Profile | None:
    row = connection.execute("SELECT document FROM profiles WHERE user_id = ?", (user_id,)).fetchone()
    return None if row is None else Profile.model_validate_json(row[0])


def weights(connection: Connection, user_id: str) -> RewardWeights | None:
    row = connection.execute("SELECT document FROM weights WHERE user_id = ?", (user_id,)).fetchone()
    return None if row is None else RewardWeights.model_validate_json(row[0])


def personas(connection: Connection, user_id: str) -> list[Persona]:
    sql = "SELECT document FROM personas WHERE user_id = ? ORDER BY version"
    return [Persona.model_validate_json(document) for (document,) in connection.execute(sql, (user_id,))]


def is_known(connection: Connection, user_id: str) -> bool:
    return connection.execute("SELECT 1 FROM users WHERE user_id = ?", (user_id,)).fetchone() is not None


def rows_after(connection: Connection, user_id: str, seq: int, dim: int) -> Iterator[Rows]:
    """Yield the turns stored after the one with this sequence number, many at a time."""
    sql = f"{_ROW.format(connection.with_features)} AND t.seq > ? ORDER BY t.seq LIMIT ?"
    # All at once a large user would be in memory three times over.
    while part := connection.execute(sql, (user_id, seq, _ROWS_AT_ONCE)).fetchall():
        yield Rows.from_sql(part, dim)
        if len(part) < _ROWS_AT_ONCE:
            return
        seq = part[-1][0]


def rows_of_sessions(connection: Connection, user_id: str, session_ids: Sequence[str], dim: int) -> Rows:
    """Return the turns of these sessions."""
    sql = f"{_ROW.format(connection.with_features)} AND t.session_id IN ({{}})"
    found = list(select_in(connection, sql, [user_id], session_ids))
    return Rows.from_sql(sorted(found, key=lambda row: int(row[0])), dim)


def get_meta(connection: Statements, name: str) -> str | None:
    row = connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
    return None if row is None else str(row[0])


def counts(connection: Connection, user_id: str | None) -> dict[str, int]:
    """Return the counts of `StoreStats` but what waits to be indexed, of one user or of all."""
    tables = {
        "n_users": "users",
        "n_sessions": "sessions",
        "n_preferences": "preferences",
        "n_facts": "facts",
        "n_unread": "unread",
    }
    where, values = ("", ()) if user_id is None else (" WHERE user_id = ?", (user_id,))
    found = {
        name: connection.execute(f"SELECT count(*) FROM {table}{where}", values).fetchone()[0]
        for name, table in tables.items()
    }
    sql = f"SELECT coalesce(sum(n_turns), 0) FROM users{where}"
    return {**found, "n_turns": connection.execute(sql, values).fetchone()[0]}


@dataclass(frozen=True)
class Totals:
    """Sums over all turns of a user; own terms are those of the user's turns, not the assistant's."""

    n_turns: int = 0
    n_terms: int = 0
    n_own_terms: int = 0
    n_sessions: int = 0


def totals(connection: Connection, user_id: str) -> Totals:
    row = connection.execute(
        "SELECT n_turns, n_terms, n_own_terms, (SELECT count(*) FROM sessions s WHERE s.user_id = u.user_id)"
        " FROM users u WHERE user_id = ?",
        (user_id,),
    ).fetchone()
    return Totals() if row is None else Totals(*row)


@dataclass(frozen=True)
class Size:
    """How much there is of a user.

    Attributes:
        n_turns: turns stored.
        n_passages: vectors stored.
        epoch: another one once turns were deleted, or the user as a whole.
        version: counts the changes within an epoch.
    """

    n_turns: int = 0
    n_passages: int = 0
    epoch: int = 0
    version: int = 0

    def grown_by(self, n_turns: int, n_passages: int) -> Size:
        return replace(self, n_turns=self.n_turns + n_turns, n_passages=self.n_passages + n_passages)


def size(connection: Connection, user_id: str) -> Size:
    sql = "SELECT n_turns, n_passages, epoch, version FROM users WHERE user_id = ?"
    row = connection.execute(sql, (user_id,)).fetchone()
    return Size() if row is None else Size(*row)


@dataclass(frozen=True)
class Bounds:
    """How much of a user is searched in memory at most.

    Attributes:
        n_turns: turns.
        n_passages: vectors.
    """

    n_turns: int
    n_passages: int

    @classmethod
    def of(cls, n_turns: int) -> Bounds:
        """Bound the vectors at two and a half a turn; messages have two on average."""
        return cls(n_turns, n_turns * 5 // 2)

    def is_exceeded_by(self, size: Size) -> bool:
        return size.n_turns > self.n_turns or size.n_passages > self.n_passages

    @property
    def halves(self) -> Bounds:
        return Bounds(self.n_turns // 2, self.n_passages // 2)


def large_users(connection: Connection, bounds: Bounds) -> list[str]:
    """Return the users beyond the bounds."""
    sql = "SELECT user_id FROM users WHERE n_turns > ? OR n_passages > ?"
    return [user_id for (user_id,) in connection.execute(sql, (bounds.n_turns, bounds.n_passages))]


def sessions_of(connection: Connection, user_id: str, seqs: Sequence[int]) -> list[str]:
    """Return the sessions of turns; numbers of other users' or deleted turns are left out."""
    sql = "SELECT DISTINCT session_id FROM turns WHERE user_id = ? AND seq IN ({})"
    return sorted({session_id for (session_id,) in select_in(connection, sql, [user_id], seqs)})
