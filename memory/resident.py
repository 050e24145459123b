"""One user's turns in memory, column by column, and exact scores over all of them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from habitus.memory.bm25 import Collection, Postings, Scored, bm25, sums_by
from habitus.memory.store import Candidates
from habitus.memory.terms import Counts, Hashes, Terms
from habitus.retrievers.encoder import Vectors

Ints = npt.NDArray[np.int64]
_BYTES_PER_ID = 120
"""A Python string of 32 characters, its place in a list and its share of a dictionary."""


@dataclass(frozen=True)
class Rows:
    """Stored turns in the order of their sequence numbers, n rows.

    Attributes:
        seqs: shape `(n,)`.
        turn_ids: n ids.
        session_ids: n ids.
        index: shape `(n,)`, place in the session.
        is_user: shape `(n,)`.
        at: shape `(n,)`, seconds since 1970.
        n_passages: shape `(n,)`, at least 1 each.
        vectors: shape `(n_passages.sum(), dim)`.
        n_terms: shape `(n,)`, distinct terms of each turn.
        hashes, counts: shape `(n_terms.sum(),)`.
    """

    seqs: Ints
    turn_ids: list[str]
    session_ids: list[str]
    index: Ints
    is_user: npt.NDArray[np.bool_]
    at: npt.NDArray[np.float64]
    n_passages: Ints
    vectors: Vectors
    n_terms: Ints
    hashes: Hashes
    counts: Counts

    @classmethod
    def from_sql(cls, rows: list[tuple[Any, ...]], dim: int) -> Rows:
        """Build from `(seq, id, session_id, place, is_user, at, n_passages, terms, counts, vectors)`."""
        columns = list(zip(*rows, strict=True)) or [()] * 10
        return cls(
            seqs=np.array(columns[0], dtype=np.int64),
            turn_ids=list(columns[1]),
            session_ids=list(columns[2]),
            index=np.array(columns[3], dtype=np.int64),
            is_user=np.array(columns[4], dtype=np.bool_),
            at=np.array(columns[5], dtype=np.float64) / 1e6,
            n_passages=np.array(columns[6], dtype=np.int64),
            n_terms=np.array([len(counts) // 4 for counts in columns[8]], dtype=np.int64),
            hashes=np.frombuffer(b"".join(columns[7]), dtype=np.uint64),
            counts=np.frombuffer(b"".join(columns[8]), dtype=np.uint32),
            vectors=np.frombuffer(b"".join(columns[9]), dtype=np.float32).reshape(-1, dim),
        )

    def __len__(self) -> int:
        return len(self.seqs)


def dots(rows: Vectors, vector: Vectors) -> Vectors:
    """Return the dot product of each row with a vector, on this thread alone.

    BLAS would spread a millisecond of work over all cores, and waits ten where these are busy.
    """
    products: Vectors = np.einsum("ij,j->i", rows, vector)
    return products


class Growing:
    """An array that grows at its end in amortised constant time per row."""

    def __init__(self, dtype: npt.DTypeLike, width: int | None = None) -> None:
        self._data: npt.NDArray[Any] = np.empty((0,) if width is None else (0, width), dtype=dtype)
        self._n = 0

    def append(self, rows: npt.NDArray[Any]) -> None:
        n = self._n + len(rows)
        if n > len(self._data):
            # The first filling is exact: most users are loaded once and then grow slowly.
            capacity = n if self._n == 0 else max(n, len(self._data) * 5 // 4 + 16)
            grown = np.empty((capacity, *self._data.shape[1:]), dtype=self._data.dtype)
            grown[: self._n] = self._data[: self._n]
            self._data = grown
        self._data[self._n : n] = rows
        self._n = n

    @property
    def view(self) -> npt.NDArray[Any]:
        return self._data[: self._n]

    @property
    def nbytes(self) -> int:
        return self._data.nbytes


class _Sessions:
    """Per session the sum of the vectors of the user's turns, or of all turns while there are none."""

    def __init__(self, dim: int) -> None:
        self.rows: dict[str, int] = {}
        self.has_user = Growing(np.bool_)
        self.sums = Growing(np.float32, dim)
        self.norms = Growing(np.float32)

    def row_of(self, session_ids: list[str]) -> Ints:
        known = len(self.rows)
        found = [self.rows.setdefault(session_id, len(self.rows)) for session_id in session_ids]
        n_new = len(self.rows) - known
        if n_new:
            self.has_user.append(np.zeros(n_new, dtype=np.bool_))
            self.sums.append(np.zeros((n_new, self.sums.view.shape[1]), dtype=np.float32))
            self.norms.append(np.ones(n_new, dtype=np.float32))
        return np.array(found, dtype=np.int64)

    def add(self, rows: Ints, is_user: npt.NDArray[np.bool_], vectors: Vectors) -> None:
        own = np.unique(rows[is_user])
        first = own[~self.has_user.view[own]]
        self.sums.view[first] = 0.0
        self.has_user.view[first] = True
        counted = np.flatnonzero(is_user | ~self.has_user.view[rows])
        order = counted[np.argsort(rows[counted], kind="stable")]
        touched, begins = np.unique(rows[order], return_index=True)
        if len(touched):
            self.sums.view[touched] += np.add.reduceat(vectors[order], begins, axis=0)
            norms = np.linalg.norm(self.sums.view[touched], axis=1)
            self.norms.view[touched] = np.where(norms > 0.0, norms, 1.0)

    def cosine(self, vector: Vectors) -> Vectors:
        scores: Vectors = dots(self.sums.view, vector)
        scores /= self.norms.view
        return scores


