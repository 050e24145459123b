"""What a run of the suite is asked for; nothing heavy is imported."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from habitus.evals.harness.shards import Shard
from habitus.evals.running import check_positive

Skill = Literal["update", "conflict", "drift", "scope", "forgetting", "refusal", "isolation", "counting"]
SKILLS: tuple[Skill, ...] = get_args(Skill)
WordingName = Literal["familiar", "held_out"]
WORDING_NAMES: tuple[WordingName, ...] = get_args(WordingName)


@dataclass(frozen=True, kw_only=True)
class LifelongOptions:
    """What a run is asked for.

    Raises:
        UsageError: a number is below 1.
    """

    out: Path
    n: int = 40
    """Lives of each skill in each set of wordings."""
    seed: int = 0
    skills: tuple[Skill, ...] = SKILLS
    wordings: tuple[WordingName, ...] = ("familiar",)
    concurrency: int = 1
    shard: Shard | None = None

    def __post_init__(self) -> None:
        check_positive(lives=self.n, concurrency=self.concurrency)
