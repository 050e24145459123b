"""`habitus eval longmemeval`: a run from its options to its files and tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from habitus.evals.adapters.arms import HABITUS, check_without
from habitus.evals.harness.shards import Shard
from habitus.evals.running import (
    FAILED,
    INTERRUPTED,
    AgentUnderTest,
    UsageError,
    check_positive,
    progress,
    scratch_in,
)

if TYPE_CHECKING:
    from habitus.evals.harness.judged import JudgeOptions
    from habitus.evals.harness.runner import Outcome
    from habitus.evals.longmemeval.answers import Answering, Judging
    from habitus.evals.longmemeval.files import Sample, SampleReader
    from habitus.evals.longmemeval.retrieval import Solver, Task
    from habitus.evals.longmemeval.scoring import Score
    from habitus.evals.reports.runlog import Finished, RunLog
    from habitus.memory.usage import Price

DEFAULT_BUDGET = 2_000
POOLED_RANKS = 1_000
"""Ranks kept of a question to a pooled memory; MRR counts none beyond."""


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """What a run is asked for.

    Raises:
        UsageError: a number is below 1.
    """

    data: Path
    out: Path
    limit: int | None = None
    with_replies: bool = True
    budgets: tuple[int, ...] = (DEFAULT_BUDGET,)
    """Of the packed context, in tokens. The fields of a result are those of `context_tokens`; what was
    packed at the others is under a key of its own."""
    n_sessions: int | None = None
    """Enlarge every haystack to so many sessions."""
    pooled: bool = False
    """All sessions of all questions are one user's memory."""
    exact_limit: int | None = None
    """Users with at most so many messages are searched exactly; None is the store's default."""
    seed: int = 0
    """Of the choice of questions and fillers."""
    concurrency: int = 1
    """Questions at once."""
    shard: Shard | None = None
    """Only these questions."""
    agent: str = HABITUS
    """The arm, or `module:factory` of somebody's agent."""
    without: tuple[str, ...] = ()
    """Parts left out of Habitus's prompt."""
    generator: str | None = None
    """Name of the chat model under test; by default the one without weights."""
    price: Price | None = None
    """Of its tokens."""
    judge: JudgeOptions | None = None
    official_prompts: Path | None = None
    """A clone of the benchmark, for the judge."""

    def __post_init__(self) -> None:
        check_positive(
            limit=self.limit,
            sessions=self.n_sessions,
            exact_limit=self.exact_limit,
            concurrency=self.concurrency,
        )
        if self.pooled and (self.n_sessions or self.with_replies):
            raise UsageError("--pooled goes with --retrieval-only, and not with --sessions")
        for budget in self.budgets:
            check_positive(context_tokens=budget)
        self._check_answers()

    def _check_answers(self) -> None:
        if self.judge is not None and not self.with_replies:
            raise UsageError("--judge judges replies, so it does not go with --retrieval-only")
        if self.official_prompts is not None and self.judge is None:
            raise UsageError("--official-prompts are for a judge: give --judge")
        if self.agent != HABITUS and not (self.with_replies and self.n_sessions is None):
            raise UsageError("only habitus can be run with --retrieval-only, --pooled or --sessions")
        check_without(self.without)
        if self.agent != HABITUS and self.without:
            raise UsageError("--without leaves parts of habitus out, so it goes with no other agent")

    @property
    def context_tokens(self) -> int:
        """The default budget if it is among those asked for, else the first."""
        return DEFAULT_BUDGET if DEFAULT_BUDGET in self.budgets else self.budgets[0]

    @property
    def other_context_tokens(self) -> tuple[int, ...]:
        return tuple(sorted(set(self.budgets) - {self.context_tokens}))

    @property
    def settings(self) -> dict[str, Any]:
        """What of it must be the same for two results to belong to one run."""
        found: dict[str, Any] = {"context_tokens": self.context_tokens, "with_replies": self.with_replies}
        if self.other_context_tokens:
            found["other_context_tokens"] = list(self.other_context_tokens)
        if self.n_sessions:
            found |= {"sessions": self.n_sessions, "seed": self.seed}
        if self.pooled:
            # The haystack depends on which questions are chosen, so their number cannot be raised later.
            found |= {"pooled": True, "limit": self.limit, "seed": self.seed}
        if self.exact_limit:
            found["exact_limit"] = self.exact_limit
        if self.agent != HABITUS:
            found["agent"] = self.agent
        if self.without:
            found["without"] = sorted(self.without)
        if self.generator:
            found["generator"] = self.generator
        if self.judge:
            found |= self.judge.settings
        return found


