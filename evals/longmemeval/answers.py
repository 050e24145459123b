"""LongMemEval's question answering: agents that only answer, and replies as a judge sees them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING, Any

from habitus.evals.adapters.arms import ARMS, Arm
from habitus.evals.evaluated import USER_ID
from habitus.evals.harness.agents import AgentFactory, Answer, Parts, opened
from habitus.evals.harness.judged import JudgeOptions, Verdicts
from habitus.evals.harness.models import chat_model, metered
from habitus.evals.harness.options import ModelOptions
from habitus.evals.harness.runner import Outcome
from habitus.evals.harness.shards import Shard
from habitus.evals.judges.judging import Judge
from habitus.evals.judges.longmemeval import OfficialPrompts, answer_case, official_prompts, prompt_texts
from habitus.evals.longmemeval.files import Sample
from habitus.evals.longmemeval.retrieval import Aliases, Solver, ask_at
from habitus.evals.longmemeval.scoring import Score, score
from habitus.evals.reports.runlog import Finished
from habitus.memory.usage import Price, Usage

if TYPE_CHECKING:
    from habitus.retrievers.encoder import Encoder


@dataclass(frozen=True, kw_only=True)
class Answering:
    """An agent that is asked through the two methods alone.

    Attributes:
        factory: makes a fresh one for every question.
        parts: what it is made of.
        encoder: fingerprint of the encoder that it may use, or `none`.
        oracle: it is given the evidence sessions alone.
    """

    factory: AgentFactory
    parts: Parts
    encoder: str
    oracle: bool = False


def answering_named(
    name: str, generator: str | None, options: ModelOptions, encoder: Encoder, generator_window: int | None
) -> Answering:
    """Return an agent by the name of its arm or factory.

    Args:
        name: of an arm, or `module:factory`.
        generator: name of its chat model, made when it is first used.
        options: of the chat model.
        encoder: of texts.
        generator_window: how many tokens the chat model reads, where it does not tell.

    Raises:
        UsageError: there is no such agent.
    """
    arm = ARMS[name] if name in ARMS else Arm(factory=name, told=name)
    parts = Parts(
        generator=partial(chat_model, generator, options) if generator else None,
        encoder=lambda: encoder,
        generator_window=generator_window,
    )
    fingerprint = encoder.fingerprint if arm.uses_encoder else "none"
    return Answering(factory=arm.load(), parts=parts, encoder=fingerprint, oracle=arm.oracle)


def answering_solver(agent: Answering, scratch: Path) -> Solver:
    """Return a solver for which every question is a fresh user of a fresh agent.

    Args:
        agent: how it is made.
        scratch: an existing folder for the agents' folders.
    """

    def solver(sample: Sample) -> Finished:
        told = sample.sessions
        if agent.oracle:
            told = tuple(one for one in told if one.id in sample.evidence_session_ids)
        started = perf_counter()
        with (
            metered() as meter,
            TemporaryDirectory(dir=scratch) as folder,
            opened(agent.factory, Path(folder), agent.parts) as made,
        ):
            made.ingest(USER_ID, Aliases(told).conversations)
            ingested = perf_counter()
            answer = made.answer(USER_ID, sample.question, ask_at(sample))
            answered = perf_counter()
        if isinstance(answer, str):
            answer = Answer(text=answer)
        return Finished(
            question_id=sample.id,
            question_type=sample.type,
            recalled=False,
            hypothesis=answer.text,
            cut=answer.cut,
            usage=answer.usage or meter.usage,
            latency_ms={
                "ingest": round(1e3 * (ingested - started), 3),
                "answer": round(1e3 * (answered - ingested), 3),
            },
        )

    return solver


class JudgedScorer:
    """Scores results as `habitus.evals.longmemeval.scoring` does, and their replies by a judge's verdict.

    Args:
        judge: asked once for every reply.
        verdicts: where its judgements go.
        official: prompts from a clone of the benchmark; by default our own wording.
    """

    def __init__(self, judge: Judge, verdicts: Verdicts, official: OfficialPrompts | None = None) -> None:
        self._judge, self._verdicts, self._official = judge, verdicts, official

    def __call__(self, sample: Sample, result: Finished) -> Score:
        made = score(sample, result)
        if result.hypothesis is None:
            return made
        case = answer_case(sample, result.hypothesis, self._official)
        right = self._verdicts.accuracy(self._judge, sample.id, case)
        if right is None:
            return made
        kind = "judged.abstention" if sample.is_abstention else "judged.answerable"
        return replace(made, views={**made.views, "judged.all": right, kind: right})


class Judging:
    """The judge of a run, if it has one.

    Args:
        options: of the judge.
        clone: of the benchmark, for its own prompts.

    Raises:
        UsageError: the clone holds none.
    """

    def __init__(self, options: JudgeOptions | None, clone: Path | None) -> None:
        self._verdicts = None if options is None else Verdicts(options=options)
        self._official = None if clone is None else official_prompts(clone)

    @property
    def prompts(self) -> dict[str, str]:
        """What the judge is asked, for the manifest."""
        return {} if self._verdicts is None else prompt_texts(self._official)

    def scorer(self, out: Path, shard: Shard | None) -> Callable[[Sample, Finished], Score]:
        """Return the scorer of a run in a folder; call it once the folder is this run's."""
        if self._verdicts is None:
            return score
        judge = self._verdicts.options.make(out, shard)
        return JudgedScorer(judge, self._verdicts, self._official)

    @property
    def n_failed(self) -> int:
        """Replies on which the judge's provider failed."""
        return self._verdicts.n_failed if self._verdicts else 0

    def write(self, folder: Path) -> None:
        if self._verdicts is not None:
            self._verdicts.write(folder)

    def report(self) -> dict[str, Any]:
        return {} if self._verdicts is None else {"judge": self._verdicts.report()}


def answers_report(outcome: Outcome[Score], price: Price | None) -> dict[str, Any]:
    """Return what replies cost, what prompts had to leave out, and how long the run took."""
    report: dict[str, Any] = {"seconds": round(outcome.seconds, 3)}
    if (share := harness_share(outcome)) is not None:
        report["harness_share"] = share
    if outcome.usage.n_calls:
        report["usage"] = usage_report(outcome.usage, price)
    if cut := cut_report(outcome.scores):
        report["cut"] = cut
    return report


def harness_share(outcome: Outcome[Score]) -> float | None:
    """Return the share of a run's time that was spent outside the agent: reading, scoring, writing.

    None if it cannot be told: questions ran side by side, failed or came from an earlier run.
    """
    in_agent = sum(
        value for one in outcome.scores for step, value in one.latency_ms.items() if "." not in step
    )
    if outcome.concurrency > 1 or outcome.n_resumed or outcome.failures or not outcome.seconds:
        return None
    return round(1.0 - in_agent / 1e3 / outcome.seconds, 4)


def usage_report(usage: Usage, price: Price | None) -> dict[str, Any]:
    """Return the calls and tokens of the chat model under test, and what they cost."""
    return {**asdict(usage), "cost": None if price is None else price.of(usage)}


def cut_report(scores: Iterable[Score]) -> dict[str, dict[str, float]]:
    """Return, by part of the prompt, in how many questions it was cut, and the mean share that was kept."""
    kept: dict[str, list[float]] = defaultdict(list)
    for one in scores:
        for cut in one.cut:
            kept[cut.part].append(cut.kept / cut.of)
    return {part: {"questions": len(shares), "kept": fmean(shares)} for part, shares in kept.items()}
