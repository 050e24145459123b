"""One turn of a user at a time, within a process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock


@dataclass
class _UserLock:
    lock: Lock = field(default_factory=Lock)
    n_waiting: int = 0


class UserLocks:
    """A lock for each user who has a turn running or waiting."""

    def __init__(self) -> None:
        self._locks: dict[str, _UserLock] = {}
        self._guard = Lock()

    @contextmanager
    def of(self, user_id: str) -> Iterator[None]:
        """Wait until nobody else holds the user's lock, and hold it throughout the block."""
        with self._guard:
            entry = self._locks.setdefault(user_id, _UserLock())
            entry.n_waiting += 1
        try:
            with entry.lock:
                yield
        finally:
            with self._guard:
                entry.n_waiting -= 1
                if entry.n_waiting == 0:
                    del self._locks[user_id]
