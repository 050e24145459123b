"""Turns, and feedback on replies, read by a chat model: during the turn, or after the reply is out.

Which turns wait is in the store, written with them; what a reading finds is written together with the
mark that the turn was read. So whatever happens, a turn is read once to its end.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from threading import Condition, Thread

from habitus.agent.settings import Settings
from habitus.agent.upkeep.metering import Meter
from habitus.agent.upkeep.reading_feedback import FeedbackReader
from habitus.memory.errors import ChatModelError
from habitus.memory.extraction import extract
from habitus.memory.extraction.by_model import ModelReading, read_turn
from habitus.memory.extraction.second_reading import reconcile
from habitus.memory.known.knowledge import Knowledge
from habitus.memory.learning.edit_reader import EditReading, read_edit
from habitus.memory.records import Changes, Edit, Norm, Turn
from habitus.memory.store import MemoryStore
from habitus.memory.structured import StructuredChat
from habitus.memory.tokens import CountTokens

logger = logging.getLogger(__name__)

CONTEXT_TURNS = 4
_AT_ONCE = 4
"""Users whose turns are read side by side; the turns of one user follow each other."""
_TRIES = 3
"""Of one turn in a row; then it waits for a later pass."""
_DOWN = 2
"""When so many turns in a row could not be read, it is the provider that fails: the rest waits too."""
_HOPELESS = 3
"""A turn that fails in so many passes in which others were read waits until the next opening."""
_LONGEST_PAUSE = 12
"""The pause between passes doubles while nothing can be read, up to so many times the first."""


class TurnReader:
    """A chat model that reads turns, and the meter that counts what it takes."""

    def __init__(self, chat: StructuredChat, meter: Meter) -> None:
        self._chat = chat
        self._meter = meter

    def read(self, turn: Turn, context: Sequence[Turn], stopped: Future[None] | None = None) -> ModelReading:
        """Read a turn.

        Raises:
            ChatModelError: the model failed; see `read_turn`.
        """
        try:
            reading = read_turn(self._chat, turn, context=context, stopped=stopped)
        except ChatModelError as error:
            self._meter.add("extraction", error.usage, {"failed": 1})
            raise
        dropped = {f"dropped: {reason}": n for reason, n in reading.dropped.items()}
        self._meter.add("extraction", reading.usage, {reading.outcome: 1, **dropped})
        return reading

    def read_edit(
        self,
        edit: Edit,
        request: str,
        known: Sequence[str],
        *,
        at: datetime,
        stopped: Future[None] | None = None,
    ) -> EditReading:
        """Read an edit of a reply; see `edit_reader.read_edit`.

        Raises:
            ChatModelError: the model failed.
        """
        try:
            found = read_edit(self._chat, edit, request, known, at=at, stopped=stopped)
        except ChatModelError as error:
            self._meter.add("extraction", error.usage, {"failed": 1})
            raise
        dropped = {f"dropped: {reason}": n for reason, n in found.dropped.items()}
        outcome = "edit unreadable" if found.reading is None else "edit read"
        self._meter.add("extraction", found.usage, {outcome: 1, **dropped})
        return found

    def count(self, outcomes: Counter[str]) -> None:
        """Count what came of a reading."""
        self._meter.outcomes(outcomes)


class BackgroundReader:
    """Reads the turns that wait, in threads of its own, a user's in the order in which they were said.

    A failing call is tried again after growing pauses, and never given up for good: what could not be
    read waits in the store.

    Args:
        store: where turns wait.
        reader: reads one.
        turn_of: keeps a user's turns out while a reading is written.
        settings: budgets.
        norms: rules above all preferences.
        count_tokens: how budgets are counted.
        when_written: called with a user whose profile a reading has made stale.
        backoff_seconds: the first pause between two tries of a turn; the next is twice as long.
        pause_seconds: the first pause after a pass that left turns unread.
    """

    def __init__(
        self,
        store: MemoryStore,
        reader: TurnReader,
        *,
        turn_of: Callable[[str], AbstractContextManager[None]],
        settings: Settings,
        norms: Sequence[Norm],
        count_tokens: CountTokens,
        when_written: Callable[[str, datetime], None],
        backoff_seconds: float = 1.0,
        pause_seconds: float = 300.0,
    ) -> None:
        self._store = store
        self._reader = reader
        self._turn_of = turn_of
        self._settings = settings
        self._norms = norms
        self._count_tokens = count_tokens
        self._when_written = when_written
        self._feedback = FeedbackReader(
            store,
            reader,
            turn_of=turn_of,
            settings=settings,
            norms=norms,
            count_tokens=count_tokens,
            when_written=when_written,
        )
        self._backoff = backoff_seconds
        self._pause = pause_seconds
        self._stopped: Future[None] = Future()
        self._changed = Condition()
        self._n_wanted = self._n_done = 0
        self._n_fruitless = 0
        self._hopeless: Counter[tuple[str, str]] = Counter()
        # Nobody waits for it at exit: what it has not read waits in the store.
        self._thread = Thread(target=self._run, name="habitus-reading", daemon=True)
        self._thread.start()
        self.wake()

    def wake(self) -> None:
        """Look for turns that wait."""
        with self._changed:
            self._n_wanted += 1
            self._changed.notify_all()

    def settle(self) -> None:
        """Wait until every turn that can be read is read; all that waits is tried again."""
        self._hopeless.clear()
        with self._changed:
            self._n_wanted += 1
            wanted = self._n_wanted
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._n_done >= wanted or self._stopped.done())

    def close(self) -> None:
        """Stop; a call that is going on is given up, and its turn waits until the next opening."""
        with self._changed:
            if not self._stopped.done():
                self._stopped.set_result(None)
            self._changed.notify_all()
        self._thread.join()

    def _run(self) -> None:
        pause: float | None = None
        while True:
            with self._changed:
                self._changed.wait_for(
                    lambda: self._n_wanted > self._n_done or self._stopped.done(), timeout=pause
                )
                if self._stopped.done():
                    return
                wanted = self._n_wanted
            is_all_read = self._pass()
            self._n_fruitless = 0 if is_all_read else self._n_fruitless + 1
            pause = None if is_all_read else self._pause * min(2 ** (self._n_fruitless - 1), _LONGEST_PAUSE)
            with self._changed:
                self._n_done = wanted
                self._changed.notify_all()

    def _pass(self) -> bool:
        """Read what waits; returns whether nothing is left that is worth another pass."""
        left: set[tuple[str, str]] = set()
        n_read = n_down = 0
        while not self._stopped.done() and n_down < _DOWN:
            try:
                due = self._due(left)
            except Exception as error:  # such as a store that is being closed; the turns wait in it
                logger.error("could not look for turns to read: %s", type(error).__name__)
                return False
            if not due:
                break
            was_read = self._read_side_by_side(due[:_AT_ONCE])
            left |= {job for job, done in was_read.items() if not done}
            n_read += sum(was_read.values())
            n_down = 0 if any(was_read.values()) else n_down + len(was_read)
        if n_read:
            self._n_fruitless = 0
            self._hopeless.update(left)
        return not left

    def _due(self, left: set[tuple[str, str]]) -> list[tuple[str, str]]:
        """Return for each user the first turn that waits, but for those that failed in this pass."""
        found = []
        for user_id in self._store.users_with_unread():
            waiting = ((user_id, turn_id) for turn_id in self._store.unread(user_id))
            first = next(
                (job for job in waiting if job not in left and self._hopeless[job] < _HOPELESS), None
            )
            if first is not None:
                found.append(first)
        return found

    def _read_side_by_side(self, jobs: Sequence[tuple[str, str]]) -> dict[tuple[str, str], bool]:
        was_read = dict.fromkeys(jobs, False)

        def read(job: tuple[str, str]) -> None:
            was_read[job] = self._try(*job)

        threads = [Thread(target=read, args=(job,), daemon=True) for job in jobs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return was_read

    def _try(self, user_id: str, turn_id: str) -> bool:
        for attempt in range(_TRIES):
            if attempt:
                wait([self._stopped], self._backoff * 2 ** (attempt - 1))
            if self._stopped.done():
                return False
            try:
                return self._read(user_id, turn_id)
            except ChatModelError:
                continue  # counted by the reader
            except Exception as error:  # nobody waits for it, and the turn waits in the store
                logger.error("a turn could not be read: %s", type(error).__name__)
        return False

    def _read(self, user_id: str, turn_id: str) -> bool:
        """Read a turn; returns False if it was forgotten since it was found to wait."""
        found = self._store.turns(user_id, ids=[turn_id])
        if not found:
            return False
        [turn] = found
        if turn.role == "assistant":
            self._feedback.read(turn, self._stopped)
            return True
        context = self._context(turn)
        reading = self._reader.read(turn, context, self._stopped)
        with self._turn_of(user_id):
            if [one.text for one in self._store.turns(user_id, ids=[turn_id])] != [turn.text]:
                return True  # all or a part of it was forgotten meanwhile: what is left still waits
            self._write(turn, context, reading)
        return True

    def _context(self, turn: Turn) -> list[Turn]:
        session = self._store.turns(turn.user_id, session_id=turn.session_id)
        return [one for one in session if one.index < turn.index][-CONTEXT_TURNS:]

    def _write(self, turn: Turn, context: Sequence[Turn], reading: ModelReading) -> None:
        known = Knowledge.read(self._store, turn.user_id, norms=self._norms)
        at = max(turn.at, datetime.now(UTC))
        outcomes = reconcile(known, turn, extract(turn, context=context), reading, at=at)
        changes = Changes(preferences=known.written, facts=known.told, read=(turn.id,))
        if known.written:
            persona = known.compiled_persona(
                at,
                reason="second reading",
                max_tokens=self._settings.persona_tokens,
                count_tokens=self._count_tokens,
            )
            if persona is not known.persona:
                changes = changes.model_copy(update={"persona": persona})
        self._store.commit(turn.user_id, changes)
        self._reader.count(outcomes)
        if known.profile_is_stale(at):
            self._when_written(turn.user_id, at)
