"""Whether what is stored of a user holds together: the same checks in every store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import ValidationError

from habitus.memory.storage import reading
from habitus.memory.storage.sql import Connection


@dataclass(frozen=True, kw_only=True)
class Verified:
    """What a check of a store found.

    Attributes:
        n_users, n_turns: that were looked at.
        problems: what does not hold, each with the user; never anybody's words. Empty when all is well.
    """

    n_users: int
    n_turns: int
    problems: tuple[str, ...]


def problems_of(connection: Connection, user_id: str, dim: int) -> Iterator[str]:
    """Yield what does not hold together of one user.

    Args:
        connection: within a transaction that sees one state.
        user_id: whose rows.
        dim: length of a vector.
    """
    found = [*_sums(connection, user_id), *_sessions(connection, user_id)]
    found += [*_features(connection, user_id, dim), *_of_preferences(connection, user_id, dim)]
    found += _references(connection, user_id)
    found += _unreadable(connection, user_id)
    for problem in found:
        yield f"user {user_id!r}: {problem}"


def _sums(connection: Connection, user_id: str) -> Iterator[str]:
    kept = connection.execute(
        "SELECT n_turns, n_passages, n_terms, n_own_terms FROM users WHERE user_id = ?", (user_id,)
    ).fetchone()
    counted = connection.execute(
        "SELECT count(*), coalesce(sum(f.n_passages), 0), coalesce(sum(f.n_terms), 0),"
        " coalesce(sum(CASE WHEN t.role = 'user' THEN f.n_terms ELSE 0 END), 0)"
        f" FROM turns t {connection.with_features} WHERE t.user_id = ?",
        (user_id,),
    ).fetchone()
    names = ("messages", "passages", "terms", "terms of the user")
    for name, one, other in zip(names, kept, counted, strict=True):
        if one != other:
            yield f"{one} {name} are noted, {other} are stored"


def _sessions(connection: Connection, user_id: str) -> Iterator[str]:
    rows = connection.execute(
        "SELECT id, n_turns, started_at, last_at FROM sessions WHERE user_id = ?", (user_id,)
    )
    kept = {row[0]: tuple(row[1:]) for row in rows}
    rows = connection.execute(
        "SELECT session_id, count(*), min(at), max(at) FROM turns WHERE user_id = ? GROUP BY session_id",
        (user_id,),
    )
    counted = {row[0]: tuple(row[1:]) for row in rows}
    for session_id in sorted({*kept, *counted}):
        if kept.get(session_id) != counted.get(session_id):
            yield f"session {session_id!r} does not agree with its messages"


def _features(connection: Connection, user_id: str, dim: int) -> Iterator[str]:
    (n_turns,) = connection.execute("SELECT count(*) FROM turns WHERE user_id = ?", (user_id,)).fetchone()
    rows = connection.execute(
        f"SELECT t.seq, f.n_passages, length(f.vectors) FROM turns t {connection.with_features}"
        " WHERE t.user_id = ?",
        (user_id,),
    ).fetchall()
    if len(rows) != n_turns:
        yield f"{n_turns - len(rows)} messages have no vectors"
    for seq, n_passages, n_bytes in rows:
        if not n_passages or n_bytes != n_passages * dim * 4:
            yield f"the vectors of message number {seq} have a wrong length"


def _of_preferences(connection: Connection, user_id: str, dim: int) -> Iterator[str]:
    """Those without vectors are left out: `reindex` completes them."""
    (n,) = connection.execute(
        "SELECT count(*) FROM preferences WHERE user_id = ? AND length(vectors) <> ?",
        (user_id, 2 * dim * 4),
    ).fetchone()
    if n:
        yield f"the vectors of {n} preferences have a wrong length"


def _references(connection: Connection, user_id: str) -> Iterator[str]:
    for table in ("accesses", "unread"):
        (n,) = connection.execute(
            f"SELECT count(*) FROM {table} x WHERE x.user_id = ? AND NOT EXISTS"
            " (SELECT 1 FROM turns t WHERE t.user_id = ? AND t.id = x.turn_id)",
            (user_id, user_id),
        ).fetchone()
        if n:
            yield f"{n} rows of {table} are about messages that are not stored"


def _unreadable(connection: Connection, user_id: str) -> Iterator[str]:
    for kind, table in reading.TABLES.items():
        try:
            reading.documents(connection, user_id, kind)
        except ValidationError as error:
            yield f"{error.error_count()} errors in {table}"
    for read in (reading.profile, reading.personas, reading.weights):
        try:
            read(connection, user_id)
        except ValidationError as error:
            yield f"{error.error_count()} errors in {read.__name__}"
    try:
        reading.turns(connection, user_id)
    except ValueError as error:
        yield f"a message cannot be read: {type(error).__name__}"
