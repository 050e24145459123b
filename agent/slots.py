"""How many turns compute at once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

from habitus.memory.store import MemoryStore


class Slots:
    """Room for a few turns to compute; the others wait for room, or for their generators.

    They share one interpreter and the machine's cores: with 64 of them at it, whoever hands out a piece of a
    reply waited for its turn among all of them. While replies are streamed, one slot stays empty for that.

    Args:
        n: of them.
    """

    def __init__(self, n: int) -> None:
        self._n = n
        self._n_busy = 0
        self._n_streams = 0
        self._changed = Condition()

    @contextmanager
    def computing(self) -> Iterator[None]:
        """Wait for a slot, and hold it."""
        self._take()
        try:
            yield
        finally:
            self._give()

    @contextmanager
    def waiting(self, *, streams: bool) -> Iterator[None]:
        """Give the slot that is held to another turn for a while.

        Args:
            streams: pieces of a reply are handed out meanwhile.
        """
        with self._changed:
            self._n_streams += streams
        self._give()
        try:
            yield
        finally:
            with self._changed:
                self._n_streams -= streams
                self._changed.notify()
            self._take()

    def _take(self) -> None:
        with self._changed:
            self._changed.wait_for(self._has_room)
            self._n_busy += 1

    def _give(self) -> None:
        with self._changed:
            self._n_busy -= 1
            self._changed.notify()

    def _has_room(self) -> bool:
        return self._n_busy < (max(1, self._n - 1) if self._n_streams else self._n)


def usual_slots(store: MemoryStore) -> int:
    """Return how many slots there are if nobody says: a core each, and at least two.

    A database server is waited for, and others may compute meanwhile: four times as many.
    """
    from habitus.memory.storage.embedded import EmbeddedStore

    n_cores = max(2, os.cpu_count() or 1)
    return n_cores if isinstance(store, EmbeddedStore) else 4 * n_cores
