"""The agent: the one door to the graph, for one process and many users."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from contextvars import copy_context
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from threading import Event
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

from habitus.agent.background import Background
from habitus.agent.curator import Curator
from habitus.agent.generators.naming import close_generator, generator_named
from habitus.agent.ingest import ingest_conversations, learnt_changes
from habitus.agent.inputs import (
    Incoming,
    check_generator,
    choice_of,
    extraction_model,
    instant,
    record,
    user_turn,
)
from habitus.agent.known import Known
from habitus.agent.metering import ModelUsage
from habitus.agent.progress import progress_bar
from habitus.agent.reply import Prepared, Reply
from habitus.agent.running import Runner, ignore
from habitus.agent.sessions import Sessions
from habitus.agent.settings import Settings
from habitus.agent.state import Recall, State
from habitus.agent.threads import Emit, aiterate, iterate
from habitus.memory.errors import InvalidInputError, NotFoundError
from habitus.memory.norms import DEFAULT_NORMS
from habitus.memory.records import (
    MAX_TEXT_CHARS,
    Changes,
    Conversation,
    Edit,
    Feedback,
    Norm,
    Turn,
)
from habitus.memory.remembering import remembered
from habitus.memory.shortterm import ShortTermMemory
from habitus.memory.store import MemoryStore, Progress
from habitus.memory.tokens import CountTokens, estimate_tokens

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from habitus.retrievers.encoder import Encoder

_MAX_TURNS = 64
"""Turns that stream or run for async callers at once; more of them wait."""


def _unseen(done: int, total: int) -> None:
    """Take no notice of progress."""


def _nothing(turns: Sequence[Turn]) -> Changes:
    """Learn nothing."""
    return Changes()


class Agent(Known):
    """An agent that knows its users.

    `Agent.open(folder)` is the short way, on the embedded defaults; the constructor takes parts made
    elsewhere. Safe to use from several threads: turns of one user follow each other, turns of
    different users run side by side.

    Args:
        store: where memory is kept; the agent closes it.
        generator: any LangChain chat model.
        settings: budgets and dials.
        norms: rules above all preferences.
        count_tokens: how budgets are counted, by default `estimate_tokens`; give `generator.get_num_tokens`
            where the model has a tokenizer of its own (LangChain's fallback downloads one).
        extractor: the chat model that reads turns where `settings.extraction` asks for one; by default the
            generator.

    Raises:
        InvalidInputError: a model is asked for and there is none, or one is given that would not be used.
    """

    def __init__(
        self,
        *,
        store: MemoryStore,
        generator: BaseChatModel,
        settings: Settings | None = None,
        norms: Sequence[Norm] = DEFAULT_NORMS,
        count_tokens: CountTokens | None = None,
        extractor: BaseChatModel | None = None,
    ) -> None:
        self.store = store
        self.generator = generator
        self.settings = settings or Settings()
        self.norms = tuple(norms)
        # Of messages that are recalled, or stand in the window, every turn counts the same sentences again.
        self.count_tokens = remembered(count_tokens or estimate_tokens, n=32_768)
        self._sessions = Sessions(store, self.settings, self.count_tokens)
        self._background = Background(
            store,
            self._sessions.turn_of,
            generator=generator,
            extractor=extractor,
            settings=self.settings,
            norms=self.norms,
            count_tokens=self.count_tokens,
        )
        self._runner = Runner(
            store=store,
            generator=generator,
            settings=self.settings,
            norms=self.norms,
            count_tokens=self.count_tokens,
            reader=self._background.reader if self.settings.extraction == "model_in_turn" else None,
        )
        self._curator = Curator(
            store,
            self._sessions.turn_of,
            settings=self.settings,
            norms=self.norms,
            count_tokens=self.count_tokens,
        )
        # A turn that waits for another of its user keeps a thread, so there are more than cores.
        self._threads = ThreadPoolExecutor(max_workers=_MAX_TURNS, thread_name_prefix="habitus-turn")
        self._closed = False
        self._closes_generator = False

    @classmethod
    def open(
        cls,
        folder: str | Path | None = None,
        *,
        encoder: Encoder | None = None,
        generator: BaseChatModel | str | None = None,
        settings: Settings | None = None,
        norms: Sequence[Norm] = DEFAULT_NORMS,
        count_tokens: CountTokens | None = None,
        progress: Progress | None = None,
        extractor: BaseChatModel | None = None,
    ) -> Self:
        """Open an agent on a data folder or a database; use it as a context manager.

        Args:
            folder: made if it is not there; by default `habitus` in the user's data folder. Or the URL of a
                PostgreSQL database, `postgresql://USER:PASSWORD@HOST/DATABASE`, for any number of agents.
            encoder: by default all-MiniLM-L6-v2.
            generator: a LangChain chat model, or the name of one, see `generator_named`; by default
                `ExtractiveChat`, which needs no weights.
            settings: budgets and dials.
            norms: rules above all preferences.
            count_tokens: how budgets are counted; by default `estimate_tokens`.
            progress: called while a folder made with another encoder is re-embedded.
            extractor: the chat model that reads turns where `settings.extraction` asks for one; by default
                the generator.

        Raises:
            InvalidInputError: a part that cannot be used.
            GeneratorNameError: no generator can be made of the name.
            FolderInUseError: another process owns the folder.
            StoreUnreachableError: the database does not answer, or refuses.
            EncoderError: the default encoder's weights are not to be had.
            StoreCorruptError: the database cannot be read.
        """
        from habitus.agent.defaults import default_encoder, default_folder, default_generator
        from habitus.memory.opening import open_store

        encoder = encoder or default_encoder()
        ours = isinstance(generator, str)
        if isinstance(generator, str):
            generator = generator_named(generator)
        generator = generator or default_generator(encoder)
        check_generator(generator)
        extraction_model(extractor, generator, settings or Settings())
        store = open_store(folder or default_folder(), encoder, progress=progress)
        agent = cls(
            store=store,
            generator=generator,
            settings=settings,
            norms=norms,
            count_tokens=count_tokens,
            extractor=extractor,
        )
        agent._closes_generator = ours
        return agent

    # -- the conversation

    def chat(
        self,
        user_id: str,
        text: str,
        *,
        session_id: str | None = None,
        at: datetime | None = None,
        instructions: str | None = None,
        generation: Mapping[str, Any] | None = None,
        strength: float = 1.0,
    ) -> Reply:
        """Answer a message and remember it.

        Args:
            user_id: whose memory is used and written.
            text: the user's words.
            session_id: the conversation; by default the user's open one, or a new one after an idle gap.
            at: when it was said, an aware datetime; by default now.
            instructions: the app's own system prompt for this turn; norms stand above it.
            generation: further arguments of the generator's call, such as `temperature` or `stop`.
            strength: 0..1, how much of what is known of the user enters the prompt: nothing at 0, at 0.5
                constraints and well-founded tastes, everything at 1.

        Raises:
            InvalidInputError: a blank or too long text, an id that cannot be stored, a naive datetime.
            GeneratorError: the chat model failed; nothing was stored.
            StoreFullError: the turn could not be written; nothing was stored.
        """
        return self._turn(
            Incoming(user_id, text, session_id, at, instructions, generation, strength), ignore, Event()
        )

    def stream(
        self,
        user_id: str,
        text: str,
        *,
        session_id: str | None = None,
        at: datetime | None = None,
        instructions: str | None = None,
        generation: Mapping[str, Any] | None = None,
        strength: float = 1.0,
    ) -> Iterator[str | Reply]:
        """Like `chat`, yielding pieces of text as they come and last the `Reply`.

        The turn does not wait for whoever takes the pieces. Leaving early cancels it: nothing is stored,
        unless it was stored already.
        """
        self._check_open()
        turn = partial(
            self._turn, Incoming(user_id, text, session_id, at, instructions, generation, strength)
        )
        return iterate(self._threads, turn)

    async def achat(
        self,
        user_id: str,
        text: str,
        *,
        session_id: str | None = None,
        at: datetime | None = None,
        instructions: str | None = None,
        generation: Mapping[str, Any] | None = None,
        strength: float = 1.0,
    ) -> Reply:
        """`chat` for async code; the turn runs in a thread, the event loop stays free."""
        self._check_open()
        turn = partial(
            self._turn,
            Incoming(user_id, text, session_id, at, instructions, generation, strength),
            ignore,
            Event(),
        )
        return await asyncio.get_running_loop().run_in_executor(self._threads, copy_context().run, turn)

    async def astream(
        self,
        user_id: str,
        text: str,
        *,
        session_id: str | None = None,
        at: datetime | None = None,
        instructions: str | None = None,
        generation: Mapping[str, Any] | None = None,
        strength: float = 1.0,
    ) -> AsyncIterator[str | Reply]:
        """`stream` for async code."""
        self._check_open()
        turn = partial(
            self._turn, Incoming(user_id, text, session_id, at, instructions, generation, strength)
        )
        async for part in aiterate(self._threads, turn):
            yield part

    def prepare(
        self,
        user_id: str,
        text: str,
        *,
        session_id: str | None = None,
        at: datetime | None = None,
        instructions: str | None = None,
        generation: Mapping[str, Any] | None = None,
        strength: float = 1.0,
    ) -> Prepared:
        """Return the prompt that `chat` would give its generator, for a model that you call yourself.

        Nothing is written and no command is carried out; tell `observe` what the model answered.
        Arguments and errors are those of `chat`.
        """
        return Prepared.of(
            self._run("prepare", Incoming(user_id, text, session_id, at, instructions, generation, strength))
        )

    def observe(
        self,
        user_id: str,
        text: str,
        reply: str,
        *,
        session_id: str | None = None,
        at: datetime | None = None,
    ) -> Reply:
        """Remember, and learn from, a message that somebody else has answered.

        Args:
            user_id: whose memory is written.
            text: the user's words.
            reply: what they were answered, verbatim.
            session_id: the conversation; as in `chat`.
            at: when it was said; by default now.

        Raises:
            InvalidInputError: a text that is blank or cannot be stored.
            StoreFullError: the turn could not be written; nothing was stored.
        """
        user_turn(user_id, session_id or "new", 0, reply, instant(at), max_chars=MAX_TEXT_CHARS)
        return Reply.of(self._run("observe", Incoming(user_id, text, session_id, at), reply=reply))

    def recall(
        self, user_id: str, text: str, *, at: datetime | None = None, context_tokens: int | None = None
    ) -> Recall:
        """Return what memory holds on a question, through the graph's own route and recall.

        Nothing is written. All of the user's sessions are searched, but for what was said after `at`.

        Args:
            user_id: whose memory.
            text: the question.
            at: when it is asked; by default now.
            context_tokens: the budget of the packed evidence; by default that of the settings.
        """
        self._check_open()
        at = instant(at)
        turn = user_turn(user_id, "recall", 0, text, at, max_chars=self.settings.max_message_chars)
        memory = ShortTermMemory(1, self.count_tokens)
        state: State = {"mode": "recall", "user_id": user_id, "at": at, "turn": turn}
        if context_tokens is not None:
            state["context_tokens"] = context_tokens
        final = self._runner.run(state, memory)
        found: Recall = final["recall"]
        return replace(found, timings_ms=final["timings_ms"])

    def feedback(
        self,
        user_id: str,
        turn_id: str,
        *,
        rating: float | None = None,
        comment: str | None = None,
        edit: str | None = None,
        choice: tuple[str, Sequence[str]] | None = None,
        at: datetime | None = None,
    ) -> State:
        """Tell what the user made of a reply: exactly one of rating, comment, edit and choice.

        Args:
            user_id: the user.
            turn_id: `Reply.turn_id` of the reply.
            rating: -1 (bad) to 1 (good).
            comment: the user's words about it.
            edit: the reply as the user rewrote it.
            choice: the reply that was taken, and those that were not.
            at: when; by default now.

        Returns:
            the final state of the graph; `feedback_effect` says what changed and why.

        Raises:
            NotFoundError: the user has no such reply.
            InvalidInputError: none or several of the four, or a value out of range.
        """
        self._check_open()
        at = instant(at)
        found = self.store.turns(user_id, ids=[turn_id])
        if not found or found[0].role != "assistant":
            raise NotFoundError(f"user {user_id!r} has no reply {turn_id!r}")
        given = record(
            Feedback,
            user_id=user_id,
            turn_id=turn_id,
            at=at,
            rating=rating,
            comment=comment,
            edit=None if edit is None else record(Edit, before=found[0].text, after=edit),
            choice=None if choice is None else choice_of(*choice),
        )
        with self._sessions.turn_of(user_id):
            memory = self._sessions.memory(user_id, found[0].session_id)
            state: State = {"mode": "feedback", "user_id": user_id, "at": at, "feedback": given}
            final = self._runner.run(state, memory)
            self._after(final)
        return final

    def undo_feedback(self, user_id: str, feedback_id: str, *, at: datetime | None = None) -> State:
        """Take feedback back: preferences, corrections, weights and persona are as if it had not been given.

        Args:
            user_id: the user.
            feedback_id: the id of a stored feedback, `final["feedback"].id` of what `feedback` returned.
            at: when; by default now.

        Returns:
            the final state of the graph; `feedback_effect` says what changed.

        Raises:
            NotFoundError: the user gave no such feedback.
            InvalidInputError: it was taken back already.
        """
        self._check_open()
        at = instant(at)
        with self._sessions.turn_of(user_id):
            given = next((one for one in self.store.feedback(user_id) if one.id == feedback_id), None)
            if given is None:
                raise NotFoundError(f"user {user_id!r} gave no feedback {feedback_id!r}")
            if given.undone_at is not None:
                raise InvalidInputError(f"feedback {feedback_id!r} was taken back already")
            state: State = {"mode": "feedback", "user_id": user_id, "at": at, "undo": feedback_id}
            final = self._runner.run(state, ShortTermMemory(1, self.count_tokens))
            self._after(final)
        return final

    def end_session(self, user_id: str, session_id: str) -> None:
        """Consolidate a session into long-term memory now, rather than after the idle gap.

        Raises:
            NotFoundError: the user has no such session.
        """
        self._check_open()
        with self._sessions.turn_of(user_id):
            if session_id not in {one.id for one in self.store.sessions(user_id)}:
                raise NotFoundError(f"user {user_id!r} has no session {session_id!r}")
            self._end(user_id, (session_id,))

    def ingest(
        self,
        user_id: str,
        conversations: Iterable[Conversation],
        *,
        learn: bool = True,
        progress: Progress | bool = False,
    ) -> int:
        """Bring in whole conversations from elsewhere; they go straight into long-term memory.

        A conversation that is already stored is left as it is, so the same call can be repeated after
        an interruption. Conversations are read in time order.

        Args:
            user_id: whose conversations.
            conversations: each with its id, date and messages.
            learn: also take preferences and facts from the user's messages.
            progress: True shows a bar on stderr; a function is called with (messages done, messages in all).

        Returns:
            the number of messages stored.
        """
        self._check_open()
        ordered = sorted(conversations, key=lambda one: one.at)
        if len({one.id for one in ordered}) < len(ordered):
            raise InvalidInputError("two conversations of one call have the same id; give each its own")
        learnt = partial(self._learnt, user_id) if learn else _nothing
        shown = progress_bar("Bringing in messages") if progress is True else nullcontext(progress or _unseen)
        with shown as report, self._sessions.turn_of(user_id):
            # A conversation that goes on here may get turns that its short-term memory does not know.
            self._drop(user_id)
            n_stored = ingest_conversations(self.store, user_id, ordered, learn=learnt, progress=report)
        if ordered:
            self._background.after_ingest(user_id, ordered[-1].at)
        if learn and n_stored and self.settings.learn_from_writing:
            self._background.observe(user_id)
        return n_stored

    # -- life and death

    def settle(self) -> None:
        """Wait for work that replies did not wait for; what fails in it is logged and tried again.

        Where a chat model reads turns, every turn that waits is read, but for those with which it fails.
        """
        self._background.settle()

    def usage(self) -> ModelUsage:
        """Return what was asked of the chat model beside replies since the agent was opened."""
        return self._background.usage()

    def close(self, *, flush: bool = False) -> None:
        """Finish what is pending and close the store; may be called twice.

        Args:
            flush: also wait until a chat model has read the turns and worded the profiles that wait for it.
                Else turns wait in the store, and are read when it is opened next; profiles stay in the
                rules' words until the next change.
        """
        if self._closed:
            return
        self._closed = True
        try:
            self._threads.shutdown(wait=True)
            if flush:
                self.settle()
            self._background.close()
        finally:
            self.store.close()
            if self._closes_generator:
                close_generator(self.generator)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # -- inside

    def _turn(self, incoming: Incoming, emit: Emit, cancelled: Event) -> Reply:
        return Reply.of(self._run("turn", incoming, emit, cancelled))

    def _run(
        self,
        mode: Literal["turn", "prepare", "observe"],
        incoming: Incoming,
        emit: Emit = ignore,
        cancelled: Event | None = None,
        *,
        reply: str | None = None,
    ) -> State:
        """Run the graph on a message of the user."""
        self._check_open()
        user_id, at = incoming.user_id, instant(incoming.at)
        incoming.check(self.settings.max_message_chars)
        with self._sessions.turn_of(user_id):
            session_id, ended = self._sessions.resume(user_id, incoming.session_id, at)
            if ended and mode != "prepare":
                self._end(user_id, ended)
            memory = self._sessions.memory(user_id, session_id)
            state = self._runner.turn_state(user_id, session_id, incoming.text, at, memory, mode)
            state["instructions"], state["generation"] = incoming.instructions, incoming.generation or {}
            state["strength"] = incoming.strength
            if reply is not None:
                state["reply_text"] = reply
            final = self._runner.run(state, memory, emit, cancelled)
            if mode != "prepare":
                self._after(final)
        return final

    def _after(self, final: State) -> None:
        """See to what a turn leaves behind once it is stored."""
        outcome = final.get("outcome")
        if outcome is not None and outcome.forgotten is not None:
            self._drop(final["user_id"])
        self._background.after(final)

    def _learnt(self, user_id: str, turns: Sequence[Turn]) -> Changes:
        changes = learnt_changes(
            turns,
            self.store,
            user_id,
            settings=self.settings,
            norms=self.norms,
            count_tokens=self.count_tokens,
        )
        if self._background.reader is None:
            return changes
        return changes.model_copy(update={"unread": tuple(one.id for one in turns if one.role == "user")})

    def _end(self, user_id: str, session_ids: tuple[str, ...]) -> None:
        self.store.commit(user_id, Changes(ends_sessions=session_ids))
        for session_id in session_ids:
            self._sessions.drop(user_id, session_id)
        if self.settings.learn_from_writing:
            self._background.observe(user_id)
