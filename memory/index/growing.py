"""Arrays that grow at their end."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


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
        grown = np.empty((n_rows, *self._data.shape[1:]), dtype=self._data.dtype)
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
