"""The conversation: messages that are answered, here or by somebody else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextvars import copy_context
from datetime import datetime
from functools import partial
from threading import Event
from typing import Any

from habitus.agent.base import BaseAgent
from habitus.agent.inputs import Incoming, instant, user_turn
from habitus.agent.reply import Prepared, Reply
from habitus.agent.running import ignore
from habitus.agent.threads import Emit, aiterate, iterate
from habitus.memory.records import MAX_TEXT_CHARS


class Conversing(BaseAgent):
    """The half of an agent that talks: `Agent` is one."""

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
        self._check_open()
        return self._answer(Incoming(user_id, text, session_id, at, instructions, generation, strength))

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
        asked = Incoming(user_id, text, session_id, at, instructions, generation, strength)
        return iterate(self._threads, partial(self._answer, asked))

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
        asked = Incoming(user_id, text, session_id, at, instructions, generation, strength)
        turn = partial(self._answer, asked)
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
        """`stream` for async code; arguments and errors are those of `chat`."""
        self._check_open()
        asked = Incoming(user_id, text, session_id, at, instructions, generation, strength)
        async for part in aiterate(self._threads, partial(self._answer, asked)):
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
        self._check_open()
        asked = Incoming(user_id, text, session_id, at, instructions, generation, strength)
        return Prepared.of(self._turns.run("prepare", asked))

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
        self._check_open()
        user_turn(user_id, session_id or "new", 0, reply, instant(at), max_chars=MAX_TEXT_CHARS)
        return Reply.of(self._turns.run("observe", Incoming(user_id, text, session_id, at), reply=reply))

    def _answer(self, asked: Incoming, emit: Emit = ignore, cancelled: Event | None = None) -> Reply:
        """Take a turn; everything above that answers comes here, in the caller's thread or another."""
        self._check_open()
        return self._turns.answer(asked, emit, cancelled)