class Resident:
    """A user's turns, ready to be scored exactly.

    Not safe for several threads by itself: hold `lock`.

    Args:
        dim: length of a vector.
    """

    def __init__(self, dim: int) -> None:
        self.lock = threading.Lock()
        self._dim = dim
        self._epoch = 0
        self._clear()

    def _clear(self) -> None:
        dim = self._dim
        self.last_seq = 0
        self._turn_ids = Growing(object)
        self._session_ids = Growing(object)
        self._seqs = Growing(np.int64)
        self._session_row = Growing(np.int64)
        self._index = Growing(np.int64)
        self._is_user = Growing(np.bool_)
        self._at = Growing(np.float64)
        self._lengths = Growing(np.int64)
        self._starts = Growing(np.int64)
        self._vectors = Growing(np.float32, dim)
        self._postings = Postings()
        self._sessions = _Sessions(dim)

    def __len__(self) -> int:
        return len(self._index.view)

    @property
    def nbytes(self) -> int:
        """About how much memory it takes."""
        numbers = (self._session_row, self._index, self._is_user, self._at, self._lengths, self._starts)
        arrays = (*numbers, self._seqs, self._vectors, self._sessions.sums)
        return sum(array.nbytes for array in arrays) + self._postings.nbytes + len(self) * 2 * _BYTES_PER_ID

    def enter(self, epoch: int) -> None:
        """Forget everything if turns were deleted since it was read.

        Args:
            epoch: of the user, read in the transaction in which newer turns are going to be read.
        """
        if epoch != self._epoch:
            self._clear()
            self._epoch = epoch

    def append(self, rows: Rows) -> None:
        """Add turns that are newer than all it holds."""
        if not len(rows):
            return
        first_turn, first_passage = len(self), len(self._vectors.view)
        begins = np.cumsum(rows.n_passages) - rows.n_passages
        ends = np.concatenate([[0], np.cumsum(rows.counts, dtype=np.int64)])
        until = np.cumsum(rows.n_terms)
        session_row = self._sessions.row_of(rows.session_ids)
        means = np.add.reduceat(rows.vectors, begins, axis=0)
        means /= rows.n_passages[:, None]
        self._sessions.add(session_row, rows.is_user, means)
        self._seqs.append(rows.seqs)
        self._turn_ids.append(np.array(rows.turn_ids, dtype=object))
        self._session_ids.append(np.array(rows.session_ids, dtype=object))
        self._session_row.append(session_row)
        self._index.append(rows.index)
        self._is_user.append(rows.is_user)
        self._at.append(rows.at)
        self._lengths.append(ends[until] - ends[until - rows.n_terms])
        self._starts.append(first_passage + begins)
        self._vectors.append(rows.vectors)
        turns = np.arange(first_turn, first_turn + len(rows), dtype=np.int64)
        self._postings.append(rows.hashes, np.repeat(turns, rows.n_terms), rows.counts)
        self.last_seq = int(rows.seqs[-1])

    def search(
        self,
        vector: Vectors,
        terms: Terms,
        *,
        not_session: str | None = None,
        only: Iterable[int] | None = None,
        turns: Collection | None = None,
        sessions: Collection | None = None,
    ) -> Candidates:
        """Score every turn.

        Args:
            vector: shape `(dim,)`, length 1.
            terms: of the query.
            not_session: a session whose turns are left out of the result.
            only: sequence numbers of the turns wanted; None is all, and the result is complete.
            turns: statistics of the collection of turns, where this holds only a part of it.
            sessions: the same for sessions.
        """
        found = self._postings.find(terms)
        lengths, is_user, session_row = self._lengths.view, self._is_user.view, self._session_row.view
        arms = {
            "cosine": self._cosine(vector),
            "bm25": bm25(found, lengths, turns),
            "session_cosine": self._sessions.cosine(vector)[session_row],
            "session_bm25": self._session_bm25(found, sessions)[session_row],
        }
        keep = np.ones(len(self), dtype=np.bool_)
        if not_session is not None and not_session in self._sessions.rows:
            keep &= session_row != self._sessions.rows[not_session]
        if only is not None:
            keep &= np.isin(self._seqs.view, np.fromiter(only, dtype=np.int64))
        return Candidates(
            turn_ids=self._turn_ids.view[keep].tolist(),
            session_ids=self._session_ids.view[keep].tolist(),
            index=self._index.view[keep],
            is_user=is_user[keep],
            at=self._at.view[keep],
            arms={name: scores[keep].astype(np.float32, copy=False) for name, scores in arms.items()},
            complete=only is None,
        )

    def frequencies(self, terms: Terms, seqs: Ints) -> npt.NDArray[np.float64]:
        """Return shape `(n_terms,)`: in how many of the turns with these numbers each term occurs."""
        found = self._postings.find(terms)
        counted = np.isin(self._seqs.view[found.documents], seqs)
        return np.bincount(found.terms[counted], minlength=len(terms.hashes)).astype(np.float64)

    def _cosine(self, vector: Vectors) -> Vectors:
        if not len(self):
            return np.empty(0, dtype=np.float32)
        scores = dots(self._vectors.view, vector)
        if len(scores) == len(self):
            return scores
        best: Vectors = np.maximum.reduceat(scores, self._starts.view)
        return best

    def _session_bm25(self, found: Scored, statistics: Collection | None) -> npt.NDArray[np.float64]:
        """Score each session as the document of the user's own turns in it, joined."""
        n_sessions = len(self._sessions.rows)
        is_user, session_row = self._is_user.view, self._session_row.view
        own = is_user[found.documents]
        key = found.terms[own] * n_sessions + session_row[found.documents[own]]
        table = sums_by(key, found.counts[own], len(found.weights) * n_sessions)
        hits = np.flatnonzero(table)
        lengths = sums_by(session_row[is_user], self._lengths.view[is_user], n_sessions)
        joined = Scored(
            terms=hits // max(n_sessions, 1),
            documents=hits % max(n_sessions, 1),
            counts=table[hits],
            weights=found.weights,
        )
        if statistics is None:
            n_own = int(np.count_nonzero(self._sessions.has_user.view))
            statistics = Collection.of(joined, n_own, float(lengths.sum()))
        return bm25(joined, lengths, statistics)


