"""Best of n: several replies, and the one that serves the user best (Stiennon et al., 2020)."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from habitus.agent.generators.capabilities import capabilities
from habitus.agent.generators.decoding.method import Asked
from habitus.agent.generators.decoding.plain import Plain
from habitus.memory.learning.reward import personal_rewards

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

Score = Callable[[Asked, Sequence[str]], Sequence[float]]
"""Scores replies, -1..1, higher is better."""


def preference_reward(asked: Asked, replies: Sequence[str]) -> list[float]:
    """Score replies by what the user prefers in content and form, see `personal_rewards`."""
    found = personal_rewards(
        asked.preferences,
        replies,
        encoder=asked.encoder,
        request=asked.request,
        weights=asked.weights,
    )
    return [one.score for one in found]


@dataclass(frozen=True, kw_only=True)
class BestOfN:
    """Keeps the plain reply unless another serves the user clearly better.

    Another reply has to score higher by `1 / strength - 1`: at strength 1 the best one always wins, at
    0.5 it must lead by 1 of the 2 points between crossing and honouring everything, at 0 it never does
    and only the plain reply is made. Works with every generator: one that takes no temperature and seed a
    call is simply asked n times, and has to be set up to answer differently.

    Args:
        strength: 0..1.
        n: replies, the plain one among them.
        temperature: of the others, each with a seed of its own.
        score: by default the user's preferences.
    """

    strength: float = 1.0
    n: int = 4
    temperature: float = 0.8
    score: Score = preference_reward

    def __post_init__(self) -> None:
        if not 0.0 <= self.strength <= 1.0:
            raise ValueError(f"strength must be in 0..1, got {self.strength!r}")
        if self.n < 1:
            raise ValueError(f"n must be at least 1, got {self.n!r}")

    def check(self, generator: BaseChatModel) -> None: ...

    def reply(self, asked: Asked) -> Generator[str]:
        if self.strength == 0 or self.n == 1 or not (asked.preferences or asked.weights):
            yield from Plain().reply(asked)
            return
        replies = self._candidates(asked)
        scores = self.score(asked, replies)
        best = max(range(len(replies)), key=lambda place: (scores[place], -place))
        leads = scores[best] - scores[0] > 1.0 / self.strength - 1.0
        yield replies[best if leads else 0]

    def _candidates(self, asked: Asked) -> list[str]:
        """Return the plain reply and n - 1 others; they are generated side by side."""
        settings: list[dict[str, float]] = [{} for _ in range(self.n)]
        if "sampling" in capabilities(asked.generator):
            settings[1:] = [{"temperature": self.temperature, "seed": seed} for seed in range(1, self.n)]
        with ThreadPoolExecutor(self.n) as threads:
            return list(threads.map(lambda one: asked.generate(**one), settings))
