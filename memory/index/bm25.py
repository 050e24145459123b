"""Okapi BM25 over postings in numpy arrays, with the statistics of one user's own words.

`score = sum over terms of qtf * idf * tf (k1 + 1) / (tf + k1 (1 - b + b length / mean length))`, with
`idf = log(1 + (N - df + 0.5) / (df + 0.5))`, which is positive on collections of any size (Robertson
and Zaragoza 2009; the IDF is Lucene's).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from habitus.memory.index.terms import Counts, Hashes, Terms

K1 = 1.2
B = 0.75

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_MERGE_AT = 4_096


@dataclass(frozen=True)
class Scored:
    """The postings of a query's terms, n of them.

    Attributes:
        terms: shape `(n,)`, which term of the query.
        documents: shape `(n,)`, row of the document.
        counts: shape `(n,)`, how often the document holds the term.
        weights: shape `(n_query_terms,)`, how often the query holds each.
    """

    terms: Ints
    documents: Ints
    counts: npt.NDArray[np.float64]
    weights: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Collection:
    """Statistics that BM25 needs of the whole collection.

    Attributes:
        n_documents: how many there are.
        mean_length: of a document, in terms.
        frequencies: shape `(n_query_terms,)`, in how many documents each term occurs.
    """

    n_documents: int
    mean_length: float
    frequencies: npt.NDArray[np.float64]

    @classmethod
    def of(cls, found: Scored, n_documents: int, total_length: float) -> Collection:
        frequencies = np.bincount(found.terms, minlength=len(found.weights)).astype(np.float64)
        return cls(n_documents, total_length / max(n_documents, 1), frequencies)

    @property
    def idf(self) -> Floats:
        rest = np.maximum(self.n_documents - self.frequencies, 0.0)
        return np.log1p((rest + 0.5) / (self.frequencies + 0.5))


def sums_by(keys: Ints, values: npt.NDArray[np.generic], n: int) -> Floats:
    """Return shape `(n,)`: for each key the sum of its values."""
    return np.bincount(keys, weights=values, minlength=n).astype(np.float64, copy=False)


def bm25(found: Scored, lengths: npt.NDArray[np.generic], statistics: Collection | None = None) -> Floats:
    """Score all documents.

    Args:
        found: postings of the query's terms.
        lengths: shape `(n_documents,)`, terms in each document.
        statistics: of the collection; None when these documents are all of it.

    Returns:
        Shape `(n_documents,)`, 0 and up.
    """
    n = len(lengths)
    if statistics is None:
        statistics = Collection.of(found, n, float(np.sum(lengths)))
    relative = lengths[found.documents].astype(np.float64) / max(statistics.mean_length, 1e-9)
    saturated = found.counts * (K1 + 1.0) / (found.counts + K1 * (1.0 - B + B * relative))
    weights = (found.weights * statistics.idf)[found.terms]
    return sums_by(found.documents, weights * saturated, n)


def _ascending(hashes: Hashes) -> Ints:
    """Return the order that sorts hashes, those that are equal by their places.

    Sorting numbers takes a twentieth of finding their order, so each hash has its last bits, which hardly
    matter to the order, replaced by its place. Of 100,000 terms, two share all the bits before with a
    chance of one in a thousand; then the order is found the long way.
    """
    n = len(hashes)
    bits = np.uint64(n.bit_length())
    keys = (hashes >> bits << bits) | np.arange(n, dtype=np.uint64)
    keys.sort()
    order = (keys & ((np.uint64(1) << bits) - np.uint64(1))).astype(np.int64)
    ordered = hashes[order]
    return order if np.all(ordered[1:] >= ordered[:-1]) else np.argsort(hashes, kind="stable")


class Postings:
    """An inverted index that grows: a sorted part, and a short tail that is searched in full."""

    def __init__(self) -> None:
        self._vocabulary: Hashes = np.empty(0, dtype=np.uint64)
        self._begins: Ints = np.zeros(1, dtype=np.int64)
        self._documents: npt.NDArray[np.int32] = np.empty(0, dtype=np.int32)
        self._counts: Counts = np.empty(0, dtype=np.uint32)
        self._tail: list[tuple[Hashes, npt.NDArray[np.int32], Counts]] = []
        self._n_tail = 0

    @property
    def nbytes(self) -> int:
        sorted_part = (self._vocabulary, self._begins, self._documents, self._counts)
        return sum(array.nbytes for array in sorted_part) + 16 * self._n_tail

    def append(self, hashes: Hashes, documents: Ints, counts: Counts) -> None:
        """Add postings of documents that are newer than all it holds; all arrays have one shape."""
        self._tail.append((hashes, documents.astype(np.int32), counts))
        self._n_tail += len(hashes)

    def _flat_tail(self) -> tuple[Hashes, npt.NDArray[np.int32], Counts]:
        if len(self._tail) > 1:
            hashes, documents, counts = zip(*self._tail, strict=True)
            self._tail = [(np.concatenate(hashes), np.concatenate(documents), np.concatenate(counts))]
        return self._tail[0]

    def _merge(self) -> None:
        hashes, documents, counts = self._flat_tail()
        if len(self._documents):
            hashes = np.concatenate([np.repeat(self._vocabulary, np.diff(self._begins)), hashes])
            documents = np.concatenate([self._documents, documents])
            counts = np.concatenate([self._counts, counts])
        order = _ascending(hashes)
        self._documents, self._counts = documents[order], counts[order]
        ordered = hashes[order]
        begins = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
        self._vocabulary = ordered[begins]
        self._begins = np.append(begins, len(ordered)).astype(np.int64)
        self._tail, self._n_tail = [], 0

    def find(self, query: Terms) -> Scored:
        """Return the postings of the query's terms."""
        # Not when they are added: a user who is read in many parts is sorted once.
        if self._n_tail > max(_MERGE_AT, len(self._documents) // 8):
            self._merge()
        terms: list[Ints] = []
        documents: list[npt.NDArray[np.int32]] = []
        counts: list[Counts] = []
        for term, place in enumerate(np.searchsorted(self._vocabulary, query.hashes)):
            if place < len(self._vocabulary) and self._vocabulary[place] == query.hashes[term]:
                span = slice(self._begins[place], self._begins[place + 1])
                documents.append(self._documents[span])
                counts.append(self._counts[span])
                terms.append(np.full(len(documents[-1]), term, dtype=np.int64))
        if self._tail and len(query.hashes):
            hashes, tail_documents, tail_counts = self._flat_tail()
            place = np.minimum(np.searchsorted(query.hashes, hashes), len(query.hashes) - 1)
            hit = query.hashes[place] == hashes
            terms.append(place[hit])
            documents.append(tail_documents[hit])
            counts.append(tail_counts[hit])
        return Scored(
            terms=np.concatenate(terms) if terms else np.empty(0, dtype=np.int64),
            documents=np.concatenate(documents).astype(np.int64) if terms else np.empty(0, dtype=np.int64),
            counts=np.concatenate(counts).astype(np.float64) if terms else np.empty(0, dtype=np.float64),
            weights=query.counts.astype(np.float64),
        )
