"""Users with more messages than are worth holding in memory: signs of vectors and postings in tables.

Chosen by measurement, 100,000 vectors of 384 components: pgvector's HNSW, one index over all users and
filtered by user, held .47 to .79 of the 200 nearest at 27 to 54 ms for a user with half of all vectors, .30
to .42 at 210 ms for one of 1,000, and took 6 ms to add a vector. The signs of the components, compared by
pgvector's Hamming distance among the user's own rows alone, need 48 bytes a vector and no index to keep up;
the best by signs are then scored exactly. Words are scored exactly as in memory.

`users.indexed_seq` tells up to which message the tables reach; later ones are scored exactly too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from habitus.memory.index.bm25 import Collection, Ints, Scored, bm25
from habitus.memory.index.terms import Terms, terms_of
from habitus.memory.storage import reading
from habitus.memory.storage.sql import Connection
from habitus.memory.store import Query
from habitus.retrievers.encoder import Vectors

SIGNS_PER_WANTED = 40
"""Passages that are taken by their signs for each message that is wanted by meaning."""


def bits(vectors: Vectors) -> list[str]:
    """Return the signs of each vector's components as PostgreSQL writes a bit string."""
    return ["".join("1" if positive else "0" for positive in row) for row in (vectors > 0.0).tolist()]


def index_after(connection: Connection, user_id: str, dim: int, limit: int) -> int:
    """Bring the tables forward by up to `limit` messages of a user; return how many these were."""
    row = connection.execute("SELECT indexed_seq FROM users WHERE user_id = ?", (user_id,)).fetchone()
    if row is None:
        return 0
    rows = connection.execute(
        "SELECT f.seq, f.n_terms, f.terms, f.counts, f.vectors FROM features f"
        " WHERE f.user_id = ? AND f.seq > ? ORDER BY f.seq LIMIT ?",
        (user_id, row[0], limit),
    ).fetchall()
    if not rows:
        return 0
    connection.executemany(
        "INSERT INTO passages (user_id, seq, place, signs) VALUES (?, ?, ?, CAST(? AS bit varying))",
        [(user_id, row[0], place, signs) for row in rows for place, signs in enumerate(_signs(row[4], dim))],
    )
    connection.executemany(
        "INSERT INTO postings (user_id, term, seq, count, length) VALUES (?, ?, ?, ?, ?)",
        [
            (user_id, term, row[0], count, row[1])
            for row in rows
            for term, count in zip(_signed(row[2]).tolist(), _counts(row[3]), strict=True)
        ],
    )
    connection.execute("UPDATE users SET indexed_seq = ? WHERE user_id = ?", (rows[-1][0], user_id))
    return len(rows)


def _signs(vectors: bytes, dim: int) -> list[str]:
    return bits(np.frombuffer(vectors, dtype=np.float32).reshape(-1, dim))


def _signed(terms: bytes | npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
    """Hashes of 64 bits as PostgreSQL's numbers, which have a sign."""
    hashes = np.frombuffer(terms, dtype=np.uint64) if isinstance(terms, bytes) else terms
    return hashes.view(np.int64)


def _counts(counts: bytes) -> list[int]:
    found: list[int] = np.frombuffer(counts, dtype=np.uint32).tolist()
    return found


def forget_postings(connection: Connection, user_id: str, seqs: Sequence[int]) -> None:
    """Delete the words of messages; they are about to be deleted, and their signs with them."""
    sql = (
        "SELECT f.seq, f.terms FROM features f JOIN users u USING (user_id)"
        " WHERE f.user_id = ? AND f.seq <= u.indexed_seq AND f.seq IN ({})"
    )
    rows = list(reading.select_in(connection, sql, [user_id], seqs))
    connection.executemany(
        "DELETE FROM postings WHERE user_id = ? AND term = ? AND seq = ?",
        [(user_id, term, seq) for seq, terms in rows for term in _signed(terms).tolist()],
    )


def unindex(connection: Connection, user_id: str) -> None:
    """Empty the tables of a user."""
    for table in ("passages", "postings"):
        connection.execute(f"DELETE FROM {table} WHERE user_id = ?", (user_id,))
    connection.execute("UPDATE users SET indexed_seq = 0 WHERE user_id = ?", (user_id,))


def candidates(
    connection: Connection, user_id: str, query: Query, vector: Vectors
) -> tuple[Ints, Ints, npt.NDArray[np.float64]]:
    """Return what waits to be indexed, the best of the rest, and in how many of these each term occurs."""
    terms = terms_of(query.text)
    rows = connection.execute(
        "SELECT t.seq FROM turns t JOIN users u USING (user_id)"
        " WHERE t.user_id = ? AND t.seq > u.indexed_seq ORDER BY t.seq",
        (user_id,),
    )
    pending = np.array([seq for (seq,) in rows], dtype=np.int64)
    by_words, frequencies = _by_words(connection, user_id, terms, query.limit)
    near = _by_meaning(connection, user_id, vector, query.limit)
    return pending, np.union1d(near, by_words), frequencies


def _by_meaning(connection: Connection, user_id: str, vector: Vectors, limit: int) -> Ints:
    (dim,) = vector.shape
    rows = connection.execute(
        "SELECT seq FROM passages WHERE user_id = ?"
        f" ORDER BY CAST(signs AS bit({dim})) <~> CAST(? AS bit({dim})), seq LIMIT ?",
        (user_id, bits(vector[None, :])[0], limit * SIGNS_PER_WANTED),
    )
    seqs = sorted({seq for (seq,) in rows})
    sql = "SELECT seq, vectors FROM features WHERE user_id = ? AND seq IN ({})"
    found = list(reading.select_in(connection, sql, [user_id], seqs))
    scores = [
        float((np.frombuffer(blob, dtype=np.float32).reshape(-1, dim) @ vector).max()) for _, blob in found
    ]
    return _best(np.array([seq for seq, _ in found], dtype=np.int64), np.array(scores), limit)


def _by_words(
    connection: Connection, user_id: str, terms: Terms, limit: int
) -> tuple[Ints, npt.NDArray[np.float64]]:
    hashes = _signed(terms.hashes).tolist()
    sql = "SELECT term, seq, count, length FROM postings WHERE user_id = ? AND term IN ({})"
    rows: list[tuple[Any, ...]] = list(reading.select_in(connection, sql, [user_id], hashes))
    if not rows:
        return np.empty(0, dtype=np.int64), np.zeros(len(hashes))
    columns = np.array(rows, dtype=np.int64)
    places = {term: place for place, term in enumerate(hashes)}
    seqs, first, documents = np.unique(columns[:, 1], return_index=True, return_inverse=True)
    found = Scored(
        terms=np.array([places[term] for term in columns[:, 0].tolist()], dtype=np.int64),
        documents=documents,
        counts=columns[:, 2].astype(np.float64),
        weights=terms.counts.astype(np.float64),
    )
    totals = reading.totals(connection, user_id)
    statistics = Collection.of(found, totals.n_turns, float(totals.n_terms))
    return _best(seqs, bm25(found, columns[first, 3], statistics), limit), statistics.frequencies


def _best(seqs: Ints, scores: npt.NDArray[np.float64], k: int) -> Ints:
    """Return the numbers with the `k` highest scores; all if there are fewer."""
    return seqs if len(seqs) <= k else seqs[np.argpartition(scores, len(seqs) - k)[len(seqs) - k :]]
