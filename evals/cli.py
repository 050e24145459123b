"""The command line `habitus`: the agent's own commands, and `eval` and `bench`.

Nothing heavy is imported before a command runs, so that `habitus --help` answers at once.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand
from typer.main import get_command

from habitus.evals.benchmarks.cli import add_benchmarks
from habitus.evals.faults.cli import faults
from habitus.evals.feedback.cli import feedback
from habitus.evals.harness.options import Concurrency, EmbeddingCache, ShardName
from habitus.evals.harness.shards import Shard
from habitus.evals.isolation.cli import isolation
from habitus.evals.lifelong.cli import lifelong
from habitus.evals.locomo.cli import locomo
from habitus.evals.longmemeval.cli import longmemeval
from habitus.evals.poisoning.cli import poisoning
from habitus.evals.prefeval.cli import prefeval
from habitus.evals.reports.cli import compare, report
from habitus.evals.running import FAILED, INTERRUPTED, UsageError, cached_encoder

if TYPE_CHECKING:
    pass

USER_ERROR = 2

eval_app = typer.Typer(no_args_is_help=True, help="Run a benchmark on an agent.")
bench_app = typer.Typer(no_args_is_help=True, help="Measure speed on this machine.")
eval_app.command("longmemeval")(longmemeval)
eval_app.command("locomo")(locomo)
eval_app.command("prefeval")(prefeval)
eval_app.command("feedback")(feedback)
eval_app.command("faults")(faults)
eval_app.command("poisoning")(poisoning)
eval_app.command("isolation")(isolation)
eval_app.command("lifelong")(lifelong)
add_benchmarks(eval_app)
eval_app.command("compare")(compare)
eval_app.command("report")(report)


def main() -> None:
    """Run the command line."""
    from habitus.agent.commands.allocating import allocate_in_one_arena
    from habitus.agent.commands.app import app
    from habitus.agent.commands.exits import run

    allocate_in_one_arena()
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


_BENCHES = {
    "encryption": (
        "encryption",
        "An encrypted folder beside a plain one: commits, turns, searches, deletions.",
    ),
    "commits": ("commits", "Commits, reads and turns in both stores: times, and round trips to the server."),
    "encoder": (
        "encoder",
        "Compare the fast encoder with sentence-transformers: texts per second, and equality.",
    ),
    "generator": (
        "generator",
        "Compare the local generator with plain generate: tokens a second, and time to the first token.",
    ),
    "recall": ("recall", "Measure search, whole turns, ingest, memory and disk against their targets."),
    "serve": (
        "serving",
        "Measure the server: overhead over Agent.chat, many streams at once, time to the first byte.",
    ),
    "simulate": ("simulation", "Several processes on one PostgreSQL at once; every invariant is checked."),
    "sizing": (
        "sizing",
        "What a user and a turn cost in rows, bytes and milliseconds, and what 10^8 users would.",
    ),
    "soak": ("soak", "Hours of mixed work through one agent: throughput, memory and open files over time."),
    "stores": ("stores", "Ask a folder and PostgreSQL the same questions: equal ranks, and what each takes."),
}
"""By command: the module under `evals/bench` that holds the function of that name, and what `--help` says."""


def _bench_command(name: str) -> TyperCommand:
    """Import a benchmark and return its command."""
    command = typer.Typer(add_completion=False)
    command.command()(getattr(import_module(f"habitus.evals.bench.{_BENCHES[name][0]}"), name))
    made = get_command(command)
    assert isinstance(made, TyperCommand)
    return made


class _Forwarded(TyperCommand):
    """Knows its options only once they are asked for, by the shell too."""

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        real = _bench_command(ctx.info_name)
        return real.shell_complete(
            real.make_context(ctx.info_name, [], parent=ctx.parent, resilient_parsing=True), incomplete
        )


def _forward(name: str, help_text: str) -> None:
    """Add a benchmark that is imported, with its options, only when it is run."""

    @bench_app.command(
        name,
        cls=_Forwarded,
        help=help_text,
        context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
    )
    def forward(context: typer.Context) -> None:
        _bench_command(name)(context.args, prog_name=f"habitus bench {name}")


for _name, (_, _help) in _BENCHES.items():
    _forward(_name, _help)


@eval_app.command("answers")
def answers(
    data: Annotated[Path, typer.Option(help="LongMemEval file in the official format, .json or .json.gz.")],
    out: Annotated[Path, typer.Option(help="Folder for run.jsonl, scores.jsonl and answers.json.")],
    limit: Annotated[int | None, typer.Option(help="Only the first N questions.", show_default="all")] = None,
    refit: Annotated[
        bool, typer.Option("--refit", help="Also fit the weights on four fifths and reply to the rest.")
    ] = False,
    embedding_cache: EmbeddingCache = None,
    concurrency: Concurrency = 1,
    shard: ShardName = None,
) -> None:
    """Put LongMemEval's questions to the generator without weights: answers contained, and declined.

    Interrupted, it goes on where it was when the same command is given again. Exit code 0: all
    questions finished; 1: some failed; 2: the command cannot be run as given; 130: interrupted.
    """
    with user_errors():
        from rich.console import Console

        from habitus.evals.answers.run import print_answers, run_answers

        report = run_answers(
            data,
            out,
            lambda: cached_encoder(embedding_cache),
            limit=limit,
            refit=refit,
            concurrency=concurrency,
            shard=Shard.parse(shard),
        )
        if report is None:
            typer.echo("interrupted; give the same command to go on", err=True)
            raise typer.Exit(INTERRUPTED)
        print_answers(report, Console())
        if report["failures"]:
            raise typer.Exit(FAILED)


@eval_app.command("session")
def session(
    data: Annotated[Path, typer.Option(help="LongMemEval-S file in the official format, .json or .json.gz.")],
    out: Annotated[Path, typer.Option(help="Folder for run.jsonl, scores.jsonl and session.json.")],
    turns: Annotated[int, typer.Option(help="Length of the one session before the question.")] = 300,
    limit: Annotated[
        int | None, typer.Option(help="Only N questions, evenly of every type.", show_default="all")
    ] = None,
    embedding_cache: EmbeddingCache = None,
    session_tokens: Annotated[
        int | None, typer.Option(min=1, help="What short-term memory holds.", show_default="the agent's")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the questions and of the order of a session.")] = 0,
    concurrency: Concurrency = 1,
    shard: ShardName = None,
) -> None:
    """Ask LongMemEval's questions within one long session: does the evidence come back into the prompt?"""
    with user_errors():
        from habitus.agent.settings import Settings
        from habitus.evals.insession.run import SessionOptions, run_insession

        options = SessionOptions(
            data=data,
            out=out,
            settings=Settings() if session_tokens is None else Settings(session_tokens=session_tokens),
            n_turns=turns,
            limit=limit,
            seed=seed,
            concurrency=concurrency,
            shard=Shard.parse(shard),
        )
        code = run_insession(options, lambda: cached_encoder(embedding_cache))
    raise typer.Exit(code)


