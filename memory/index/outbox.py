"""What the derived indexes of the embedded store do not have yet, and which of their files must go.

One short row a change of a turn, written in the transaction of the change itself.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterable, Sequence
from uuid import uuid4

import numpy as np
import numpy.typing as npt

from habitus.memory.storage import writing
from habitus.memory.storage.reading import Bounds
from habitus.memory.storage.sql import Statements

N_SHARDS = 16


def shard_of(user_id: str) -> int:
    """Return the shard that holds a user, the same in every process and version."""
    return zlib.crc32(user_id.encode()) % N_SHARDS


def put_added(connection: sqlite3.Connection, user_id: str, seqs: Iterable[int]) -> None:
    shard = shard_of(user_id)
    connection.executemany("INSERT INTO outbox VALUES (?, ?, ?, 0)", [(seq, user_id, shard) for seq in seqs])


def put_removed(connection: sqlite3.Connection, user_id: str, seqs: Sequence[int]) -> None:
    shard = shard_of(user_id)
    connection.executemany(
        "INSERT OR REPLACE INTO outbox VALUES (?, ?, ?, 1)", [(seq, user_id, shard) for seq in seqs]
    )


def n_pending(connection: sqlite3.Connection, user_id: str | None = None) -> int:
    """Return how many changes wait, of one user or of all."""
    where, values = ("", ()) if user_id is None else (" WHERE user_id = ?", (user_id,))
    return int(connection.execute(f"SELECT count(*) FROM outbox{where}", values).fetchone()[0])


def large_users(connection: sqlite3.Connection, bounds: Bounds) -> list[tuple[str, int]]:
    """Return the users beyond the bounds, each with its shard."""
    sql = "SELECT user_id, shard FROM users WHERE n_turns > ? OR n_passages > ?"
    return connection.execute(sql, (bounds.n_turns, bounds.n_passages)).fetchall()


def pending(connection: sqlite3.Connection, user_id: str) -> npt.NDArray[np.int64]:
    """Return the sequence numbers of turns that are not in the derived indexes yet, ascending."""
    sql = "SELECT seq FROM outbox WHERE user_id = ? AND NOT removed ORDER BY seq"
    return np.array([seq for (seq,) in connection.execute(sql, (user_id,))], dtype=np.int64)


def begin_scrub(connection: Statements, shards: Iterable[int]) -> None:
    """Note, together with a deletion, which files still hold what was deleted."""
    writing.set_meta(connection, "scrub", uuid4().hex)
    connection.executemany("INSERT OR IGNORE INTO stale_shards VALUES (?)", [(shard,) for shard in shards])


def mark_stale(connection: Statements) -> None:
    """Note that whatever files of indexes there are belong to other memories."""
    numbers = ", ".join(f"({number})" for number in range(N_SHARDS))
    connection.execute(f"INSERT OR IGNORE INTO stale_shards VALUES {numbers}")


def requeue_shard(connection: sqlite3.Connection, shard: int) -> None:
    """Put all turns of a shard, whose index is gone from disk, into the outbox."""
    connection.execute("DELETE FROM outbox WHERE shard = ?", (shard,))
    connection.execute(
        "INSERT INTO outbox SELECT t.seq, t.user_id, u.shard, 0 FROM users u JOIN turns t USING (user_id)"
        " WHERE u.shard = ?",
        (shard,),
    )
    connection.execute("DELETE FROM stale_shards WHERE shard = ?", (shard,))
