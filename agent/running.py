"""Running the graph: the one place that calls it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from functools import partial
from threading import Event
from typing import TYPE_CHECKING, Protocol, cast

from habitus.agent.errors import CancelledError
from habitus.agent.inputs import user_turn
from habitus.agent.settings import Settings
from habitus.agent.state import Context, Mode, State
from habitus.agent.threads import Emit
from habitus.agent.tracing import spans
from habitus.memory.records import Norm
from habitus.memory.retrieval.shortterm import ShortTermMemory
from habitus.memory.store import MemoryStore
from habitus.memory.tokens import CountTokens

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from habitus.agent.upkeep.reading import TurnReader


def ignore(piece: str) -> None:
    """Take no notice of pieces: the caller wants the reply as a whole."""


class Waiting(Protocol):
    """Entered while a turn waits for a chat model, so that others may compute meanwhile."""

    def __call__(self, *, streams: bool) -> AbstractContextManager[None]: ...


class Runner:
    """The compiled graph with the parts that its nodes use."""

    def __init__(
        self,
        *,
        store: MemoryStore,
        generator: BaseChatModel,
        settings: Settings,
        norms: Sequence[Norm],
        count_tokens: CountTokens,
        reader: TurnReader | None = None,
        waiting: Waiting,
    ) -> None:
        from habitus.agent.generators.decoding.choosing import choose_decoding
        from habitus.agent.graph import build_graph

        self._decoding = choose_decoding(settings, generator)
        self.graph = build_graph()
        self._store = store
        self._generator = generator
        self._settings = settings
        self._norms = tuple(norms)
        self._count_tokens = count_tokens
        self._reader = reader
        self._span = spans(settings.opentelemetry)
        self._waiting = waiting

    def turn_state(
        self,
        user_id: str,
        session_id: str,
        text: str,
        at: datetime,
        memory: ShortTermMemory,
        mode: Mode = "turn",
    ) -> State:
        """Return the state that a user's message begins with."""
        said = memory.turns
        index = said[-1].index + 1 if said else 0
        turn = user_turn(user_id, session_id, index, text, at, max_chars=self._settings.max_message_chars)
        previous = said[-1] if said and said[-1].role == "assistant" else None
        return {"mode": mode, "user_id": user_id, "at": at, "turn": turn, "previous_reply": previous}

    def run(
        self, state: State, memory: ShortTermMemory, emit: Emit = ignore, cancelled: Event | None = None
    ) -> State:
        """Run the graph to its end.

        Args:
            state: to begin with.
            memory: the short-term memory of the session.
            emit: takes the pieces of the reply as they come.
            cancelled: looked at between steps and at each piece, until the turn is stored.

        Raises:
            CancelledError: it was cancelled before it was stored.
        """
        from langsmith import tracing_context

        final: State = {}
        cancelled = cancelled or Event()

        def check() -> None:
            if cancelled.is_set() and "reply_turn" not in final:
                raise CancelledError("the caller left before the turn was stored")

        def emit_unless_cancelled(piece: str) -> None:
            emit(piece)
            check()

        with (
            self._span(f"habitus.graph.{state['mode']}"),
            tracing_context(enabled=None if self._settings.tracing else False),
        ):
            waiting = partial(self._waiting, streams=emit is not ignore)
            context = self._context(memory, cancelled, emit_unless_cancelled, waiting)
            # Without the stream of pieces (`custom`), which would need a thread that waits for them,
            # LangGraph runs a step of one node in this thread; that is 4 ms of a turn.
            for values in self.graph.stream(state, context=context, stream_mode="values"):
                final = cast(State, values)
                check()
        return final

    def _context(
        self,
        memory: ShortTermMemory,
        cancelled: Event,
        emit: Emit,
        waiting: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> Context:
        return Context(
            store=self._store,
            generator=self._generator,
            session=memory,
            settings=self._settings,
            norms=self._norms,
            count_tokens=self._count_tokens,
            reader=self._reader,
            decoding=self._decoding,
            cancelled=cancelled,
            span=self._span,
            waiting=waiting,
            emit=emit,
        )