@eval_app.command("ablation")
def ablation(
    data: Annotated[Path, typer.Option(help="LongMemEval file in the official format, .json or .json.gz.")],
    out: Annotated[Path, typer.Option(help="Folder for ablation.json.")],
    limit: Annotated[
        int | None, typer.Option(help="Only the first N questions with an answer.", show_default="all")
    ] = None,
    embedding_cache: EmbeddingCache = None,
) -> None:
    """Rank LongMemEval's sessions without, or by single arms of, what recall adds up."""
    with user_errors():
        from rich.console import Console

        from habitus.evals.ablation.run import print_ablation, run_ablation

        print_ablation(run_ablation(data, out, lambda: cached_encoder(embedding_cache), limit), Console())


@contextmanager
def user_errors() -> Iterator[None]:
    """Turn an error that the user can mend into one line on stderr and exit code 2, or 1 for a full disk."""
    from habitus.evals.longmemeval.files import DatasetError
    from habitus.evals.reports.runlog import RunLogError
    from habitus.retrievers.errors import RetrieverError

    try:
        yield
    # An agent's own errors end in the log of the run, so an OSError is about a file the user named.
    except (UsageError, DatasetError, RunLogError, RetrieverError, OSError) as error:
        typer.echo(f"habitus: {' '.join(str(error).split())}", err=True)
        cause = error if isinstance(error, OSError) else error.__cause__
        is_full = isinstance(cause, OSError) and cause.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
        raise typer.Exit(FAILED if is_full else USER_ERROR) from None


if __name__ == "__main__":
    main()
