"""Arrays that grow at their end."""

from __future__ import annotations

from math import prod
from mmap import ACCESS_COPY, mmap
from typing import Any

import numpy as np
import numpy.typing as npt

_OWN_PAGES_BYTES = 2**16
"""Arrays of so many bytes have pages of their own."""


def _room(shape: tuple[int, ...], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """Return an array whose contents do not matter.

    A large one goes back to the system whole when nobody holds it. On the heap, arrays of ever other sizes
    leave gaps that fit nobody, and a process whose users change all day keeps growing.
    """
    n_bytes = prod(shape) * dtype.itemsize
    if n_bytes < _OWN_PAGES_BYTES or dtype.hasobject:
        return np.empty(shape, dtype=dtype)
    return np.frombuffer(mmap(-1, n_bytes, access=ACCESS_COPY), dtype=dtype).reshape(shape)


class Growing:
    """An array that grows at its end in amortised constant time per row."""

    def __init__(self, dtype: npt.DTypeLike, width: int | None = None) -> None:
        self._data: npt.NDArray[Any] = np.empty((0,) if width is None else (0, width), dtype=dtype)
        self._n = 0

    def append(self, rows: npt.NDArray[Any]) -> None:
        n = self._n + len(rows)
        if n > len(self._data):
            # The first filling is exact: most users are loaded once and then grow slowly.
            self.reserve(n if self._n == 0 else max(n, len(self._data) * 5 // 4 + 16))
        self._data[self._n : n] = rows
        self._n = n

    def reserve(self, n_rows: int) -> None:
        """Make room for `n_rows` in all, so that appending up to them copies nothing."""
        if n_rows <= len(self._data):
            return
        grown = _room((n_rows, *self._data.shape[1:]), self._data.dtype)
        grown[: self._n] = self._data[: self._n]
        self._data = grown

    def __len__(self) -> int:
        return self._n

    @property
    def view(self) -> npt.NDArray[Any]:
        return self._data[: self._n]

    @property
    def nbytes(self) -> int:
        return self._data.nbytes
