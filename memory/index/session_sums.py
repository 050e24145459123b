"""What a user said in each session, as one vector and one length."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from habitus.memory.index.growing import Growing
from habitus.memory.index.products import dots, group_sums
from habitus.retrievers.encoder import Vectors

Ints = npt.NDArray[np.int64]


class SessionSums:
    """Per session the sum of the vectors of the user's turns, or of all turns while there are none."""

    def __init__(self, dim: int) -> None:
        self.rows: dict[str, int] = {}
        self.names: list[str] = []
        self.has_user = Growing(np.bool_)
        self.sums = Growing(np.float32, dim)
        self.norms = Growing(np.float32)
        self.own_lengths = Growing(np.float64)

    def row_of(self, session_ids: list[str]) -> Ints:
        new = [session_id for session_id in dict.fromkeys(session_ids) if session_id not in self.rows]
        n_new = len(new)
        if n_new:
            self.rows.update(zip(new, range(len(self.rows), len(self.rows) + n_new), strict=True))
            self.names += new
            self.has_user.append(np.zeros(n_new, dtype=np.bool_))
            self.sums.append(np.zeros((n_new, self.sums.view.shape[1]), dtype=np.float32))
            self.norms.append(np.ones(n_new, dtype=np.float32))
            self.own_lengths.append(np.zeros(n_new))
        return np.fromiter(map(self.rows.__getitem__, session_ids), dtype=np.int64, count=len(session_ids))

    def add(self, rows: Ints, is_user: npt.NDArray[np.bool_], vectors: Vectors, lengths: Ints) -> None:
        np.add.at(self.own_lengths.view, rows[is_user], lengths[is_user])
        own = np.unique(rows[is_user])
        first = own[~self.has_user.view[own]]
        self.sums.view[first] = 0.0
        self.has_user.view[first] = True
        counted = np.flatnonzero(is_user | ~self.has_user.view[rows])
        order = counted[np.argsort(rows[counted], kind="stable")]
        touched, begins, sizes = np.unique(rows[order], return_index=True, return_counts=True)
        if len(touched):
            self.sums.view[touched] += group_sums(vectors[order], begins, sizes)
            norms = np.linalg.norm(self.sums.view[touched], axis=1)
            self.norms.view[touched] = np.where(norms > 0.0, norms, 1.0)

    def cosine(self, vector: Vectors) -> Vectors:
        scores: Vectors = dots(self.sums.view, vector)
        scores /= self.norms.view
        return scores
