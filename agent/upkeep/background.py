"""What replies do not wait for: profiles, how users write, what a chat model makes of turns and profiles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import TYPE_CHECKING

from habitus.agent.inputs import extraction_model
from habitus.agent.settings import Settings
from habitus.agent.state import State
from habitus.agent.upkeep.metering import Meter, ModelUsage, structured
from habitus.agent.upkeep.reading import BackgroundReader, TurnReader
from habitus.agent.upkeep.refreshing import ProfileRefresher
from habitus.agent.upkeep.wording import ProfileWording
from habitus.memory.records import Norm
from habitus.memory.store import MemoryStore
from habitus.memory.tokens import CountTokens

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel


class Background:
    """All of it, for one agent.

    Args:
        store: what is read and written.
        turn_of: keeps a user's turns out while something of theirs is written.
        generator, extractor: the chat models that may read turns, as the settings ask for it.
        settings, norms, count_tokens: those of the agent.

    Raises:
        InvalidInputError: a model is asked for and there is none, or one is given that would not be used.

    Attributes:
        reader: reads turns with a chat model; None where none is asked for.
    """

    def __init__(
        self,
        store: MemoryStore,
        turn_of: Callable[[str], AbstractContextManager[None]],
        *,
        generator: BaseChatModel,
        extractor: BaseChatModel | None,
        settings: Settings,
        norms: Sequence[Norm],
        count_tokens: CountTokens,
    ) -> None:
        self._meter = Meter(settings.price)
        model = extraction_model(extractor, generator, settings)
        chat = None if model is None else structured(model, settings, count_tokens)
        self.reader: TurnReader | None = None
        if chat is not None and settings.extraction != "rules":
            self.reader = TurnReader(chat, self._meter)
        self._wording: ProfileWording | None = None
        if chat is not None and settings.profile == "model":
            self._wording = ProfileWording(store, chat, self._meter, turn_of=turn_of)
        when_done = None if self._wording is None else self._wording.put
        self._refresher = ProfileRefresher(store, turn_of, when_done=when_done)
        self._later: BackgroundReader | None = None
        if self.reader is not None:
            self._later = BackgroundReader(
                store,
                self.reader,
                turn_of=turn_of,
                settings=settings,
                norms=norms,
                count_tokens=count_tokens,
                when_written=self._refresher.refresh_later,
            )

    def after(self, final: State) -> None:
        """Begin what a turn that is stored leaves to do."""
        standing = final["standing"]
        if self._wording is not None and standing.changes.profile is not None:
            self._wording.put(final["user_id"], final["at"])
        if standing.profile_is_stale:
            self._refresher.refresh_later(final["user_id"], final["at"])
        if self._later is not None:
            self._later.wake()

    def after_ingest(self, user_id: str, at: datetime) -> None:
        """Begin what conversations that were brought in leave to do."""
        if self._later is not None:
            self._later.wake()
        if self._wording is not None:
            self._wording.put(user_id, at)

    def observe(self, user_id: str) -> None:
        """Look, some time, at how a user writes."""
        self._refresher.observe_later(user_id)

    def refresh(self, user_id: str, at: datetime) -> None:
        """Bring a user's profile up to date now."""
        self._refresher.settle_user(user_id)
        self._refresher.refresh(user_id, at)

    def settle_profile(self, user_id: str) -> None:
        """Have a user's profile done: one made beside a deletion would bring back what is gone."""
        self._refresher.settle_user(user_id)

    def settle(self) -> None:
        """Wait for all of it; what fails is logged and tried again."""
        if self._later is not None:
            self._later.settle()
        self._refresher.settle()
        if self._wording is not None:
            self._wording.settle()

    def usage(self) -> ModelUsage:
        """Return what chat models were asked for since the agent was opened."""
        return self._meter.read()

    def close(self) -> None:
        """Give up what waits in the store anyway, and end."""
        if self._later is not None:
            self._later.close()
        self._refresher.close()
        if self._wording is not None:
            self._wording.close()
