"""A turn's analysed words as two arrays: what lexical scoring needs, without the words."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from habitus.retrievers.analysis import analyze

Hashes = npt.NDArray[np.uint64]
Counts = npt.NDArray[np.uint32]


@dataclass(frozen=True)
class Terms:
    """The distinct terms of a text.

    Attributes:
        hashes: shape `(n_terms,)`, 64 bits of BLAKE2b of each term, ascending.
        counts: shape `(n_terms,)`, how often each occurs; their sum is the length of the text.
    """

    hashes: Hashes
    counts: Counts

    @property
    def length(self) -> int:
        return int(self.counts.sum())


@lru_cache(maxsize=65_536)
def hash_term(term: str) -> int:
    """Return 64 bits that stand for a term; two terms of one user share them about never."""
    return int.from_bytes(hashlib.blake2b(term.encode(), digest_size=8).digest(), "little")


def count_terms(terms: Iterable[str]) -> Terms:
    """Count terms that are already analysed."""
    counts = sorted(Counter(map(hash_term, terms)).items())
    return Terms(
        np.fromiter((term for term, _ in counts), dtype=np.uint64, count=len(counts)),
        np.fromiter((count for _, count in counts), dtype=np.uint32, count=len(counts)),
    )


def terms_of(text: str) -> Terms:
    """Analyse a text and count its terms; a text without words has none."""
    return count_terms(analyze(text))
