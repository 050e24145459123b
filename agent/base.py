"""What an agent is made of, from its making to its end."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import TYPE_CHECKING, Self

from habitus.agent.curator import Curator
from habitus.agent.errors import ClosedError
from habitus.agent.generators.naming import close_generator
from habitus.agent.ingest import Ingester
from habitus.agent.sessions import Sessions
from habitus.agent.settings import Settings
from habitus.agent.turns import Turns
from habitus.agent.upkeep.background import Background
from habitus.agent.upkeep.metering import ModelUsage
from habitus.memory.index.remembering import remembered
from habitus.memory.known.norms import DEFAULT_NORMS
from habitus.memory.records import Norm
from habitus.memory.store import MemoryStore
from habitus.memory.tokens import CountTokens, estimate_tokens

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

_MAX_TURNS = 256
"""Turns that stream or run for async callers at once; more of them wait."""


class BaseAgent:
    """The parts of an agent and how they end; see `Agent` for the arguments."""

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
        self._turns = Turns(
            store,
            generator,
            self._sessions,
            self._background,
            settings=self.settings,
            norms=self.norms,
            count_tokens=self.count_tokens,
        )
        self._curator = Curator(
            store,
            self._sessions.turn_of,
            settings=self.settings,
            norms=self.norms,
            count_tokens=self.count_tokens,
        )
        self._ingester = Ingester(
            store,
            self._sessions,
            self._background,
            drop=self._turns.drop,
            settings=self.settings,
            norms=self.norms,
            count_tokens=self.count_tokens,
        )
        # A turn that waits for another of its user keeps a thread, so there are more than cores.
        self._threads = ThreadPoolExecutor(max_workers=_MAX_TURNS, thread_name_prefix="habitus-turn")
        self._closed = False
        self._closes_generator = False

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

    def _check_open(self) -> None:
        if self._closed:
            raise ClosedError("this agent was closed; open it again")
