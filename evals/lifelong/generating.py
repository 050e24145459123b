"""From a seed to the samples of the suite."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping

from habitus.evals.lifelong.facts import counting, forgetting, refusal, update
from habitus.evals.lifelong.familiar import FAMILIAR
from habitus.evals.lifelong.held_out import HELD_OUT
from habitus.evals.lifelong.options import SKILLS, Skill, WordingName
from habitus.evals.lifelong.scenarios import Life, Scenario
from habitus.evals.lifelong.secrets import isolation
from habitus.evals.lifelong.tastes import conflict, drift, scope
from habitus.evals.lifelong.wordings import Wordings

WORDINGS: Mapping[WordingName, Wordings] = {"familiar": FAMILIAR, "held_out": HELD_OUT}
_LIVES: Mapping[Skill, Callable[[Life], None]] = {
    "update": update,
    "conflict": conflict,
    "drift": drift,
    "scope": scope,
    "forgetting": forgetting,
    "refusal": refusal,
    "isolation": isolation,
    "counting": counting,
}


def generate(
    n: int,
    *,
    seed: int = 0,
    skills: Iterable[Skill] = SKILLS,
    wordings: Iterable[WordingName] = ("familiar",),
) -> list[Scenario]:
    """Generate `n` samples of each skill in each set of wordings; the same arguments give the same ones."""
    return [
        scenario(skill, number, seed=seed, wordings=name)
        for name in wordings
        for skill in skills
        for number in range(n)
    ]


def scenario(skill: Skill, number: int, *, seed: int = 0, wordings: WordingName = "familiar") -> Scenario:
    """Generate one sample."""
    # A string seeds the same everywhere, unlike a hash of a tuple.
    life = Life(random.Random(f"{seed}:{wordings}:{skill}:{number}"), WORDINGS[wordings])
    _LIVES[skill](life)
    return Scenario(
        id=f"{skill}-{wordings}-{number:04}",
        type=skill,
        profile=tuple(life.profile),
        steps=tuple(life.steps),
        checks=tuple(life.checks),
        derived=skill == "isolation" and number % 2 == 1,
    )
