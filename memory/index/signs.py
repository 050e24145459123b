"""A first look at many vectors: which may be near, by the signs of their components alone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from habitus.memory.index.growing import Growing
from habitus.retrievers.encoder import Vectors

_WORD_BITS = 64

Rows = npt.NDArray[np.int64]


class Signs:
    """One bit per component of each vector.

    The share of components whose signs differ grows with the angle between two vectors (Charikar 2002,
    for random hyperplanes; here the planes are the axes of the encoder). 48 bytes stand for a vector of
    384 components, so a look at 200,000 of them costs half a millisecond where all products cost ten.
    Of 82,000 MiniLM vectors, the 4,000 nearest by signs hold .993 of the 200 nearest by cosine, the
    8,000 nearest .9985, and all of the ten nearest.

    Args:
        dim: length of a vector.
    """

    def __init__(self, dim: int) -> None:
        # A column for each 64 components: adding whole columns is ten times as fast as adding along rows.
        self._columns = [Growing(np.uint64) for _ in range(-(-dim // _WORD_BITS))]

    def __len__(self) -> int:
        return len(self._columns[0])

    @property
    def nbytes(self) -> int:
        return sum(column.nbytes for column in self._columns)

    def append(self, vectors: Vectors) -> None:
        """Add vectors, shape `(n, dim)`."""
        for column, words in zip(self._columns, self._words(vectors).T, strict=True):
            column.append(words)

    def _words(self, vectors: Vectors) -> npt.NDArray[np.uint64]:
        packed = np.packbits(vectors > 0.0, axis=1)
        padded = np.zeros((len(vectors), len(self._columns) * _WORD_BITS // 8), dtype=np.uint8)
        padded[:, : packed.shape[1]] = packed
        return padded.view(np.uint64)

    def nearest(self, vector: Vectors, k: int) -> Rows:
        """Return the rows of the `k` vectors with the most signs in common, ascending, and of their equals.

        Args:
            vector: shape `(dim,)`.
            k: how many, at least 1; all if there are fewer.
        """
        n = len(self)
        if k >= n:
            return np.arange(n, dtype=np.int64)
        differing = np.zeros(n, dtype=np.uint16)
        for column, word in zip(self._columns, self._words(vector[None, :])[0], strict=True):
            differing += np.bitwise_count(column.view ^ word)
        # There are few different counts, so counting them is faster than partitioning.
        within = np.cumsum(np.bincount(differing))
        return np.flatnonzero(differing <= np.searchsorted(within, k))
