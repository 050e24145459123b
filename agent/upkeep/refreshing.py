"""Work that a reply does not wait for: summarising the profile, and looking at how the user writes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from threading import Lock

from habitus.memory.known.knowledge import Knowledge
from habitus.memory.known.manner import observed
from habitus.memory.records import Changes
from habitus.memory.store import MemoryStore

OBSERVED_SESSIONS = 20
"""Latest sessions that tell how a user writes."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Job:
    """What is done for a user, and whether it has been."""

    user_id: str
    work: Callable[[], None]
    future: Future[None]


class ProfileRefresher:
    """Brings profiles up to date, one after the other, in a thread of its own.

    Args:
        store: where they are.
        turn_of: keeps a user's turns out meanwhile: a profile made beside one would bring back what the
            turn forgot.
        when_done: called with a user whose profile is up to date again.
    """

    def __init__(
        self,
        store: MemoryStore,
        turn_of: Callable[[str], AbstractContextManager[None]],
        when_done: Callable[[str, datetime], None] | None = None,
    ) -> None:
        self._store = store
        self._turn_of = turn_of
        self._when_done = when_done
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="habitus-profile")
        self._jobs: list[_Job] = []
        self._to_observe: set[str] = set()
        self._guard = Lock()
        self._closed = False

    def refresh(self, user_id: str, at: datetime) -> None:
        """Summarise a user now, if the profile is out of date."""
        with self._turn_of(user_id):
            known = Knowledge.read(self._store, user_id)
            if known.profile_is_stale(at):
                self._store.commit(user_id, Changes(profile=known.summarised(at)))

    def refresh_later(self, user_id: str, at: datetime) -> None:
        """Summarise a user after the reply is out; if that fails, the next turn tries again."""
        with self._guard:
            self._put(user_id, partial(self._try, user_id, at))

    def _put(self, user_id: str, work: Callable[[], None]) -> None:
        if self._closed:
            return  # the turn that asks for it is stored, and the next one asks again
        self._jobs = [job for job in self._jobs if not job.future.done()]
        self._jobs.append(_Job(user_id, work, self._thread.submit(work)))

    def observe(self, user_id: str) -> None:
        """Look at how a user wrote in their latest sessions, and learn what that tells of them."""
        with self._turn_of(user_id):
            sessions = self._store.sessions(user_id)[-OBSERVED_SESSIONS:]
            turns = [turn for one in sessions for turn in self._store.turns(user_id, session_id=one.id)]
            if not turns:
                return
            known = Knowledge.read(self._store, user_id)
            known.put(preferences=observed(known.preferences, turns))
            if known.written:
                profile = known.summarised(turns[-1].at)
                self._store.commit(user_id, Changes(preferences=known.written, profile=profile))

    def observe_later(self, user_id: str) -> None:
        """Look at a user's writing in the background, such as when a session has ended."""
        with self._guard:
            if user_id in self._to_observe:
                return
            self._to_observe.add(user_id)
            self._put(user_id, partial(self._try_observe, user_id))

    def _try_observe(self, user_id: str) -> None:
        with self._guard:
            self._to_observe.discard(user_id)
        try:
            self.observe(user_id)
        except Exception as error:  # nobody waits for it, and the next session's end looks again
            logger.error("a user's writing could not be looked at: %s", type(error).__name__)

    def _try(self, user_id: str, at: datetime) -> None:
        try:
            self.refresh(user_id, at)
            if self._when_done is not None:
                self._when_done(user_id, at)
        except Exception as error:  # nobody waits for it, and the profile stays marked as stale
            logger.error("a profile could not be made again: %s", type(error).__name__)

    def settle(self) -> None:
        """Wait for all of it."""
        with self._guard:
            jobs = list(self._jobs)
        wait([job.future for job in jobs])

    def settle_user(self, user_id: str) -> None:
        """Have all of it done that concerns a user, without waiting for what concerns others."""
        with self._guard:
            jobs = [job for job in self._jobs if job.user_id == user_id]
        # What still waits behind others is done here; what has begun ends first, as it came first.
        taken_over = [job for job in jobs if job.future.cancel()]
        wait([job.future for job in jobs if not job.future.cancelled()])
        for job in taken_over:
            job.work()

    def close(self) -> None:
        """Finish; what is put in afterwards, by a turn that was still running, is left out."""
        with self._guard:
            self._closed = True
        self._thread.shutdown(wait=True)
