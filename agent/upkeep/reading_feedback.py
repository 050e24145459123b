"""Feedback read by a chat model after it was taken in: why an edit was made, and what a comment says.

A reply whose edits or comments are to be read waits in the store as turns do. What an edit was found to show
is kept with the feedback itself, and preferences follow from the whole log of it; so taking the feedback
back, or forgetting it, takes back what the model made of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol

from habitus.agent.settings import Settings
from habitus.memory.extraction import extract
from habitus.memory.extraction.by_model import ModelReading
from habitus.memory.extraction.second_reading import reconcile
from habitus.memory.known.knowledge import Knowledge
from habitus.memory.known.norms import conflict
from habitus.memory.learning.comments import as_turn
from habitus.memory.learning.edit_reader import EditReading
from habitus.memory.learning.feedback import read_again
from habitus.memory.learning.inferring import findings
from habitus.memory.learning.log import read_log
from habitus.memory.learning.slips import only_spelling
from habitus.memory.learning.tastes import as_preference
from habitus.memory.records import Changes, Edit, Feedback, FeedbackReading, Norm, Turn
from habitus.memory.store import MemoryStore
from habitus.memory.tokens import CountTokens

REASON = "second reading of feedback"


class ReadsFeedback(Protocol):
    """The chat model, with a meter."""

    def read(
        self, turn: Turn, context: Sequence[Turn], stopped: Future[None] | None = None
    ) -> ModelReading: ...

    def read_edit(
        self,
        edit: Edit,
        request: str,
        known: Sequence[str],
        *,
        at: datetime,
        stopped: Future[None] | None = None,
    ) -> EditReading: ...


class FeedbackReader:
    """Reads the feedback on one reply, oldest first.

    Args:
        store: where it is.
        reader: the model.
        turn_of: keeps a user's turns out while something is written.
        settings, norms, count_tokens: those of the agent.
        when_written: called with a user whose profile a reading has made stale.
    """

    def __init__(
        self,
        store: MemoryStore,
        reader: ReadsFeedback,
        *,
        turn_of: Callable[[str], AbstractContextManager[None]],
        settings: Settings,
        norms: Sequence[Norm],
        count_tokens: CountTokens,
        when_written: Callable[[str, datetime], None],
    ) -> None:
        self._store = store
        self._reader = reader
        self._turn_of = turn_of
        self._settings = settings
        self._norms = norms
        self._count_tokens = count_tokens
        self._when_written = when_written

    def read(self, reply: Turn, stopped: Future[None] | None) -> None:
        """Read all feedback on a reply that was not read yet; then the reply waits no longer.

        Raises:
            ChatModelError: the model failed; the reply waits on.
        """
        for given in self._waiting(reply):
            if given.edit is not None:
                self._read_edit(given, given.edit, reply, stopped)
            elif given.comment is not None:
                self._read_comment(given, given.comment, reply, stopped)
        with self._turn_of(reply.user_id):
            if not self._waiting(reply):
                self._store.commit(reply.user_id, Changes(read=(reply.id,)))

    def _waiting(self, reply: Turn) -> list[Feedback]:
        return [
            one
            for one in self._store.feedback(reply.user_id)
            if one.turn_id == reply.id
            and one.undone_at is None
            and one.reading is None
            # What was said in the conversation is read there.
            and (one.edit is not None or (one.comment is not None and not one.implicit))
        ]

    def _read_edit(self, given: Feedback, edit: Edit, reply: Turn, stopped: Future[None] | None) -> None:
        at = max(given.at, datetime.now(UTC))
        reading = FeedbackReading(at=at)
        if not only_spelling(edit):
            earlier = [one for one in read_log(self._store, given.user_id) if one.at <= given.at]
            known = [one.statement for one in findings(earlier)]
            found = self._reader.read_edit(edit, self._request(reply), known, at=at, stopped=stopped)
            reading = self._allowed(given, found.reading or reading)
        with self._turn_of(given.user_id):
            if not self._stands(given):
                return
            read = given.model_copy(update={"reading": reading})
            log = [
                replace(one, feedback=read) if one.id == given.id else one
                for one in read_log(self._store, given.user_id)
            ]
            known_now = self._known(given.user_id)
            effect = read_again(given.user_id, log, known_now.preferences, at)
            known_now.take_in(effect, at, edits=self._settings.edits)
            self._write(known_now, read, at)

    def _read_comment(self, given: Feedback, comment: str, reply: Turn, stopped: Future[None] | None) -> None:
        turn = as_turn(given, comment, reply, given.at)
        reading = self._reader.read(turn, [reply], stopped)
        at = max(given.at, datetime.now(UTC))
        with self._turn_of(given.user_id):
            if not self._stands(given):
                return
            known = self._known(given.user_id)
            reconcile(known, turn, extract(turn, context=[reply]), reading, at=at)
            read = given.model_copy(update={"reading": FeedbackReading(at=at)})
            self._write(known, read, at)

    def _allowed(self, given: Feedback, reading: FeedbackReading) -> FeedbackReading:
        """Leave out what norms block."""
        allowed = tuple(
            one
            for one in reading.inferred
            if conflict(as_preference(given, one), self._norms, self._store.encoder) is None
        )
        return reading.model_copy(update={"inferred": allowed})

    def _stands(self, given: Feedback) -> bool:
        """Tell whether the feedback is still there as it was when it was read."""
        return any(one == given for one in self._store.feedback(given.user_id) if one.id == given.id)

    def _known(self, user_id: str) -> Knowledge:
        return Knowledge.read(self._store, user_id, norms=self._norms)

    def _request(self, reply: Turn) -> str:
        before = [
            turn
            for turn in self._store.turns(reply.user_id, session_id=reply.session_id)
            if turn.index < reply.index
        ]
        return before[-1].text if before and before[-1].role == "user" else ""

    def _write(self, known: Knowledge, read: Feedback, at: datetime) -> None:
        """Write a reading and all that follows from it, at once."""
        changes = Changes(feedback=(read,), preferences=known.written, facts=known.told)
        if known.written:
            persona = known.compiled_persona(
                at,
                reason=REASON,
                max_tokens=self._settings.persona_tokens,
                count_tokens=self._count_tokens,
            )
            if persona is not known.persona:
                changes = changes.model_copy(update={"persona": persona})
        self._store.commit(read.user_id, changes)
        if known.profile_is_stale(at):
            self._when_written(read.user_id, at)
