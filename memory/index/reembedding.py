"""Moving a folder from one encoder to another, so that no two vector spaces ever meet."""

from __future__ import annotations

import sqlite3

from habitus.memory.errors import EncoderChangedError
from habitus.memory.index import outbox
from habitus.memory.index.units import units
from habitus.memory.storage import reading, writing
from habitus.memory.storage.sqlite import Database
from habitus.memory.store import Progress
from habitus.retrievers.encoder import Encoder

_BATCH = 256


def adopt(
    database: Database, encoder: Encoder, *, reembed: bool = True, progress: Progress | None = None
) -> bool:
    """Make sure that every vector in the database comes from this encoder.

    New vectors gather in a table of their own, a batch per transaction, so that a killed run goes on
    where it was; one last transaction puts them in the place of the old ones.

    Args:
        database: the truth.
        encoder: to be used from now on.
        reembed: False refuses to change the encoder.
        progress: called with the number of turns done and of all.

    Returns:
        True when the database is new.

    Raises:
        EncoderChangedError: the encoder differs and `reembed` is False.
    """
    with database.read() as connection:
        stored = reading.get_meta(connection, "encoder")
        (n_turns,) = connection.execute("SELECT count(*) FROM turns").fetchone()
    if stored == encoder.fingerprint:
        return False
    if stored is not None and n_turns and not reembed:
        raise EncoderChangedError(
            f"the vectors in {str(database.path.parent)!r} were made by encoder {stored!r}, this one is"
            f" {encoder.fingerprint!r}: open it with the former, or with reembed=True to compute them anew"
        )
    if n_turns:
        _stage(database, encoder, n_turns, progress)
    with database.write() as connection:
        _switch(connection, encoder)
    return stored is None


def _stage(database: Database, encoder: Encoder, n_turns: int, progress: Progress | None) -> None:
    with database.write() as connection:
        if reading.get_meta(connection, "staging") != encoder.fingerprint:
            connection.execute("DELETE FROM restaged")
            writing.set_meta(connection, "staging", encoder.fingerprint)
        done, last = connection.execute("SELECT count(*), ifnull(max(seq), 0) FROM restaged").fetchone()
    while True:
        with database.read() as connection:
            sql = "SELECT seq, role, text FROM turns WHERE seq > ? ORDER BY seq LIMIT ?"
            rows = connection.execute(sql, (last, _BATCH)).fetchall()
        if not rows:
            return
        pieces = [units(role, text) for _, role, text in rows]
        vectors = encoder.encode([piece for group in pieces for piece in group])
        staged, begin = [], 0
        for (seq, *_), group in zip(rows, pieces, strict=True):
            end = begin + len(group)
            staged.append((seq, len(group), vectors[begin:end].astype("float32").tobytes()))
            begin = end
        with database.write() as connection:
            connection.executemany("INSERT INTO restaged VALUES (?, ?, ?)", staged)
        done, last = done + len(rows), rows[-1][0]
        if progress:
            progress(done, n_turns)


def _switch(connection: sqlite3.Connection, encoder: Encoder) -> None:
    connection.execute(
        "UPDATE features SET n_passages = r.n_passages, vectors = r.vectors"
        " FROM restaged r WHERE r.seq = features.seq"
    )
    connection.execute("DELETE FROM restaged")
    connection.execute("UPDATE preferences SET vectors = NULL")
    connection.execute(
        "UPDATE users SET n_passages = (SELECT ifnull(sum(f.n_passages), 0)"
        " FROM turns t JOIN features f USING (seq) WHERE t.user_id = users.user_id)"
    )
    connection.executemany(
        "INSERT OR IGNORE INTO stale_shards VALUES (?)", [(number,) for number in range(outbox.N_SHARDS)]
    )
    writing.set_meta(connection, "staging", None)
    writing.set_meta(connection, "encoder", encoder.fingerprint)
