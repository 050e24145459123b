"""`habitus eval session`: a run from its options to its files and its table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from habitus.evals.harness.shards import Shard
from habitus.evals.insession.measuring import Asked, SessionReport, fitting, score, show, solver
from habitus.evals.running import FAILED, check_positive, progress

if TYPE_CHECKING:
    from habitus.agent.settings import Settings
    from habitus.retrievers.encoder import Encoder


@dataclass(frozen=True, kw_only=True)
class SessionOptions:
    """What a run is asked for.

    Attributes:
        data: a LongMemEval file.
        out: folder for run.jsonl, scores.jsonl and session.json.
        settings: of the agents.
        n_turns: length of each session.
        limit: only so many questions, evenly of every type.
        seed: of the questions and of the order of a session.
        concurrency: questions at once.
        shard: only these questions.

    Raises:
        UsageError: a number is below 1.
    """

    data: Path
    out: Path
    settings: Settings
    n_turns: int = 300
    limit: int | None = None
    seed: int = 0
    concurrency: int = 1
    shard: Shard | None = None

    def __post_init__(self) -> None:
        check_positive(turns=self.n_turns, limit=self.limit, concurrency=self.concurrency)


def run_insession(options: SessionOptions, prepare: Callable[[], Encoder]) -> int:
    """Run `habitus eval session`: ask, print the table, write the files, return the exit code.

    Raises:
        DatasetError: the data file cannot be used, or no question can be asked.
        RunLogError: the output folder cannot be used for this run.
    """
    from rich.console import Console

    from habitus.evals.harness.runner import run
    from habitus.evals.longmemeval.files import DatasetError, SampleReader
    from habitus.evals.longmemeval.haystacks import select
    from habitus.evals.longmemeval.run import say_interrupted
    from habitus.evals.reports.runlog import RunLog, describe_run
    from habitus.evals.reports.scored_runs import write_scores
    from habitus.evals.reports.tables import write_report

    with SampleReader(options.data) as reader:
        samples, n_left_out = fitting(
            select(reader, options.limit, options.seed), options.n_turns, options.seed
        )
    if not samples:
        raise DatasetError(
            f"no question of {str(options.data)!r} has a history of {options.n_turns} turns; "
            "give fewer --turns"
        )
    encoder = prepare()
    told = {"turns": options.n_turns, "seed": options.seed, **options.settings.model_dump(mode="json")}
    manifest = describe_run("session", options.data, encoder.fingerprint, told)
    with RunLog(options.out, manifest, Asked, options.shard) as log:
        with progress("Sessions", len(samples)) as shown:
            outcome = run(
                samples,
                solver=solver(encoder, options.settings, options.n_turns, options.seed),
                scorer=score,
                log=log,
                concurrency=options.concurrency,
                shard=options.shard,
                on_sample=lambda found: shown(found.n_done, found.told),
            )
        write_scores(log.folder, outcome.scores)
        if outcome.interrupted:
            return say_interrupted(log)
        report = SessionReport(
            encoder=encoder.fingerprint,
            asked=tuple(one.asked for one in outcome.scores),
            n_left_out=n_left_out,
        )
        written = report.as_json() | {"failures": [one.error for one in outcome.failures]}
        path = write_report(
            log.folder, written | {"manifest": log.manifest.model_dump(mode="json")}, "session.json"
        )
    show(report, options.settings, Console())
    Console().print(f"Written: {path}", highlight=False, soft_wrap=True)
    return FAILED if outcome.failures else 0
