"""Turns of a user, one after the other: their session is found, the graph is run, what follows is begun."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from threading import Event
from typing import TYPE_CHECKING, Literal

from habitus.agent.generators.capabilities import forget_prefixes
from habitus.agent.inputs import Incoming, choice_of, instant, record, user_turn
from habitus.agent.reply import Reply
from habitus.agent.running import Runner, ignore
from habitus.agent.sessions import Sessions
from habitus.agent.settings import Settings
from habitus.agent.slots import Slots, usual_slots
from habitus.agent.state import Recall, State
from habitus.agent.threads import Emit
from habitus.agent.upkeep.background import Background
from habitus.memory.errors import InvalidInputError, NotFoundError
from habitus.memory.masking import mask
from habitus.memory.records import Changes, Choice, Edit, Feedback, Norm, Turn
from habitus.memory.retrieval.shortterm import ShortTermMemory
from habitus.memory.store import MemoryStore
from habitus.memory.tokens import CountTokens

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel


class Turns:
    """Runs the graph for an agent; its methods are those of the agent, which says what they mean.

    Args:
        store: what is read and written.
        generator: writes replies.
        sessions: the short-term memories.
        background: what replies do not wait for.
        settings, norms, count_tokens: those of the agent.
    """

    def __init__(
        self,
        store: MemoryStore,
        generator: BaseChatModel,
        sessions: Sessions,
        background: Background,
        *,
        settings: Settings,
        norms: Sequence[Norm],
        count_tokens: CountTokens,
    ) -> None:
        self._store = store
        self._generator = generator
        self._sessions = sessions
        self._background = background
        self._settings = settings
        self._count_tokens = count_tokens
        self.when_forgotten: list[Callable[[str], None]] = []
        self._slots = Slots(settings.n_computing or usual_slots(store))
        self._runner = Runner(
            store=store,
            generator=generator,
            settings=settings,
            norms=norms,
            count_tokens=count_tokens,
            reader=background.reader if settings.extraction == "model_in_turn" else None,
            waiting=self._slots.waiting,
        )

    def answer(self, incoming: Incoming, emit: Emit = ignore, cancelled: Event | None = None) -> Reply:
        """Answer a message; see `Runner.run` for how pieces are handed out and a turn is cancelled."""
        return Reply.of(self.run("turn", incoming, emit, cancelled))

    def run(
        self,
        mode: Literal["turn", "prepare", "observe"],
        incoming: Incoming,
        emit: Emit = ignore,
        cancelled: Event | None = None,
        *,
        reply: str | None = None,
    ) -> State:
        """Run the graph on a message of the user; `reply` is what somebody else has answered."""
        user_id, at = incoming.user_id, instant(incoming.at)
        incoming.check(self._settings.max_message_chars)
        said = mask(incoming.text, self._settings.masking)
        with self._turn_of(user_id):
            session_id, ended = self._sessions.resume(user_id, incoming.session_id, at)
            if ended and mode != "prepare":
                self._end(user_id, ended)
            memory = self._sessions.memory(user_id, session_id)
            state = self._runner.turn_state(user_id, session_id, said.text, at, memory, mode)
            state["masked"] = said.kinds
            state["instructions"], state["generation"] = incoming.instructions, incoming.generation or {}
            state["strength"] = incoming.strength
            if reply is not None:
                state["reply_text"] = self._masked(reply)
            final = self._runner.run(state, memory, emit, cancelled)
            if mode != "prepare":
                self._after(final)
        return final

    def recall(self, user_id: str, text: str, at: datetime, context_tokens: int | None) -> Recall:
        """See `Agent.recall`."""
        turn = user_turn(
            user_id, "recall", 0, self._masked(text), at, max_chars=self._settings.max_message_chars
        )
        state: State = {"mode": "recall", "user_id": user_id, "at": at, "turn": turn}
        if context_tokens is not None:
            state["context_tokens"] = context_tokens
        with self._slots.computing():
            final = self._runner.run(state, self._no_session())
        return replace(final["recall"], timings_ms=final["timings_ms"])

    def feedback(
        self,
        user_id: str,
        turn_id: str,
        at: datetime,
        *,
        rating: float | None,
        comment: str | None,
        edit: str | None,
        choice: tuple[str, Sequence[str]] | None,
    ) -> State:
        """See `Agent.feedback`."""
        reply = self._reply(user_id, turn_id)
        given = record(
            Feedback,
            user_id=user_id,
            turn_id=turn_id,
            at=at,
            rating=rating,
            comment=None if comment is None else self._masked(comment),
            edit=None if edit is None else record(Edit, before=reply.text, after=self._masked(edit)),
            choice=None if choice is None else self._chosen(*choice),
        )
        with self._turn_of(user_id):
            memory = self._sessions.memory(user_id, reply.session_id)
            state: State = {"mode": "feedback", "user_id": user_id, "at": at, "feedback": given}
            final = self._runner.run(state, memory)
            self._after(final)
        return final

    def undo_feedback(self, user_id: str, feedback_id: str, at: datetime) -> State:
        """See `Agent.undo_feedback`."""
        with self._turn_of(user_id):
            given = next((one for one in self._store.feedback(user_id) if one.id == feedback_id), None)
            if given is None:
                raise NotFoundError(f"user {user_id!r} gave no feedback {feedback_id!r}")
            if given.undone_at is not None:
                raise InvalidInputError(f"feedback {feedback_id!r} was taken back already")
            state: State = {"mode": "feedback", "user_id": user_id, "at": at, "undo": feedback_id}
            final = self._runner.run(state, self._no_session())
            self._after(final)
        return final

    def end_session(self, user_id: str, session_id: str) -> None:
        """See `Agent.end_session`."""
        with self._sessions.turn_of(user_id):
            if session_id not in {one.id for one in self._store.sessions(user_id)}:
                raise NotFoundError(f"user {user_id!r} has no session {session_id!r}")
            self._end(user_id, (session_id,))

    def drop(self, user_id: str) -> None:
        """Drop what is kept of a user beside the store, after something was forgotten or added there."""
        self._sessions.drop(user_id)
        forget_prefixes(self._generator, user_id)

    def forgotten(self, user_id: str) -> None:
        """Drop what is kept of a user beside the store, wherever that is, after something was deleted."""
        self.drop(user_id)
        for tell in self.when_forgotten:
            tell(user_id)

    @contextmanager
    def _turn_of(self, user_id: str) -> Iterator[None]:
        """Wait for the user's other turns first, and then for room to compute."""
        with self._sessions.turn_of(user_id), self._slots.computing():
            yield

    def _no_session(self) -> ShortTermMemory:
        return ShortTermMemory(1, self._count_tokens)

    def _masked(self, text: str) -> str:
        return mask(text, self._settings.masking).text

    def _chosen(self, winner: str, losers: Sequence[str]) -> Choice:
        given = choice_of(winner, losers)
        return Choice(winner=self._masked(given.winner), losers=tuple(map(self._masked, given.losers)))

    def _reply(self, user_id: str, turn_id: str) -> Turn:
        found = self._store.turns(user_id, ids=[turn_id])
        if not found or found[0].role != "assistant":
            raise NotFoundError(f"user {user_id!r} has no reply {turn_id!r}")
        return found[0]

    def _after(self, final: State) -> None:
        """See to what a turn leaves behind once it is stored."""
        outcome = final.get("outcome")
        if outcome is not None and outcome.forgotten is not None:
            self.forgotten(final["user_id"])
        self._background.after(final)

    def _end(self, user_id: str, session_ids: tuple[str, ...]) -> None:
        self._store.commit(user_id, Changes(ends_sessions=session_ids))
        for session_id in session_ids:
            self._sessions.drop(user_id, session_id)
        if self._settings.learn_from_writing:
            self._background.observe(user_id)