class ResidentCache:
    """The users searched last, bounded by bytes.

    Args:
        max_bytes: bound on the sum of `Resident.nbytes`.
        dim: length of a vector.
    """

    def __init__(self, max_bytes: int, dim: int) -> None:
        self._max_bytes = max_bytes
        self._dim = dim
        self._lock = threading.Lock()
        self._residents: OrderedDict[str, Resident] = OrderedDict()
        self._sizes: dict[str, int] = {}

    def get(self, user_id: str) -> Resident:
        """Return the user's resident, an empty one at first."""
        with self._lock:
            if user_id not in self._residents:
                self._residents[user_id] = Resident(self._dim)
                self._sizes[user_id] = 0
            self._residents.move_to_end(user_id)
            return self._residents[user_id]

    def settle(self, user_id: str, resident: Resident) -> None:
        """Count a resident's present size, and drop those longest unused until all fit."""
        with self._lock:
            if self._residents.get(user_id) is not resident:
                return
            self._sizes[user_id] = resident.nbytes
            while sum(self._sizes.values()) > self._max_bytes:
                oldest, _ = self._residents.popitem(last=False)
                del self._sizes[oldest]

    def drop(self, user_id: str) -> None:
        """Let go of a user's memory."""
        with self._lock:
            self._residents.pop(user_id, None)
            self._sizes.pop(user_id, None)

    @property
    def nbytes(self) -> int:
        """Sum of the sizes of the residents held."""
        with self._lock:
            return sum(self._sizes.values())

    @property
    def users(self) -> list[str]:
        """The users held, longest unused first."""
        with self._lock:
            return list(self._residents)
