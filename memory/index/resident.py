"""One user's turns in memory, column by column, and exact scores over all of them."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from habitus.memory.index.bm25 import Collection, Postings, Scored, bm25, sums_by
from habitus.memory.index.growing import Growing
from habitus.memory.index.products import dots, dots_at, group_sums
from habitus.memory.index.rows import Rows
from habitus.memory.index.session_sums import SessionSums
from habitus.memory.index.signs import Signs
from habitus.memory.index.terms import Terms
from habitus.memory.store import Candidates, Layout
from habitus.retrievers.encoder import Vectors

Ints = npt.NDArray[np.int64]

COMPLETE_LIMIT = 20_000
"""Of users with at most so many turns every turn is scored by its exact cosine; of larger ones the best."""

_RESCORED_PER_WANTED = 40
"""Passages whose exact cosine is computed, for each that is wanted; see `Signs` for what is missed."""

_BYTES_PER_ID = 120
"""A Python string of 32 characters and its place in an array."""

_BYTES_PER_ROW = 110
"""The share of a turn in the dictionary of rows: its entry and a number."""


def _top(rows: Ints, scores: npt.NDArray[Any], k: int) -> Ints:
    """Return the rows of the `k` highest scores; all if there are fewer."""
    return rows if len(rows) <= k else rows[np.argpartition(scores, len(rows) - k)[len(rows) - k :]]


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
        self._rows: dict[str, int] = {}
        self._turn_ids = Growing(object)
        self._session_ids = Growing(object)
        self._seqs = Growing(np.int64)
        self._session_row = Growing(np.int64)
        self._own_session = Growing(np.int64)
        self._index = Growing(np.int64)
        self._is_user = Growing(np.bool_)
        self._at = Growing(np.float64)
        self._lengths = Growing(np.int64)
        self._starts = Growing(np.int64)
        self._vectors = Growing(np.float32, dim)
        self._signs = Signs(dim)
        self._postings = Postings()
        self._sessions = SessionSums(dim)

    def __len__(self) -> int:
        return len(self._index)

    @property
    def nbytes(self) -> int:
        """About how much memory it takes."""
        numbers = (
            self._session_row,
            self._own_session,
            self._index,
            self._is_user,
            self._at,
            self._lengths,
            self._starts,
        )
        arrays = (*numbers, self._seqs, self._vectors, self._signs, self._sessions.sums)
        return (
            sum(array.nbytes for array in arrays)
            + self._postings.nbytes
            + len(self) * (2 * _BYTES_PER_ID + _BYTES_PER_ROW)
        )

    def enter(self, epoch: int) -> None:
        """Forget everything if turns were deleted since it was read.

        Args:
            epoch: of the user, read in the transaction in which newer turns are going to be read.
        """
        if epoch != self._epoch:
            self._clear()
            self._epoch = epoch

    def reserve(self, n_passages: int) -> None:
        """Make room for so many passages in all."""
        self._vectors.reserve(n_passages)

    def append(self, rows: Rows) -> None:
        """Add turns that are newer than all it holds."""
        if not len(rows):
            return
        first_turn, first_passage = len(self), len(self._vectors)
        begins = np.cumsum(rows.n_passages) - rows.n_passages
        ends = np.concatenate([[0], np.cumsum(rows.counts, dtype=np.int64)])
        until = np.cumsum(rows.n_terms)
        session_row = self._sessions.row_of(rows.session_ids)
        means = group_sums(rows.vectors, begins, rows.n_passages)
        means /= rows.n_passages[:, None]
        lengths = ends[until] - ends[until - rows.n_terms]
        self._sessions.add(session_row, rows.is_user, means, lengths)
        self._seqs.append(rows.seqs)
        self._rows.update(zip(rows.turn_ids, range(first_turn, first_turn + len(rows)), strict=True))
        self._turn_ids.append(np.array(rows.turn_ids, dtype=object))
        self._session_ids.append(np.array(rows.session_ids, dtype=object))
        self._session_row.append(session_row)
        self._own_session.append(np.where(rows.is_user, session_row + 1, 0))
        self._index.append(rows.index)
        self._is_user.append(rows.is_user)
        self._at.append(rows.at)
        self._lengths.append(lengths)
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
        limit: int | None = None,
        only: Iterable[int] | None = None,
        turns: Collection | None = None,
        sessions: Collection | None = None,
    ) -> Candidates:
        """Score every turn, or the best of very many.

        Args:
            vector: shape `(dim,)`, length 1.
            terms: of the query.
            limit: how many turns are wanted at least by cosine and by words where there are more than
                `COMPLETE_LIMIT`; None is all of them.
            only: sequence numbers of the turns wanted; None is all.
            turns: statistics of the collection of turns, where this holds only a part of it.
            sessions: the same for sessions.
        """
        found = self._postings.find(terms)
        words = bm25(found, self._lengths.view, turns)
        keep = self._kept(only)
        if limit is None or len(self) <= COMPLETE_LIMIT:
            rows, complete = np.flatnonzero(keep), only is None
            cosine = self._cosine(vector)[rows]
        else:
            rows, complete = self._best(vector, words, keep, limit), False
            cosine = self._cosine_of(rows, vector)
        session_row = self._session_row.view[rows]
        arms = {
            "cosine": cosine,
            "bm25": words[rows],
            "session_cosine": self._sessions.cosine(vector)[session_row],
            "session_bm25": self._session_bm25(found, sessions)[session_row],
        }
        return Candidates(
            turn_ids=self._turn_ids.view[rows].tolist(),
            session_ids=self._session_ids.view[rows].tolist(),
            index=self._index.view[rows],
            is_user=self._is_user.view[rows],
            at=self._at.view[rows],
            arms={name: scores.astype(np.float32, copy=False) for name, scores in arms.items()},
            complete=complete,
            layout=self._layout if complete else None,
        )

    @property
    def _layout(self) -> Layout:
        return Layout(rows=self._rows, session_ids=self._sessions.names, sessions=self._session_row.view)

    def _kept(self, only: Iterable[int] | None) -> npt.NDArray[np.bool_]:
        keep = np.ones(len(self), dtype=np.bool_)
        if only is not None:
            keep &= np.isin(self._seqs.view, np.fromiter(only, dtype=np.int64))
        return keep

    def _best(
        self, vector: Vectors, words: npt.NDArray[np.float64], keep: npt.NDArray[np.bool_], limit: int
    ) -> Ints:
        """Return the rows of the best `limit` turns by cosine and the best `limit` by words, ascending."""
        # Made when first needed: most users never have so many turns.
        self._signs.append(self._vectors.view[len(self._signs) :])
        passages = self._signs.nearest(vector, limit * _RESCORED_PER_WANTED)
        scores = dots_at(self._vectors.view, passages, vector)
        turns = np.searchsorted(self._starts.view, passages, side="right") - 1
        near, begins = np.unique(turns, return_index=True)
        best: Vectors = np.maximum.reduceat(scores, begins)
        by_meaning = _top(near[keep[near]], best[keep[near]], limit)
        hits = np.flatnonzero(keep & (words > 0.0))
        return np.union1d(by_meaning, _top(hits, words[hits], limit))

    def _cosine_of(self, rows: Ints, vector: Vectors) -> Vectors:
        begins = self._starts.view[rows]
        ends = np.append(self._starts.view, len(self._vectors))[rows + 1]
        sizes = ends - begins
        offsets = np.cumsum(sizes) - sizes
        passages = np.repeat(begins - offsets, sizes) + np.arange(sizes.sum())
        best: Vectors = np.maximum.reduceat(dots_at(self._vectors.view, passages, vector), offsets)
        return best

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
        width = len(self._sessions.rows) + 1
        key = found.terms * width + self._own_session.view[found.documents]
        table = sums_by(key, found.counts, len(found.weights) * width)
        # The first column gathers what the assistant said.
        table[::width] = 0.0
        hits = np.flatnonzero(table)
        lengths = self._sessions.own_lengths.view
        joined = Scored(
            terms=hits // width,
            documents=hits % width - 1,
            counts=table[hits],
            weights=found.weights,
        )
        if statistics is None:
            n_own = int(np.count_nonzero(self._sessions.has_user.view))
            statistics = Collection.of(joined, n_own, float(lengths.sum()))
        return bm25(joined, lengths, statistics)
