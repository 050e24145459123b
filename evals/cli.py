"""The command line `habitus`: the agent's own commands, and `eval` and `bench`.

Nothing heavy is imported before a command runs, so that `habitus --help` answers at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from habitus.evals.longmemeval import Sample, SampleReader
    from habitus.evals.retrieval import AgentFactory, Outcome
    from habitus.evals.runlog import RunLog

FAILED = 1
USER_ERROR = 2
INTERRUPTED = 130

eval_app = typer.Typer(no_args_is_help=True, help="Run a benchmark on an agent.")
bench_app = typer.Typer(no_args_is_help=True, help="Measure speed on this machine.")


def main() -> None:
    """Run the command line."""
    from habitus.agent.cli import app, run

    add_commands(app)
    run(app)


def add_commands(app: typer.Typer) -> None:
    """Add `eval` and `bench` to an application."""
    app.add_typer(eval_app, name="eval")
    app.add_typer(bench_app, name="bench")


@eval_app.callback()
def _eval() -> None:
    """Keep `eval` a group while it holds a single command."""


@bench_app.callback()
def _bench() -> None:
    """Keep `bench` a group while it holds a single command."""


_FORWARD = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


@bench_app.command("encoder", context_settings=_FORWARD)
def bench_encoder(context: typer.Context) -> None:
    """Compare the fast encoder with sentence-transformers: texts per second, and equality."""
    from habitus.evals.bench.encoder import encoder

    command = typer.Typer(add_completion=False)
    command.command()(encoder)
    command(context.args, prog_name="habitus bench encoder")


class UsageError(ValueError):
    """The command cannot be run as given."""


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
    context_tokens: int = 2_000

    def __post_init__(self) -> None:
        for name, value in (("--limit", self.limit), ("--context-tokens", self.context_tokens)):
            if value is not None and value < 1:
                raise UsageError(f"{name} must be at least 1, got {value}")


@dataclass(frozen=True, kw_only=True)
class AgentUnderTest:
    """An agent to evaluate."""

    open: AgentFactory
    encoder: str
    """Fingerprint of its encoder."""


@eval_app.command("longmemeval")
def longmemeval(
    data: Annotated[Path, typer.Option(help="LongMemEval file in the official format, .json or .json.gz.")],
    out: Annotated[Path, typer.Option(help="Folder for run.jsonl, manifest.json and report.json.")],
    limit: Annotated[int | None, typer.Option(help="Only the first N questions.", show_default="all")] = None,
    retrieval_only: Annotated[
        bool, typer.Option("--retrieval-only", help="Stop after recall; do not ask for replies.")
    ] = False,
    embedding_cache: Annotated[
        Path | None, typer.Option(help="Folder that keeps embeddings for the next run.", show_default="none")
    ] = None,
    context_tokens: Annotated[int, typer.Option(help="Budget of the packed evidence.")] = 2_000,
) -> None:
    """Run LongMemEval (Wu et al., ICLR 2025) through the agent: each question is a fresh user.

    Interrupted, it goes on where it was when the same command is given again. Exit code 0: all
    questions finished; 1: some failed; 2: the command cannot be run as given; 130: interrupted.
    """
    with user_errors():
        options = RunOptions(
            data=data,
            out=out,
            limit=limit,
            with_replies=not retrieval_only,
            context_tokens=context_tokens,
        )
        code = run_longmemeval(options, lambda: _habitus(embedding_cache, context_tokens))
    raise typer.Exit(code)


def run_longmemeval(options: RunOptions, prepare: Callable[[], AgentUnderTest]) -> int:
    """Run the benchmark, write its files, print its tables and return the exit code.

    Args:
        options: what is asked for.
        prepare: makes the agent to test; called once the data file turned out to be readable.

    Raises:
        DatasetError: the data file cannot be used; questions finished before it was found out are kept.
        RunLogError: the output folder cannot be used for this run.
    """
    from rich.console import Console

    from habitus.evals.longmemeval import SampleReader
    from habitus.evals.report import build_report, print_report, write_report
    from habitus.evals.runlog import RunLog, describe_run

    with SampleReader(options.data) as reader:
        samples = iter(reader)
        samples = chain([next(samples)], samples)
        agent = prepare()
        settings = {"context_tokens": options.context_tokens, "with_replies": options.with_replies}
        manifest = describe_run("longmemeval", options.data, agent.encoder, settings)
        with RunLog(options.out, manifest) as log:
            outcome = _evaluate(islice(samples, options.limit), reader, agent, log, options)
            if outcome is None:
                kept = f"{log.n_finished} question{' is' if log.n_finished == 1 else 's are'} finished"
                typer.echo(f"interrupted: {kept}; give the same command to go on", err=True)
                return INTERRUPTED
            report = build_report(outcome, log.manifest)
            path = write_report(options.out, report)
    console = Console()
    print_report(report, console)
    console.print(f"Written: {path}", highlight=False, soft_wrap=True)
    return FAILED if outcome.failures else 0


def _evaluate(
    samples: Iterable[Sample], reader: SampleReader, agent: AgentUnderTest, log: RunLog, options: RunOptions
) -> Outcome | None:
    """Return what came of the questions, None if the user interrupted the run."""
    import shutil

    from rich.console import Console

    from habitus.evals.retrieval import evaluate

    # In the output folder, so that what a killed run leaves is found and removed by the next one.
    scratch = options.out / "scratch"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(exist_ok=True)
    try:
        with _progress(Console(stderr=True), reader, options.limit) as on_question:
            return evaluate(
                samples,
                open_agent=agent.open,
                log=log,
                scratch=scratch,
                context_tokens=options.context_tokens,
                with_replies=options.with_replies,
                on_question=on_question,
            )
    except KeyboardInterrupt:
        return None
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


@contextmanager
def _progress(
    console: Console, reader: SampleReader, limit: int | None
) -> Iterator[Callable[[Outcome], None]]:
    """Show a bar: of the questions if their number is given, else of the file."""
    from rich.progress import Progress, TimeElapsedColumn

    with Progress(*Progress.get_default_columns(), TimeElapsedColumn(), console=console) as progress:
        task = progress.add_task("LongMemEval", total=limit or 1.0)

        def on_question(outcome: Outcome) -> None:
            n_failed = len(outcome.failures)
            n_done = len(outcome.scores) + n_failed
            progress.update(
                task,
                # The reader is ahead of the questions, and a full bar would stop the clock.
                completed=n_done if limit else min(reader.fraction, 0.99),
                description=f"{n_done} questions ({outcome.n_resumed} kept, {n_failed} failed)",
            )

        yield on_question
        progress.update(task, completed=limit or 1.0)


def _habitus(embedding_cache: Path | None, context_tokens: int) -> AgentUnderTest:
    """Return Habitus on its embedded defaults; all agents share one encoder."""
    from habitus.agent.agent import Agent
    from habitus.agent.defaults import default_encoder
    from habitus.agent.settings import Settings

    encoder = default_encoder()
    if embedding_cache is not None:
        from habitus.retrievers.cache import CachedEncoder

        encoder = CachedEncoder(encoder, embedding_cache)
    settings = Settings(context_tokens=context_tokens)
    return AgentUnderTest(
        open=lambda folder: Agent.open(folder, encoder=encoder, settings=settings),
        encoder=encoder.fingerprint,
    )


@contextmanager
def user_errors() -> Iterator[None]:
    """Turn an error that the user can mend into one line on stderr and exit code 2."""
    from habitus.evals.longmemeval import DatasetError
    from habitus.evals.runlog import RunLogError
    from habitus.retrievers.errors import RetrieverError

    try:
        yield
    # An agent's own errors end in the log of the run, so an OSError is about a file the user named.
    except (UsageError, DatasetError, RunLogError, RetrieverError, OSError) as error:
        typer.echo(f"habitus: {' '.join(str(error).split())}", err=True)
        raise typer.Exit(USER_ERROR) from None
