"""The profile in a chat model's words, after the reply: the rules' profile stands until then."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager
from datetime import datetime
from threading import Lock

from habitus.agent.upkeep.metering import Meter
from habitus.memory.errors import ChatModelError
from habitus.memory.known.knowledge import Knowledge
from habitus.memory.known.profile import Part, with_sections
from habitus.memory.known.profile_wording import is_worth_wording, word
from habitus.memory.records import Changes, Preference, ProfileSection
from habitus.memory.store import MemoryStore
from habitus.memory.structured import StructuredChat

logger = logging.getLogger(__name__)

_MAX_REMEMBERED = 10_000


class ProfileWording:
    """Has a chat model word profiles, one after the other, in a thread of its own.

    Only sections whose records have changed are asked for. What a model could not word is not asked for
    again until its records change; where the provider fails, the next change of the profile tries again.

    Args:
        store: where profiles are.
        chat: the model.
        meter: counts what it takes.
        turn_of: keeps a user's turns out while a profile is written.
    """

    def __init__(
        self,
        store: MemoryStore,
        chat: StructuredChat,
        meter: Meter,
        *,
        turn_of: Callable[[str], AbstractContextManager[None]],
    ) -> None:
        self._store = store
        self._chat = chat
        self._meter = meter
        self._turn_of = turn_of
        self._in_vain: dict[str, None] = {}
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="habitus-wording")
        self._jobs: list[Future[None]] = []
        self._waiting: dict[str, datetime] = {}
        self._guard = Lock()
        self._stopped: Future[None] = Future()

    def put(self, user_id: str, at: datetime) -> None:
        """Word a user's profile later; a user who waits already waits once."""
        with self._guard:
            if self._stopped.done():
                return
            is_waiting = user_id in self._waiting
            self._waiting[user_id] = at
            if not is_waiting:
                self._jobs = [job for job in self._jobs if not job.done()]
                self._jobs.append(self._thread.submit(self._try, user_id))

    def settle(self) -> None:
        """Wait for all of it."""
        with self._guard:
            jobs = list(self._jobs)
        wait(jobs)

    def close(self) -> None:
        """Stop; a call that is going on is given up."""
        with self._guard:
            if not self._stopped.done():
                self._stopped.set_result(None)
        self._thread.shutdown(wait=True)

    def _try(self, user_id: str) -> None:
        with self._guard:
            at = self._waiting.pop(user_id)
        if self._stopped.done():
            return
        try:
            self._word(user_id, at)
        except ChatModelError:
            return  # counted where it was asked; the rules' words stand
        except Exception as error:  # nobody waits for it, and the rules' words stand
            logger.error("a profile could not be put into words: %s", type(error).__name__)

    def _word(self, user_id: str, at: datetime) -> None:
        worded = self._sections(Knowledge.read(self._store, user_id), at)
        if not worded:
            return
        with self._turn_of(user_id):
            known = Knowledge.read(self._store, user_id)
            # Only what still says what is known: what was forgotten meanwhile must not come back.
            before = {one.worded_from: one for one in known.profile.sections} if known.profile else {}
            current = [
                worded.get(part.digest) or before.get(part.digest) or part.section
                for part in known.profile_parts(at)
            ]
            profile = with_sections(user_id, current, previous=known.profile, at=at)
            if current and profile is not known.profile:
                self._store.commit(user_id, Changes(profile=profile))

    def _sections(self, known: Knowledge, at: datetime) -> dict[str, ProfileSection]:
        """Return, by digest, the sections that were put into words now."""
        done = {section.worded_from for section in known.profile.sections} if known.profile else set()
        preferences = {preference.id: preference for preference in known.preferences}
        found: dict[str, ProfileSection] = {}
        for part in known.profile_parts(at):
            if part.digest in done or part.digest in self._in_vain or not is_worth_wording(part):
                continue
            section = self._worded(part, preferences)
            if section is not None:
                found[part.digest] = section
        return found

    def _worded(self, part: Part, preferences: Mapping[str, Preference]) -> ProfileSection | None:
        try:
            wording = word(self._chat, part, preferences, stopped=self._stopped)
        except ChatModelError as error:
            self._meter.add("profile", error.usage, {"failed": 1})
            raise
        outcome = "worded" if wording.section is not None else "not worded"
        self._meter.add("profile", wording.usage, {outcome: 1, "sentences dropped": wording.n_dropped})
        if wording.section is None:
            self._in_vain[part.digest] = None
            if len(self._in_vain) > _MAX_REMEMBERED:
                del self._in_vain[next(iter(self._in_vain))]
        return wording.section
