"""What a run of one of PrefEval's tasks is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

from habitus.evals.harness.shards import Shard
from habitus.evals.running import UsageError, check_positive

if TYPE_CHECKING:
    from habitus.evals.harness.judged import JudgeOptions
    from habitus.memory.usage import Price

Form = Literal["explicit", "choice", "persona"]
"""How the preference is told: stated; shown by a choice among options; in passing, by somebody's persona."""
Task = Literal["generation", "classification"]
FORMS: tuple[Form, ...] = get_args(Form)
DISTANCES = (0, 10, 50, 100, 300)
"""Exchanges between a preference and the question on which it bears, as in the paper."""
AGENT = "agent"
ARMS: Mapping[str, str] = {
    AGENT: "Habitus as it chats, or your --agent",
    "zero-shot": "a chat model, the whole conversation and the question",
    "reminder": "the same, and a reminder of what was told",
    "chain-of-thought": "the same, examples, and thinking before the answer",
    "self-critique": "the same, a critique of the answer by examples, a second answer",
    "rag": "the same, and the 5 messages nearest to the question",
}


@dataclass(frozen=True, kw_only=True)
class AdherenceOptions:
    """What a run is asked for.

    Raises:
        UsageError: a name that there is not, a number out of range, or options that do not go together.
    """

    data: Path
    out: Path
    task: str = "generation"
    forms: tuple[str, ...] = FORMS[:1]
    distances: tuple[int, ...] = DISTANCES
    distractors: Path | None = None
    arm: str = AGENT
    agent: str | None = None
    """`module:factory` of somebody else's agent."""
    generator: str | None = None
    price: Price | None = None
    judge: JudgeOptions | None = None
    official: Path | None = None
    """Clone of the benchmark whose words the arms and the judge use."""
    limit: int | None = None
    seed: int = 0
    concurrency: int = 1
    shard: Shard | None = None

    def __post_init__(self) -> None:
        check_positive(limit=self.limit, concurrency=self.concurrency)
        _check_names("--task", (self.task,), get_args(Task))
        _check_names("--form", self.forms, FORMS)
        _check_names("--arm", (self.arm,), tuple(ARMS))
        if min(self.distances) < 0:
            raise UsageError(f"--distance must be 0 or more, got {min(self.distances)}")
        if max(self.distances) and self.distractors is None:
            raise UsageError("distances beyond 0 need conversations to come in between: give --distractors")
        if self.arm != AGENT and self.agent is not None:
            raise UsageError("--agent goes with --arm agent")
        if self.arm != AGENT and self.generator is None:
            raise UsageError(f"--arm {self.arm} asks a chat model: give --generator")
        if self.task == "classification" and self.judge is not None:
            raise UsageError("--judge is for the generation task; a choice needs none")

    @property
    def asked_forms(self) -> tuple[Form, ...]:
        return tuple(form for form in FORMS if form in self.forms)

    @property
    def asked_task(self) -> Task:
        return cast(Task, self.task)

    @property
    def asked_distances(self) -> tuple[int, ...]:
        return tuple(sorted(set(self.distances)))

    @property
    def settings(self) -> dict[str, Any]:
        """What of it must be the same for two results to belong to one run; items may be added later."""
        found: dict[str, Any] = {
            "task": self.task,
            "arm": self.agent or self.arm,
            "generator": self.generator,
            "distractors": self.distractors.name if self.distractors else None,
            # Which conversations a topic gets depends on the greatest distance.
            "distances": list(self.asked_distances),
            "seed": self.seed,
            "wording": "official" if self.official else "own",
        }
        return found | (self.judge.settings if self.judge else {})


def _check_names(option: str, names: tuple[str, ...], known: tuple[str, ...]) -> None:
    for name in names:
        if name not in known:
            raise UsageError(f"there is no {option} {name!r}; there are {', '.join(known)}")
