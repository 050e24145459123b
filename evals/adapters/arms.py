"""The agents that benchmarks can be run with, by name."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from habitus.evals.harness.agents import AgentFactory
from habitus.evals.running import UsageError

HABITUS = "habitus"


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One way to answer.

    Attributes:
        factory: `module:factory` of the agent, imported when it is used.
        told: what it is, in words.
        oracle: it is given the sessions with the evidence alone.
        uses_encoder: texts are encoded.
    """

    factory: str
    told: str
    oracle: bool = False
    uses_encoder: bool = True

    def load(self) -> AgentFactory:
        from habitus.evals.harness.agents import load_agent

        return load_agent(self.factory)


_HISTORY, _PEERS = "habitus.evals.adapters.history", "habitus.evals.adapters.peers"
ARMS: Mapping[str, Arm] = {
    HABITUS: Arm(factory="habitus.evals.adapters.habitus:habitus", told="this agent, as it chats"),
    "no-memory": Arm(factory=f"{_HISTORY}:no_memory", told="the model alone", uses_encoder=False),
    "window": Arm(factory=f"{_HISTORY}:window", told="the model and the latest 1,000 tokens"),
    "full-history": Arm(factory=f"{_HISTORY}:full_history", told="the model and all that its window holds"),
    "oracle": Arm(factory=f"{_HISTORY}:full_history", told="the model and the evidence alone", oracle=True),
    "mem0": Arm(factory=f"{_PEERS}:mem0", told="mem0, memories picked out by the model"),
    "mem0-verbatim": Arm(factory=f"{_PEERS}:mem0_verbatim", told="mem0, messages as they stand"),
    "langmem": Arm(factory=f"{_PEERS}:langmem", told="LangMem, memories picked out by the model"),
    "langmem-verbatim": Arm(factory=f"{_PEERS}:langmem_verbatim", told="LangMem, messages as they stand"),
}


WITHOUT: Mapping[str, Mapping[str, Any]] = {
    "evidence": {"context_tokens": 0},
    "window": {"window_tokens": 0},
    "preferences": {"preference_tokens": 0, "n_applied": 0},
    "persona": {"persona_tokens": 0},
    "profile": {"profile_tokens": 0},
}
"""By part of the prompt: the settings that leave it out."""


def check_without(names: Collection[str]) -> None:
    """Refuse parts that there are not.

    Raises:
        UsageError: names it.
    """
    for name in names:
        if name not in WITHOUT:
            raise UsageError(f"there is no part {name!r} to leave out; there are {', '.join(WITHOUT)}")


def arm_named(name: str) -> Arm:
    """Return an arm.

    Raises:
        UsageError: there is none of this name.
    """
    if name not in ARMS:
        raise UsageError(f"there is no --arm {name!r}; there are {', '.join(ARMS)}")
    return ARMS[name]
