"""Which users are in memory."""

from __future__ import annotations

import threading
from collections import OrderedDict

from habitus.memory.index.resident import Resident


class Residents:
    """Users searched last, bounded by bytes.

    Args:
        max_bytes: bound on the sum of `Resident.nbytes`.
        dim: length of a vector.
    """

    def __init__(self, max_bytes: int, dim: int) -> None:
        self._max_bytes = max_bytes
        self._dim = dim
        self._lock = threading.Lock()
        self._residents: OrderedDict[str, Resident] = OrderedDict()
        self._sizes: dict[str, int] = {}
        self._nbytes = 0

    def get(self, user_id: str) -> Resident:
        """Return the user's resident, an empty one at first."""
        with self._lock:
            if user_id not in self._residents:
                self._residents[user_id] = Resident(self._dim)
                self._sizes[user_id] = 0
            self._residents.move_to_end(user_id)
            return self._residents[user_id]

    def settle(self, user_id: str, resident: Resident) -> None:
        """Count a resident's present size, and drop those longest unused until all fit."""
        with self._lock:
            if self._residents.get(user_id) is not resident:
                return
            # Read once: its own user may be adding to it.
            nbytes = resident.nbytes
            self._nbytes += nbytes - self._sizes[user_id]
            self._sizes[user_id] = nbytes
            while self._nbytes > self._max_bytes:
                oldest, _ = self._residents.popitem(last=False)
                self._nbytes -= self._sizes.pop(oldest)

    def drop(self, user_id: str) -> None:
        """Let go of a user's memory."""
        with self._lock:
            self._residents.pop(user_id, None)
            self._nbytes -= self._sizes.pop(user_id, 0)

    @property
    def nbytes(self) -> int:
        """Sum of the sizes of the residents held."""
        return self._nbytes

    @property
    def users(self) -> list[str]:
        """The users held, longest unused first."""
        with self._lock:
            return list(self._residents)
