"""Learning from feedback, measured: how much less a user has to edit, round by round.

Simulated users with a hidden taste ask, get a reply through the agent's own graph, and rewrite, rate or
criticise it; the cost is the edit distance between the reply and what they would have written (CIPHER,
Gao et al. 2024), against the same users whose feedback is never given. After half of the rounds the taste
changes.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
from langchain_core.messages import BaseMessage

from habitus.agent.generators.whole import WholeReplyChat
from habitus.agent.prompting.prompt import parse
from habitus.evals.feedback import texts as feedback_texts
from habitus.evals.feedback.log import CostLog
from habitus.evals.feedback.style import default_style, read_style, told_lines, write
from habitus.evals.feedback.texts import DOMAINS
from habitus.evals.feedback.users import (
    User,
    comment_on,
    ideal,
    opposite,
    rating_of,
    simulated_users,
    tastes_told,
)
from habitus.evals.metrics.texts import edit_cost
from habitus.evals.reports.runlog import Manifest, describe_run

if TYPE_CHECKING:
    from habitus.agent.agent import Agent
    from habitus.retrievers.encoder import Encoder

Arm = Literal["none", "edits", "mixed", "choices", "comments", "ratings", "noisy"]
ARMS: tuple[Arm, ...] = ("none", "edits", "mixed", "choices", "comments", "ratings", "noisy")
NOISE = 0.1
"""Share of the edits in the arm `noisy` that contradict the taste."""
START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
_REQUESTS = frozenset(request for domain in DOMAINS for request in domain.requests)

Matrix = npt.NDArray[np.float64]
Report = Callable[[int, str], None]


class StyleWriter(WholeReplyChat):
    """Writes a request's points in the style that the prompt asks for; stands in for a language model."""

    @property
    def _llm_type(self) -> str:
        return "habitus-style-writer"

    def reply_to(self, messages: list[BaseMessage]) -> str:
        parts = parse(messages)
        if parts.text not in _REQUESTS:
            return "Understood."
        return write(parts.text, read_style(told_lines(parts), parts.text))


@dataclass(frozen=True, kw_only=True)
class FeedbackOptions:
    """What to measure.

    Attributes:
        out: folder for report.json, run.jsonl and the curve.
        users, rounds: how many, at least 1 and 2.
        change_at: the number of rounds before the taste changes.
        arms: kinds of feedback; `none` is always run.
        seed: of users and whims.
    """

    out: Path | None = None
    users: int = 100
    rounds: int = 20
    change_at: int = 10
    arms: tuple[Arm, ...] = ARMS
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class Curve:
    """The mean edit cost by round, as a share of that without feedback.

    Attributes:
        arm: the kind of feedback.
        cost: mean normalised edit distance by round, 0..1.
        ratio: the same divided by that of the arm `none`.
        low, high: 95 % bootstrap interval of the ratio over users.
        recovered: rounds of feedback after the change until the ratio is back at its level before;
            None if it is not within the run.
    """

    arm: Arm
    cost: tuple[float, ...]
    ratio: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    recovered: int | None


@dataclass(kw_only=True)
class Measured:
    """All costs: by arm, an array of shape `(users, rounds)`."""

    costs: dict[Arm, Matrix] = field(default_factory=dict)


def measure(
    options: FeedbackOptions,
    encoder: Encoder,
    folder: Path,
    *,
    report: Report = lambda done, name: None,
    log: CostLog | None = None,
) -> Measured:
    """Run every arm through agents of its own.

    Args:
        options: what to measure.
        encoder: of the agents.
        folder: for their data.
        report: called with (users done, arm).
        log: keeps the costs of each user and arm; those that it holds already are not measured again.
    """
    users = simulated_users(
        options.users, rounds=options.rounds, change_at=options.change_at, seed=options.seed
    )
    measured = Measured()
    kept = {} if log is None else log.costs
    done = 0
    for arm in dict.fromkeys(("none", *options.arms)):
        rows = []
        with _agent(folder / arm, encoder) as agent:
            for user in users:
                costs = kept.get((arm, user.user_id))
                if costs is None:
                    costs = [round(cost, 4) for cost in _live(agent, user, arm)]
                    if log is not None:
                        log.append(arm, user.user_id, costs)
                rows.append(costs)
                done += 1
                report(done, arm)
        measured.costs[arm] = np.array(rows)
    return measured


def _agent(folder: Path, encoder: Encoder) -> Agent:
    from habitus.agent.agent import Agent

    return Agent.open(folder, encoder=encoder, generator=StyleWriter())


