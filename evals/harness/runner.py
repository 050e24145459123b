"""The runner: samples to solver and scorer, several at once, and nothing that was finished is lost.

A result is on disk before it is scored, so an interrupted run loses at most the samples it was at. An
exception of a solver or scorer is kept with its sample and counted, and the run goes on.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass, field
from threading import Thread
from time import perf_counter
from typing import Generic

from habitus.evals.harness.records import Failed, R, S, Sample, Scorer, ScoreT, Solver
from habitus.evals.harness.shards import Shard
from habitus.evals.reports.runlog import RunLog
from habitus.evals.running import UsageError
from habitus.memory.usage import Usage

MAX_ERROR_CHARS = 1_000


@dataclass(kw_only=True)
class Outcome(Generic[ScoreT]):
    """What came of a run's samples.

    Attributes:
        scores: of the finished samples; once the run is over, in the order of the samples.
        failures: the others.
        n_resumed: of the scores, those whose results an earlier run left.
        usage: of the chat model under test, over all results.
        seconds: that the run took, or has taken so far; what an earlier run left is not in it.
        interrupted: the user stopped it.
        concurrency: samples at once.
    """

    scores: list[ScoreT] = field(default_factory=list)
    failures: list[Failed] = field(default_factory=list)
    n_resumed: int = 0
    usage: Usage = field(default_factory=Usage)
    seconds: float = 0.0
    interrupted: bool = False
    concurrency: int = 1

    @property
    def n_done(self) -> int:
        return len(self.scores) + len(self.failures)

    @property
    def told(self) -> str:
        """How far it is, for the progress bar."""
        told = f"{self.n_done} questions ({self.n_resumed} kept, {len(self.failures)} failed)"
        n_tokens = self.usage.input_tokens + self.usage.output_tokens
        return f"{told}, {n_tokens:,} tokens" if n_tokens else told


@dataclass(frozen=True, kw_only=True)
class _Done(Generic[ScoreT]):
    place: int
    resumed: bool
    usage: Usage
    made: ScoreT | Failed


def run(
    samples: Iterable[S],
    *,
    solver: Solver[S, R],
    scorer: Scorer[S, R, ScoreT],
    log: RunLog[R],
    concurrency: int = 1,
    shard: Shard | None = None,
    on_sample: Callable[[Outcome[ScoreT]], None] = lambda outcome: None,
) -> Outcome[ScoreT]:
    """Solve every sample, unless the log already holds its result, and score it.

    Ctrl-C ends the run. One sample at a time, the sample it is at is given up at once; with more, those that
    are under way are finished first, and a second Ctrl-C gives them up.

    Args:
        samples: read one after the other; no more than `concurrency` are held.
        solver: asks the system under test.
        scorer: compares with the gold; also called on results of an earlier run.
        log: where results go, and come from when a run is taken up again.
        concurrency: samples at once, at least 1.
        shard: only its samples.
        on_sample: called after each sample, in this thread.

    Raises:
        RunLogError: a result could not be written.
        UsageError: of the solver, which cannot work as the command was given.
    """
    outcome: Outcome[ScoreT] = Outcome(concurrency=concurrency)
    places: dict[str, int] = {}
    started = perf_counter()

    def work(place: int, sample: S) -> _Done[ScoreT]:
        return _work(place, sample, solver, scorer, log)

    def take(done: _Done[ScoreT]) -> None:
        places[done.made.question_id] = done.place
        outcome.n_resumed += done.resumed
        outcome.usage = outcome.usage + done.usage
        if isinstance(done.made, Failed):
            outcome.failures.append(done.made)
        else:
            outcome.scores.append(done.made)
        outcome.seconds = perf_counter() - started
        on_sample(outcome)

    chosen = ((place, one) for place, one in enumerate(samples) if shard is None or shard.holds(place))
    if concurrency == 1:
        outcome.interrupted = _one_by_one(chosen, work, take)
    else:
        outcome.interrupted = _side_by_side(chosen, work, take, concurrency)
    outcome.scores.sort(key=lambda one: places[one.question_id])
    outcome.failures.sort(key=lambda one: places[one.question_id])
    outcome.seconds = perf_counter() - started
    return outcome


def _work(
    place: int, sample: S, solver: Solver[S, R], scorer: Scorer[S, R, ScoreT], log: RunLog[R]
) -> _Done[ScoreT]:
    kept = log.get(sample.id)
    result: R | Failed = _solve_or_fail(sample, solver) if kept is None else kept
    if kept is None:
        log.append(result)
    usage = result.usage or Usage()
    if isinstance(result, Failed):
        return _Done(place=place, resumed=False, usage=usage, made=result)
    try:
        made: ScoreT | Failed = scorer(sample, result)
    except Exception as error:
        made = _failed(sample, error, "scoring: ")
        log.append(made)
    return _Done(
        place=place, resumed=kept is not None and not isinstance(made, Failed), usage=usage, made=made
    )


def _solve_or_fail(sample: S, solver: Solver[S, R]) -> R | Failed:
    try:
        return solver(sample)
    except UsageError:
        raise  # every other sample would fail as well
    except Exception as error:
        return _failed(sample, error)


def _failed(sample: Sample, error: Exception, where: str = "") -> Failed:
    return Failed(
        question_id=sample.id,
        question_type=sample.type,
        error=f"{where}{type(error).__name__}: {error}"[:MAX_ERROR_CHARS],
        traceback="".join(traceback.format_exception(error)),
    )


def _one_by_one(
    chosen: Iterator[tuple[int, S]],
    work: Callable[[int, S], _Done[ScoreT]],
    take: Callable[[_Done[ScoreT]], None],
) -> bool:
    """Work in this thread; return whether the user interrupted it."""
    try:
        for place, sample in chosen:
            take(work(place, sample))
    except KeyboardInterrupt:
        return True
    return False


def _side_by_side(
    chosen: Iterator[tuple[int, S]],
    work: Callable[[int, S], _Done[ScoreT]],
    take: Callable[[_Done[ScoreT]], None],
    concurrency: int,
) -> bool:
    """Work on several samples at once, each in a thread of its own; return whether it was interrupted."""
    under_way: set[Future[_Done[ScoreT]]] = set()

    def collect(n_left: int) -> None:
        while len(under_way) > n_left:
            done, _ = wait(under_way, return_when=FIRST_COMPLETED)
            for one in done:
                under_way.discard(one)
                take(one.result())

    try:
        for place, sample in chosen:
            under_way.add(_started(work, place, sample))
            collect(concurrency - 1)
        collect(0)
    except KeyboardInterrupt:
        with suppress(KeyboardInterrupt):
            collect(0)
        return True
    return False


def _started(work: Callable[[int, S], _Done[ScoreT]], place: int, sample: S) -> Future[_Done[ScoreT]]:
    future: Future[_Done[ScoreT]] = Future()
    context = copy_context()

    def body() -> None:
        try:
            future.set_result(work(place, sample))
        except BaseException as error:  # whatever it is, the run waits for it
            future.set_exception(error)

    # A daemon: a thread that waits for a provider that hangs must not keep the process alive.
    Thread(target=context.run, args=(body,), daemon=True).start()
    return future
