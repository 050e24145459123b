"""What an agent asks of a chat model beside replies: tokens, money, and what came of it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Literal

from habitus.agent.settings import Settings
from habitus.memory.structured import StructuredChat
from habitus.memory.tokens import CountTokens
from habitus.memory.usage import Price, Usage

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

Purpose = Literal["extraction", "profile"]


@dataclass(frozen=True, kw_only=True)
class ModelUsage:
    """What was asked of the chat model beside replies since the agent was opened.

    Attributes:
        extraction: reading turns.
        profile: wording profiles.
        outcomes: how often, by name: of turns `read`, `repaired`, `unreadable`, `nothing to read`; of edits
            `edit read`, `edit unreadable`; of calls `failed`; of records `confirmed`, `doubted`, `added`,
            `held`; of what the user's words did not bear out `dropped: <reason>`; of the profile's sections
            `worded`, `not worded`, and of
            `sentences dropped` from them.
        cost: in `currency`; None where `Settings.price` is not set.
    """

    extraction: Usage = field(default_factory=Usage)
    profile: Usage = field(default_factory=Usage)
    outcomes: Mapping[str, int] = field(default_factory=dict)
    cost: float | None = None
    currency: str | None = None

    @property
    def total(self) -> Usage:
        """Calls and tokens of both together."""
        return self.extraction + self.profile


def structured(model: BaseChatModel, settings: Settings, count_tokens: CountTokens) -> StructuredChat:
    """Return the chat model as it is asked for data, under the settings of an agent."""
    return StructuredChat(
        model,
        timeout_seconds=settings.model_timeout.total_seconds(),
        tracing=settings.tracing,
        count_tokens=count_tokens,
    )


class Meter:
    """Counts; safe to use from several threads."""

    def __init__(self, price: Price | None = None) -> None:
        self._price = price
        self._usage: dict[Purpose, Usage] = defaultdict(Usage)
        self._outcomes: Counter[str] = Counter()
        self._guard = Lock()

    def add(self, purpose: Purpose, usage: Usage, outcomes: Mapping[str, int]) -> None:
        with self._guard:
            self._usage[purpose] = self._usage[purpose] + usage
            self._outcomes.update(outcomes)

    def outcomes(self, outcomes: Mapping[str, int]) -> None:
        with self._guard:
            self._outcomes.update(outcomes)

    def read(self) -> ModelUsage:
        """Return what was counted so far."""
        with self._guard:
            extraction, profile = self._usage["extraction"], self._usage["profile"]
            return ModelUsage(
                extraction=extraction,
                profile=profile,
                outcomes={name: n for name, n in self._outcomes.items() if n},
                cost=None if self._price is None else self._price.of(extraction + profile),
                currency=None if self._price is None else self._price.currency,
            )