def _live(agent: Agent, user: User, arm: Arm) -> list[float]:
    """Play all rounds of a user; return the cost of each."""
    rng = random.Random(user.seed)
    costs: list[float] = []
    for number, request in enumerate(user.requests, start=1):
        at = START + timedelta(days=number)
        reply = agent.chat(user.user_id, request, at=at)
        wanted = ideal(request, user.taste(number))
        costs.append(edit_cost(reply.text, wanted))
        whims = random.Random(rng.randrange(2**32))
        _give(agent, user, arm, number, reply.turn_id, reply.text, whims, at + timedelta(minutes=1))
    return costs


def _give(
    agent: Agent,
    user: User,
    arm: Arm,
    number: int,
    turn_id: str,
    text: str,
    rng: random.Random,
    at: datetime,
) -> None:
    request, taste = user.requests[number - 1], user.taste(number)
    kind = arm
    if arm == "mixed":
        kind = rng.choices(("edits", "comments", "ratings"), weights=(6, 2, 2))[0]
    elif arm == "noisy":
        kind, taste = "edits", opposite(taste, rng) if rng.random() < NOISE else taste
    wanted = ideal(request, taste)
    if kind == "edits" and text != wanted:
        agent.feedback(user.user_id, turn_id, edit=wanted, at=at)
    elif kind == "ratings":
        agent.feedback(user.user_id, turn_id, rating=rating_of(edit_cost(text, wanted)), at=at)
    elif kind == "choices":
        # Two drafts besides the reply, as the model writes by itself: the one that comes nearest is taken.
        drafts = [text, *(write(request, default_style(str(rng.random()))) for _ in range(2))]
        winner = min(drafts, key=lambda draft: edit_cost(draft, wanted))
        losers = [draft for draft in drafts if draft != winner]
        if losers:
            agent.feedback(user.user_id, turn_id, choice=(winner, losers), at=at)
    elif kind == "comments":
        told = tastes_told(text, taste, rng) if rng.random() < 0.25 else None
        comment = told or comment_on(text, request, taste, rng)
        if rng.random() < 0.5:
            agent.feedback(user.user_id, turn_id, comment=comment, at=at)
        else:
            agent.chat(user.user_id, comment, at=at)


def curves(measured: Measured, *, change_at: int, seed: int = 0, n_resamples: int = 1_000) -> list[Curve]:
    """Return the curve of every arm but `none`, with intervals over users (paired ratio of means)."""
    base = measured.costs["none"]
    rng = np.random.default_rng(seed)
    picks = rng.integers(0, len(base), size=(n_resamples, len(base)))
    found = []
    for arm, costs in measured.costs.items():
        if arm == "none":
            continue
        ratio = costs.mean(axis=0) / base.mean(axis=0)
        resampled = costs[picks].mean(axis=1) / np.maximum(base[picks].mean(axis=1), 1e-9)
        low, high = np.quantile(resampled, (0.025, 0.975), axis=0)
        found.append(
            Curve(
                arm=arm,
                cost=_rounded(costs.mean(axis=0)),
                ratio=_rounded(ratio),
                low=_rounded(low),
                high=_rounded(high),
                recovered=recovered(ratio.tolist(), change_at),
            )
        )
    return found


def _rounded(values: Iterable[float]) -> tuple[float, ...]:
    return tuple(round(float(value), 4) for value in values)


LEVEL = 0.25
"""What the cost is to fall to; a curve that lay higher before the change is back when it is there again."""


def recovered(ratio: Sequence[float], change_at: int) -> int | None:
    """Return after how many rounds of feedback on the new taste the ratio is back; None if never."""
    if not 0 < change_at < len(ratio):
        return None
    level = max(LEVEL, ratio[change_at - 1])
    for rounds in range(1, len(ratio) - change_at):
        if ratio[change_at + rounds] <= level:
            return rounds
    return None


def settings_of(options: FeedbackOptions) -> dict[str, object]:
    """Return what a run depends on, as JSON values."""
    settings = {key: value for key, value in asdict(options).items() if key != "out"}
    return dict(json.loads(json.dumps(settings)))


def manifest_of(options: FeedbackOptions, encoder: str) -> Manifest:
    """Return what has to be the same for two parts to be of one run.

    The data are the texts that replies are written from. Arms do not depend on each other, so a run can be
    given more of them later.

    Args:
        options: what is measured.
        encoder: fingerprint of the agents' encoder.
    """
    settings = {key: value for key, value in settings_of(options).items() if key != "arms"}
    return describe_run("feedback", Path(feedback_texts.__file__), encoder, settings)


def as_report(options: FeedbackOptions, measured: Measured, found: Sequence[Curve]) -> dict[str, object]:
    """Return everything as JSON values."""
    none = measured.costs["none"].mean(axis=0)
    return {
        "benchmark": "feedback",
        "settings": settings_of(options),
        "cost_without_feedback": _rounded(none),
        "arms": {curve.arm: asdict(curve) for curve in found},
    }
