"""What a sample of the suite is: what a user with a hidden profile says, and what is asked in the end."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from habitus.evals.lifelong.options import Skill
from habitus.evals.lifelong.wordings import Wordings

How = Literal["chat", "observe", "comment", "rate", "forget"]
"""`chat`: said to the agent. `observe`: said to the app's own model, whose reply the agent is shown.
`comment`, `rate`: feedback on the reply before. `forget`: the app's own button, `Agent.forget_about`."""

START = datetime(2025, 1, 6, 18, tzinfo=UTC)
USER = "user"


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Step(_Record):
    """One thing that a user does."""

    user: str = USER
    minute: int
    """Since the start of the life."""
    text: str
    """The words; of a `rate`, none."""
    intent: str
    """What they are to say, for a chat model that plays the user."""
    names: tuple[str, ...] = ()
    """Words without which the meaning is lost."""
    how: How = "chat"

    @property
    def at(self) -> datetime:
        return START + timedelta(minutes=self.minute)


class AnswerProbe(_Record):
    """A question to the agent, and what its answer must and must not claim."""

    kind: Literal["answer"] = "answer"
    user: str = USER
    question: str
    right: str | None = None
    """What the answer must name."""
    wrong: tuple[str, ...] = ()
    """What it must not claim; it may name it as past, or deny it."""
    number: int | None = None
    """The number that the answer must give."""
    declines: bool = False
    """Memory holds no answer; the agent must say so."""


class TruthProbe(_Record):
    """Which of some tastes hold; the others must not. Read from the agent's records."""

    kind: Literal["truth"] = "truth"
    holds: tuple[tuple[bool, str, str | None], ...] = ()
    """Liked or not, the object, the occasion."""
    not_held: tuple[tuple[bool, str, str | None], ...] = ()


class AppliedProbe(_Record):
    """A request, and which tastes must and must not be brought to bear on it."""

    kind: Literal["applied"] = "applied"
    request: str
    wanted: tuple[bool, str]
    unwanted: tuple[bool, str]


class StyleProbe(_Record):
    """How long replies are to be, as the persona in force says."""

    kind: Literal["style"] = "style"
    wants: Literal["shorter", "longer"]


class GoneProbe(_Record):
    """Words that no way to read the user's memory, nor any file, gives back."""

    kind: Literal["gone"] = "gone"
    needles: tuple[str, ...]
    questions: tuple[str, ...]


class LeakProbe(_Record):
    """Words of one user that no way to read another's memory gives back."""

    kind: Literal["leak"] = "leak"
    reader: str
    owner: str
    needles: tuple[str, ...]
    questions: tuple[str, ...]


Probe = Annotated[
    AnswerProbe | TruthProbe | AppliedProbe | StyleProbe | GoneProbe | LeakProbe, Field(discriminator="kind")
]


class Check(_Record):
    """A probe and the instant at which it is made."""

    minute: int
    probe: Probe

    @property
    def at(self) -> datetime:
        return START + timedelta(minutes=self.minute)


class Scenario(_Record):
    """One sample: a life and its checks."""

    id: str
    type: Skill
    profile: tuple[str, ...]
    """What is true of the user; hidden from the agent."""
    steps: tuple[Step, ...]
    checks: tuple[Check, ...]
    derived: bool = False
    """Search through the derived indexes, as for a user too large for the search in memory."""


class Life:
    """A life in the making: a clock, a seeded source of whims, and what was said and is to be asked.

    Args:
        rng: of everything left to chance.
        said: the wordings.
    """

    def __init__(self, rng: random.Random, said: Wordings) -> None:
        self.rng = rng
        self.said = said
        self.profile: list[str] = []
        self.steps: list[Step] = []
        self.checks: list[Check] = []
        self._minute = 0

    def pass_days(self, least: int = 2, most: int = 20) -> None:
        """Let days go by; whatever comes next is another session."""
        self._minute += 24 * 60 * self.rng.randint(least, most)

    def say(
        self,
        wordings: Sequence[str],
        intent: str,
        names: tuple[str, ...] = (),
        *,
        user: str = USER,
        how: How | None = None,
        **parts: str,
    ) -> None:
        """Say one of the wordings; to the app's own model instead of the agent now and then."""
        text = sentence(self.rng.choice(wordings), **parts)
        chosen: How = how or ("observe" if self.rng.random() < 0.25 else "chat")
        self._add(Step(user=user, minute=self._minute, text=text, intent=intent, names=names, how=chosen))

    def talk_of_other_things(self, most: int = 2, *, user: str = USER) -> None:
        """Say ordinary things, each in a session of its own."""
        for _ in range(self.rng.randint(0, most)):
            self.pass_days(1, 4)
            self.say(self.said.ordinary, "ask something that has nothing to do with you", user=user)

    def rate(self) -> None:
        """Give the reply before the worst rating, without a word."""
        self._add(Step(minute=self._minute, text="", intent="rate the reply as bad", how="rate"))

    def ask(self, probe: Probe) -> None:
        """Check something, after everything said."""
        self.checks.append(Check(minute=self._minute, probe=probe))
        self._minute += 90

    def _add(self, step: Step) -> None:
        self.steps.append(step)
        self._minute += 3


def sentence(wording: str, **parts: str) -> str:
    """Fill in a wording, with a capital in front."""
    text = wording.format(**parts)
    return text[0].upper() + text[1:]
