"""Work that a reply does not wait for: the profile is summarised again after the turn."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from threading import Lock

from habitus.memory.knowledge import Knowledge
from habitus.memory.records import Changes
from habitus.memory.store import MemoryStore


class ProfileRefresher:
    """Brings profiles up to date, one after the other, in a thread of its own."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="habitus-profile")
        self._jobs: list[Future[None]] = []
        self._guard = Lock()

    def refresh(self, user_id: str, at: datetime) -> None:
        """Summarise a user now, if the profile is out of date."""
        known = Knowledge.read(self._store, user_id)
        if known.profile_is_stale:
            self._store.commit(user_id, Changes(profile=known.summarised(at)))

    def refresh_later(self, user_id: str, at: datetime) -> None:
        """Summarise a user after the reply is out."""
        with self._guard:
            self._jobs = [job for job in self._jobs if not job.done() or job.exception() is not None]
            self._jobs.append(self._thread.submit(self.refresh, user_id, at))

    def settle(self) -> None:
        """Wait for all of it; raises the first error that came up."""
        with self._guard:
            jobs, self._jobs = self._jobs, []
        for job in jobs:
            job.result()

    def close(self) -> None:
        self._thread.shutdown(wait=True)
        self.settle()