def run_longmemeval(options: RunOptions, prepare: Callable[[], AgentUnderTest | Answering]) -> int:
    """Run the benchmark, write its files, print its tables and return the exit code.

    Args:
        options: what is asked for.
        prepare: makes the agent to test; called once the data file turned out to be readable.

    Raises:
        DatasetError: the data file cannot be used; questions finished before it was found out are kept.
        RunLogError: the output folder cannot be used for this run.
    """
    from rich.console import Console

    from habitus.evals.longmemeval.answers import Judging, answers_report
    from habitus.evals.longmemeval.files import SampleReader
    from habitus.evals.longmemeval.report import build_report, print_report
    from habitus.evals.reports.runlog import Finished, RunLog, describe_run
    from habitus.evals.reports.scored_runs import write_scores
    from habitus.evals.reports.tables import write_report

    with SampleReader(options.data) as reader:
        samples = iter(reader)
        questions = _questions(chain([next(samples)], samples), options)
        agent = prepare()
        judging = Judging(options.judge, options.official_prompts)
        manifest = describe_run("longmemeval", options.data, agent.encoder, options.settings, judging.prompts)
        with RunLog(options.out, manifest, Finished, options.shard) as log:
            outcome = _evaluate(questions, reader, agent, log, options, judging)
            write_scores(log.folder, outcome.scores)
            judging.write(log.folder)
            if outcome.interrupted:
                return say_interrupted(log)
            report = build_report(outcome, log.manifest) | answers_report(outcome, options.price)
            report |= judging.report()
            path = write_report(log.folder, report)
    console = Console()
    print_report(report, console)
    console.print(f"Written: {path}", highlight=False, soft_wrap=True)
    return FAILED if outcome.failures or judging.n_failed else 0


def _questions(samples: Iterable[Sample], options: RunOptions) -> Iterable[Sample]:
    """Return the questions to ask with their haystacks; the plain run holds one at a time."""
    if not options.pooled and options.n_sessions is None:
        return islice(samples, options.limit)
    from habitus.evals.longmemeval.haystacks import enlarge, fillers, pool, select

    everything = list(samples)
    chosen = select(everything, options.limit, options.seed)
    if options.pooled:
        return pool(chosen)
    n_sessions, filler = options.n_sessions or 0, fillers(everything)
    return (enlarge(sample, filler, n_sessions, options.seed) for sample in chosen)


def say_interrupted(log: RunLog[Any]) -> int:
    """Say on stderr how to go on, and return the exit code."""
    from rich.console import Console

    kept = f"{log.n_finished} question{' is' if log.n_finished == 1 else 's are'} finished"
    message = f"interrupted: {kept}; give the same command to go on"
    Console(stderr=True).print(message, highlight=False, soft_wrap=True)
    return INTERRUPTED


def task_of(options: RunOptions) -> Task:
    """Return what is asked of the agent for each question."""
    from habitus.evals.longmemeval.retrieval import Task

    return Task(
        context_tokens=options.context_tokens,
        other_context_tokens=options.other_context_tokens,
        with_replies=options.with_replies,
        max_ranked=POOLED_RANKS if options.pooled else None,
        metered=options.generator is not None,
    )


def _evaluate(
    questions: Iterable[Sample],
    reader: SampleReader,
    agent: AgentUnderTest | Answering,
    log: RunLog[Finished],
    options: RunOptions,
    judging: Judging,
) -> Outcome[Score]:
    from habitus.evals.harness.runner import Outcome, run

    total = len(questions) if isinstance(questions, list) else options.limit
    total = total and len(range(total)[:: options.shard.of if options.shard else 1])
    with (
        suppress(KeyboardInterrupt),
        scratch_in(log.folder) as scratch,
        progress("LongMemEval", total or 1.0) as show,
    ):

        def on_sample(outcome: Outcome[Score]) -> None:
            # The reader is ahead of the questions, and a full bar would stop the clock.
            show(outcome.n_done if total else min(reader.fraction, 0.99), outcome.told)

        with _solver(questions, agent, scratch, log, options) as solver:
            return run(
                questions,
                solver=solver,
                scorer=judging.scorer(options.out, options.shard),
                log=log,
                concurrency=options.concurrency,
                shard=options.shard,
                on_sample=on_sample,
            )
    return Outcome(interrupted=True)


def _solver(
    questions: Iterable[Sample],
    agent: AgentUnderTest | Answering,
    scratch: Path,
    log: RunLog[Finished],
    options: RunOptions,
) -> AbstractContextManager[Solver]:
    from habitus.evals.longmemeval.answers import Answering, answering_solver
    from habitus.evals.longmemeval.retrieval import fresh_user, one_user

    if isinstance(agent, Answering):
        return nullcontext(answering_solver(agent, scratch))
    task = task_of(options)
    left = [sample for sample in questions if log.get(sample.id) is None] if options.pooled else []
    if left:
        return one_user(agent.open, scratch, left[0].sessions, task, agent.settle)
    return nullcontext(fresh_user(agent.open, scratch, task))
