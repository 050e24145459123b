"""The sessions that are going on: their short-term memories, and when one has ended."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from threading import Lock

from habitus.agent.settings import Settings
from habitus.memory.records import new_id
from habitus.memory.retrieval.shortterm import ShortTermMemory
from habitus.memory.store import MemoryStore
from habitus.memory.tokens import CountTokens

_MAX_IN_PROCESS = 1_000
_MAX_BYTES = 128 * 2**20
"""Short-term memories held at once, and what they take; one that is not here is read from the store."""


class Sessions:
    """Hands out the short-term memory of a user's session, one turn of a user at a time."""

    def __init__(self, store: MemoryStore, settings: Settings, count_tokens: CountTokens) -> None:
        self._store = store
        self._settings = settings
        self._count_tokens = count_tokens
        self._memories: OrderedDict[tuple[str, str], ShortTermMemory] = OrderedDict()
        self._sizes: dict[tuple[str, str], int] = {}
        self._n_bytes = 0
        self._versions: OrderedDict[str, str] = OrderedDict()
        self._guard = Lock()

    @contextmanager
    def turn_of(self, user_id: str) -> Iterator[None]:
        """Wait until no other turn of this user runs, here or in another process, and keep others out.

        What is kept here of the user is dropped if somebody else has changed them since.
        """
        with self._store.turn_of(user_id):
            if self._versions.get(user_id) != self._store.version(user_id):
                self.drop(user_id)
            yield
            version = self._store.version(user_id)
            with self._guard:
                self._versions[user_id] = version
                self._versions.move_to_end(user_id)
                while len(self._versions) > _MAX_IN_PROCESS:
                    self._versions.popitem(last=False)

    def resume(self, user_id: str, session_id: str | None, at: datetime) -> tuple[str, tuple[str, ...]]:
        """Choose the session of a turn.

        Returns:
            its id (a new one if none was given and the last one rests longer than the idle gap), and
            the user's other open sessions that have rested as long: they have ended.
        """
        open_sessions = self._store.sessions(user_id, open_only=True)
        idle = [one for one in open_sessions if at - one.last_at > self._settings.idle_gap]
        if session_id is None:
            going_on = [one for one in open_sessions if one not in idle]
            session_id = max(going_on, key=lambda one: one.last_at).id if going_on else new_id()
        return session_id, tuple(one.id for one in idle if one.id != session_id)

    def memory(self, user_id: str, session_id: str) -> ShortTermMemory:
        """Return the session's short-term memory, read from the store if it is not in process."""
        key = (user_id, session_id)
        with self._guard:
            if key in self._memories:
                return self._held(key, self._memories[key])
        turns = self._store.turns(user_id, session_id=session_id)
        memory = ShortTermMemory(
            self._settings.session_tokens,
            self._count_tokens,
            turns,
            partial(self._store.turn_vectors, user_id),
        )
        with self._guard:
            return self._held(key, memory)

    def _held(self, key: tuple[str, str], memory: ShortTermMemory) -> ShortTermMemory:
        """Count a session's present size, and drop those longest unused until all others fit."""
        self._memories[key] = memory
        self._memories.move_to_end(key)
        self._n_bytes += (size := memory.nbytes) - self._sizes.get(key, 0)
        self._sizes[key] = size
        while len(self._memories) > 1 and (
            len(self._memories) > _MAX_IN_PROCESS or self._n_bytes > _MAX_BYTES
        ):
            self._let_go(next(iter(self._memories)))
        return memory

    def _let_go(self, key: tuple[str, str]) -> None:
        del self._memories[key]
        self._n_bytes -= self._sizes.pop(key)

    def drop(self, user_id: str, session_id: str | None = None) -> None:
        """Let go of a session, or of all sessions of a user; the store has them."""
        with self._guard:
            for key in [k for k in self._memories if k[0] == user_id and session_id in (None, k[1])]:
                self._let_go(key)
