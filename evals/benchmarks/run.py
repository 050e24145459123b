"""`habitus eval personamem`, `perltqa`, `beam`, `lamp` and `longlamp`: from cases to files and tables."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from habitus.evals.harness.shards import Shard
from habitus.evals.running import FAILED, check_positive, progress, scratch_in

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from rich.console import Console

    from habitus.evals.benchmarks.cases import Case, Source
    from habitus.evals.benchmarks.solving import Solved
    from habitus.evals.harness.records import Score
    from habitus.evals.harness.runner import Outcome
    from habitus.evals.reports.runlog import Manifest, RunLog
    from habitus.retrievers.encoder import Encoder

_COLUMNS = {
    "session.all": ("recall_any@1", "recall_any@5", "recall_all@5", "recall_all@10", "mrr"),
    "turn.all": ("recall@5", "recall@10", "recall@20", "mrr"),
    "context.all": ("all_evidence_in_context",),
    "choice.all": ("accuracy",),
    "reply.all": (
        "accuracy",
        "absolute_error",
        "squared_error",
        "has_number",
        "rouge1",
        "rougeL",
        "meteor",
    ),
}
"""What is printed of each view."""


@dataclass(frozen=True, kw_only=True)
class BenchmarkOptions:
    """What a run is asked for.

    Raises:
        UsageError: a number is below 1.
    """

    name: str
    files: tuple[Path, ...]
    """Those that were read; their sha256 go into the manifest."""
    out: Path
    settings: Mapping[str, Any] = field(default_factory=dict)
    """What else must be the same for two results to belong to one run."""
    limit: int | None = None
    shard: Shard | None = None

    def __post_init__(self) -> None:
        check_positive(limit=self.limit)


def run_benchmark(
    options: BenchmarkOptions,
    read: Callable[[], tuple[Source, Sequence[Case]]],
    prepare: Callable[[], tuple[Encoder, BaseChatModel | None]],
) -> int:
    """Read the cases, put them, write the run's files, print its tables and return the exit code.

    Args:
        options: what is asked for.
        read: reads and checks the files.
        prepare: makes the encoder and the chat model under test; called once the files turned out right.

    Raises:
        DatasetError: a file cannot be used.
        RunLogError: the output folder cannot be used for this run.
    """
    from rich.console import Console

    from habitus.evals.benchmarks.solving import Solved
    from habitus.evals.longmemeval.run import say_interrupted
    from habitus.evals.reports.runlog import RunLog
    from habitus.evals.reports.scored_runs import write_scores
    from habitus.evals.reports.tables import write_report

    source, cases = read()
    encoder, generator = prepare()
    manifest = _manifest(options, source, encoder)
    with RunLog(options.out, manifest, Solved, options.shard) as log:
        outcome = _solve(cases, encoder, generator, log, options)
        write_scores(log.folder, outcome.scores)
        if outcome.interrupted:
            return say_interrupted(log)
        solved = [one for case in cases if (one := log.get(case.id)) is not None]
        report = build_report(outcome, solved, cases, log.manifest)
        path = write_report(log.folder, report)
    console = Console()
    print_benchmark(report, console)
    console.print(f"Written: {path}", highlight=False, soft_wrap=True)
    return FAILED if outcome.failures else 0


def _manifest(options: BenchmarkOptions, source: Source, encoder: Encoder) -> Manifest:
    from habitus.evals.reports.runlog import describe_run

    sums = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in options.files[1:]}
    settings = {**options.settings, "other_files": sums, "source": source.url, "licence": source.licence}
    return describe_run(options.name, options.files[0], encoder.fingerprint, settings)


def _solve(
    cases: Sequence[Case],
    encoder: Encoder,
    generator: BaseChatModel | None,
    log: RunLog[Solved],
    options: BenchmarkOptions,
) -> Outcome[Score]:
    from habitus.evals.benchmarks.scoring import score
    from habitus.evals.benchmarks.solving import HabitusSolver
    from habitus.evals.harness.runner import Outcome, run

    total = len(range(len(cases))[:: options.shard.of if options.shard else 1])
    with (
        suppress(KeyboardInterrupt),
        scratch_in(log.folder) as scratch,
        progress(options.name, total) as show,
        HabitusSolver(encoder, scratch, generator=generator) as solver,
    ):
        return run(
            cases,
            solver=solver,
            scorer=score,
            log=log,
            shard=options.shard,
            on_sample=lambda outcome: show(outcome.n_done, outcome.told),
        )
    return Outcome(interrupted=True)


def build_report(
    outcome: Outcome[Score], solved: Sequence[Solved], cases: Sequence[Case], manifest: Manifest
) -> dict[str, Any]:
    """Return the content of `report.json`: means by view and type, latency, tokens, and F1 over classes."""
    from habitus.evals.metrics.estimates import percentiles
    from habitus.evals.reports.tables import aggregate

    report: dict[str, Any] = {
        "benchmark": manifest.benchmark,
        "questions": {
            "selected": len(outcome.scores) + len(outcome.failures),
            "finished": len(outcome.scores),
            "failed": len(outcome.failures),
        },
        "failures": [
            failure.model_dump(exclude={"traceback"}, exclude_none=True) for failure in outcome.failures
        ],
        "intervals": {"confidence": 0.95, "method": "percentile bootstrap over questions", "seed": 0},
    }
    for view, groups in aggregate(outcome.scores).items():
        level, _, convention = view.partition(".")
        report.setdefault(level, {})[convention] = {
            group: {metric: asdict(estimate) for metric, estimate in found.items()}
            for group, found in groups.items()
        }
    if solved:
        steps = sorted({step for one in solved for step in one.latency_ms})
        report["latency_ms"] = {
            step: percentiles([one.latency_ms[step] for one in solved if step in one.latency_ms])
            for step in steps
        }
        report["context_tokens"] = percentiles([float(one.context_tokens) for one in solved])
    report["over_all"] = _over_all(solved, {case.id: case for case in cases})
    report["manifest"] = manifest.model_dump(mode="json")
    return report


def _over_all(solved: Sequence[Solved], cases: Mapping[str, Case]) -> dict[str, float]:
    """Return what is no mean over questions: macro F1 of a classification, RMSE of a rating."""
    from habitus.evals.benchmarks.scoring import normal

    kinds = {case.kind for case in cases.values()}
    if not solved or kinds.isdisjoint({"classification", "rating"}):
        return {}
    if "rating" in kinds:
        from habitus.evals.benchmarks.scoring import score

        errors = [score(cases[one.question_id], one).views["reply.all"]["squared_error"] for one in solved]
        return {"rmse": (sum(errors) / len(errors)) ** 0.5}
    from habitus.evals.metrics.labels import f1

    predicted = [normal(one.hypothesis) for one in solved]
    return {"macro_f1": f1(predicted, [normal(cases[one.question_id].gold) for one in solved], "macro")}


def print_benchmark(report: Mapping[str, Any], console: Console) -> None:
    """Print a table for each view: its main metrics by type of question."""
    from habitus.evals.reports.html_views import views_of
    from habitus.evals.reports.tables import metrics_table

    for view, groups in views_of(report).items():
        shown = [metric for metric in _COLUMNS.get(view, ()) if metric in next(iter(groups.values()))]
        rows = [
            (group, int(next(iter(found.values()))["n"]), {metric: found[metric]["mean"] for metric in shown})
            for group, found in groups.items()
        ]
        title = f"{report['benchmark']}: {view.partition('.')[0]}"
        console.print(metrics_table(title, rows, {metric: metric.replace("_", "\n") for metric in shown}), "")
    for name, value in report["over_all"].items():
        console.print(f"{name}: {value:.3f}")
    if failed := report["questions"]["failed"]:
        console.print(f"Failed questions, in none of these figures: {failed}", style="bold red")
