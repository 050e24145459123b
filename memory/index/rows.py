"""A user's stored turns as they are read, column by column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from habitus.memory.index.terms import Counts, Hashes
from habitus.retrievers.encoder import Vectors

Ints = npt.NDArray[np.int64]


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
            n_terms=np.array(list(map(len, columns[8])), dtype=np.int64) // 4,
            hashes=np.frombuffer(b"".join(columns[7]), dtype=np.uint64),
            counts=np.frombuffer(b"".join(columns[8]), dtype=np.uint32),
            vectors=np.frombuffer(b"".join(columns[9]), dtype=np.float32).reshape(-1, dim),
        )

    def __len__(self) -> int:
        return len(self.seqs)
