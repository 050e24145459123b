"""What an encoder is, and one that needs no weights."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from habitus.retrievers.analysis import analyze

Vectors = npt.NDArray[np.float32]


class Encoder(Protocol):
    """Turns texts into vectors whose dot product is their cosine similarity."""

    @property
    def fingerprint(self) -> str:
        """Names the vector space: two encoders share it only if their vectors may be compared."""
        ...

    @property
    def dim(self) -> int:
        """Length of a vector."""
        ...

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return vectors of shape `(len(texts), dim)`, float32, each of Euclidean length 1.

        An empty sequence gives shape `(0, dim)`. Safe to call from several threads.
        """
        ...


class HashingEncoder:
    """A bag of hashed stems: needs no weights, is deterministic, and knows no synonyms.

    For tests, and for machines where no weights can be had. Each stem falls on one signed coordinate
    chosen by BLAKE2b (feature hashing, Weinberger et al. 2009); counts are damped by a square root.

    Args:
        dim: length of a vector.
    """

    def __init__(self, dim: int = 256) -> None:
        if dim < 1:
            raise ValueError(f"dim must be at least 1, got {dim!r}")
        self._dim = dim

    @property
    def fingerprint(self) -> str:
        return f"hashing-{self._dim}"

    @property
    def dim(self) -> int:
        return self._dim

    def encode(self, texts: Sequence[str]) -> Vectors:
        vectors = np.zeros((len(texts), self._dim), dtype=np.float32)
        for row, text in zip(vectors, texts, strict=True):
            for term in analyze(text) or [text]:
                digest = int.from_bytes(hashlib.blake2b(term.encode(), digest_size=8).digest(), "little")
                row[(digest >> 1) % self._dim] += 1.0 if digest & 1 else -1.0
            row[:] = np.sign(row) * np.sqrt(np.abs(row))
            norm = float(np.linalg.norm(row))
            if norm == 0.0:  # signs cancelled out
                row[0] = norm = 1.0
            row /= norm
        return vectors
