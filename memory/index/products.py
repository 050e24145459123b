"""Products and sums of vectors, computed on the calling thread alone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from habitus.retrievers.encoder import Vectors

Ints = npt.NDArray[np.int64]

_ROWS_AT_ONCE = 256
_LARGE_GROUP = 64


def dots(rows: Vectors, vector: Vectors) -> Vectors:
    """Return the dot product of each row with a vector, on this thread alone.

    BLAS would spread a millisecond of work over all cores, and waits ten where these are busy; its other
    threads then spin for a while (a turn took 85 ms of processor time in place of 47).
    """
    products: Vectors = np.einsum("ij,j->i", rows, vector)
    return products


def all_dots(rows: Vectors, others: Vectors) -> Vectors:
    """Return the dot product of each row with each of the others, shape `(n_rows, n_others)`."""
    products: Vectors = np.einsum("ik,jk->ij", rows, others)
    return products


def dots_at(rows: Vectors, places: Ints, vector: Vectors) -> Vectors:
    """Return the dot products of some of the rows with a vector.

    A few at a time, in one small piece of memory: fresh pages for thousands of rows cost more than the
    products.
    """
    products = np.empty(len(places), dtype=np.float32)
    piece = np.empty((min(_ROWS_AT_ONCE, len(places)), rows.shape[1]), dtype=np.float32)
    for begin in range(0, len(places), _ROWS_AT_ONCE):
        some = places[begin : begin + _ROWS_AT_ONCE]
        # `raise`, the default, would copy through a buffer; the places are known to exist.
        np.take(rows, some, axis=0, out=piece[: len(some)], mode="clip")
        products[begin : begin + len(some)] = dots(piece[: len(some)], vector)
    return products


def group_sums(rows: Vectors, begins: Ints, sizes: Ints) -> Vectors:
    """Return the sum of each group of consecutive rows, none of them empty.

    Adds the first rows of all groups, then the second ones, and so on: `np.add.reduceat` takes eight times
    as long on groups of a few long rows.
    """
    if not len(sizes) or sizes.max() > _LARGE_GROUP:
        sums: Vectors = np.add.reduceat(rows, begins, axis=0) if len(begins) else rows[:0].copy()
        return sums
    sums = rows[begins]
    for place in range(1, int(sizes.max())):
        longer = np.flatnonzero(sizes > place)
        sums[longer] += rows[begins[longer] + place]
    return sums
