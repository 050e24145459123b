"""The present session in memory: its turns, searched exactly, and the window that goes into a prompt."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

import numpy as np

from habitus.memory.errors import InvalidInputError
from habitus.memory.index.products import dots
from habitus.memory.records import Turn
from habitus.memory.store import Candidates
from habitus.retrievers.analysis import analyze
from habitus.retrievers.bm25 import BM25
from habitus.retrievers.encoder import Vectors

CountTokens = Callable[[str], int]
ReadVectors = Callable[[Sequence[str]], Mapping[str, Vectors]]

_TURN_BYTES, _TERM_BYTES = 3_000, 60
"""What a record, and a word of it, take around their letters; measured with the process's memory."""


class ShortTermMemory:
    """Turns of one session of one user, the newest that fit a budget.

    Turns over the budget leave memory, oldest first; the store keeps them. The newest turn stays even
    if it alone is over the budget. Safe to call from several threads.

    Args:
        max_tokens: budget of all turns held, at least 1.
        count_tokens: length of a text in tokens.
        turns: to begin with, such as those of the store after a crash, in any order.
        read_vectors: takes ids of turns and returns their vectors by id, each of shape
            `(n_passages, dim)`; asked only for the turns that fit.

    Raises:
        InvalidInputError: turns of several sessions or users, or vectors missing or misshapen.
    """

    def __init__(
        self,
        max_tokens: int,
        count_tokens: CountTokens,
        turns: Iterable[Turn] = (),
        read_vectors: ReadVectors | None = None,
    ) -> None:
        if max_tokens < 1:
            raise InvalidInputError(f"max_tokens must be at least 1, got {max_tokens!r}")
        self._max_tokens = max_tokens
        self._count_tokens = count_tokens
        self._lock = threading.RLock()
        self._turns: list[Turn] = []
        self._vectors: list[Vectors] = []
        self._sizes: list[int] = []
        self._terms: list[list[str]] = []
        self._ranker: BM25 | None = None
        self._read(sorted(turns, key=lambda turn: turn.index), read_vectors)

    def _read(self, turns: Sequence[Turn], read_vectors: ReadVectors | None) -> None:
        first = len(turns)
        left = self._max_tokens
        while first and (left := left - self._count_tokens(turns[first - 1].text)) >= 0:
            first -= 1
        kept = turns[first:] or turns[-1:]
        vectors = read_vectors([turn.id for turn in kept]) if read_vectors and kept else {}
        for turn in kept:
            if turn.id not in vectors:
                raise InvalidInputError(f"the vectors of turn {turn.id!r} are missing")
            self.add(turn, vectors[turn.id])

    def add(self, turn: Turn, vectors: Vectors) -> None:
        """Add the next turn; one with a known id takes the place of the old one.

        Args:
            turn: later in the session than all held.
            vectors: shape `(n_passages, dim)`, each of length 1.

        Raises:
            InvalidInputError: the turn is of another session or not the latest, or `vectors` has
                another shape.
        """
        with self._lock:
            self._check(turn, vectors)
            known = next((place for place, held in enumerate(self._turns) if held.id == turn.id), None)
            held = slice(len(self._turns), None) if known is None else slice(known, known + 1)
            self._turns[held] = [turn]
            self._vectors[held] = [np.ascontiguousarray(vectors, dtype=np.float32)]
            self._sizes[held] = [self._count_tokens(turn.text)]
            self._terms[held] = [analyze(turn.text)]
            n_tokens, n_gone = sum(self._sizes), 0
            while n_tokens > self._max_tokens and n_gone < len(self._turns) - 1:
                n_tokens -= self._sizes[n_gone]
                n_gone += 1
            if n_gone:
                del self._turns[:n_gone], self._vectors[:n_gone]
                del self._sizes[:n_gone], self._terms[:n_gone]
            self._ranker = None

    def _check(self, turn: Turn, vectors: Vectors) -> None:
        if vectors.ndim != 2 or not len(vectors):
            raise InvalidInputError(f"vectors must have shape (n_passages, dim), got {vectors.shape}")
        if not self._turns:
            return
        last = self._turns[-1]
        if (turn.user_id, turn.session_id) != (last.user_id, last.session_id):
            raise InvalidInputError(f"turn {turn.id!r} is not of session {last.session_id!r}")
        if vectors.shape[1] != self._vectors[-1].shape[1]:
            raise InvalidInputError(
                f"vectors must have {self._vectors[-1].shape[1]} columns, got {vectors.shape[1]}"
            )
        if turn.index <= last.index and all(held.id != turn.id for held in self._turns):
            raise InvalidInputError(f"turn {turn.index} comes after turn {last.index} in its session")

    def discard(self, turn_ids: Collection[str]) -> None:
        """Let go of turns that were forgotten; ids that are not held are passed over."""
        with self._lock:
            kept = [place for place, held in enumerate(self._turns) if held.id not in turn_ids]
            self._turns = [self._turns[place] for place in kept]
            self._vectors = [self._vectors[place] for place in kept]
            self._sizes = [self._sizes[place] for place in kept]
            self._terms = [self._terms[place] for place in kept]
            self._ranker = None

    @property
    def turns(self) -> list[Turn]:
        """The turns held, oldest first."""
        with self._lock:
            return list(self._turns)

    @property
    def n_tokens(self) -> int:
        """Length of the turns held."""
        with self._lock:
            return sum(self._sizes)

    @property
    def nbytes(self) -> int:
        """About what it takes in memory: vectors, words, and what stands around a record."""
        with self._lock:
            n_terms = sum(map(len, self._terms))
            return (
                sum(one.nbytes for one in self._vectors)
                + n_terms * _TERM_BYTES
                + len(self._turns) * _TURN_BYTES
            )

    def window(self, budget: int) -> list[Turn]:
        """Return the most recent turns that fit, oldest first; no turn is skipped or cut.

        Args:
            budget: in tokens; the list is empty when the newest turn alone is longer.
        """
        with self._lock:
            first = len(self._turns)
            while first and self._sizes[first - 1] <= budget:
                first -= 1
                budget -= self._sizes[first]
            return self._turns[first:]

    def search(self, text: str, vector: Vectors) -> Candidates:
        """Score all turns held.

        The session arms are absent: there is one session only.

        Args:
            text: the query's words.
            vector: the query's, shape `(dim,)`, length 1.
        """
        with self._lock:
            turns = list(self._turns)
            if self._ranker is None:
                self._ranker = BM25(self._terms)
            lexical = self._ranker.scores(text)
            cosine = self._cosine(np.asarray(vector, dtype=np.float32))
        return Candidates(
            turn_ids=[turn.id for turn in turns],
            session_ids=[turn.session_id for turn in turns],
            index=np.array([turn.index for turn in turns], dtype=np.int64),
            is_user=np.array([turn.role == "user" for turn in turns], dtype=np.bool_),
            at=np.array([turn.at.timestamp() for turn in turns], dtype=np.float64),
            arms={"cosine": cosine, "bm25": lexical},
            complete=True,
        )

    def _cosine(self, vector: Vectors) -> Vectors:
        if not self._vectors:
            return np.empty(0, dtype=np.float32)
        sizes = np.array([len(vectors) for vectors in self._vectors])
        scores = dots(np.concatenate(self._vectors), vector)
        best: Vectors = np.maximum.reduceat(scores, np.cumsum(sizes) - sizes)
        return best
