"""The command `habitus eval longmemeval`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from habitus.evals.adapters.arms import ARMS, HABITUS, WITHOUT
from habitus.evals.harness.options import (
    AgentName,
    Concurrency,
    EmbeddingCache,
    GeneratorName,
    GeneratorPrice,
    GeneratorWindow,
    JudgeName,
    JudgePrice,
    JudgeVotes,
    Labels,
    ModelOptions,
    ModelRetries,
    ModelTimeout,
    ShardName,
    judge_options,
    read_price,
)
from habitus.evals.harness.shards import Shard
from habitus.evals.longmemeval.run import DEFAULT_BUDGET, RunOptions, run_longmemeval
from habitus.evals.running import AgentUnderTest, cached_encoder, habitus_on

if TYPE_CHECKING:
    from habitus.evals.longmemeval.answers import Answering


def longmemeval(
    data: Annotated[Path, typer.Option(help="LongMemEval file in the official format, .json or .json.gz.")],
    out: Annotated[Path, typer.Option(help="Folder for run.jsonl, manifest.json and report.json.")],
    limit: Annotated[
        int | None,
        typer.Option(
            help="Only N questions: the first, or with --sessions or --pooled evenly of every type.",
            show_default="all",
        ),
    ] = None,
    retrieval_only: Annotated[
        bool, typer.Option("--retrieval-only", help="Stop after recall; do not ask for replies.")
    ] = False,
    embedding_cache: EmbeddingCache = None,
    context_tokens: Annotated[
        list[int] | None,
        typer.Option(help="Budget of the packed evidence; may be given several times.", show_default="2000"),
    ] = None,
    sessions: Annotated[
        int | None,
        typer.Option(
            help="Enlarge every haystack to N sessions with fillers.", show_default="as in the file"
        ),
    ] = None,
    pooled: Annotated[
        bool, typer.Option("--pooled", help="All sessions of all questions are one user's memory.")
    ] = False,
    exact_limit: Annotated[
        int | None,
        typer.Option(help="Search users of up to N messages exactly.", show_default="the store's"),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the questions and fillers chosen.")] = 0,
    concurrency: Concurrency = 1,
    shard: ShardName = None,
    arm: Annotated[str, typer.Option(help=f"Who answers: {', '.join(ARMS)}.")] = HABITUS,
    agent: AgentName = None,
    without: Annotated[
        list[str] | None,
        typer.Option(
            help=f"Leave a part of habitus's prompt out: {', '.join(WITHOUT)}; may be repeated.",
            show_default="nothing",
        ),
    ] = None,
    generator: GeneratorName = None,
    generator_window: GeneratorWindow = None,
    price: GeneratorPrice = None,
    judge: JudgeName = None,
    votes: JudgeVotes = 1,
    judge_price: JudgePrice = None,
    labels: Labels = None,
    official_prompts: Annotated[
        Path | None,
        typer.Option(
            help="Clone of the benchmark whose own prompts the judge reads.", show_default="our wording"
        ),
    ] = None,
    timeout: ModelTimeout = 120.0,
    retries: ModelRetries = 5,
) -> None:
    """Run LongMemEval (Wu et al., ICLR 2025) through the agent: each question is a fresh user.

    Interrupted, it goes on where it was when the same command is given again. Exit code 0: all
    questions finished; 1: some failed; 2: the command cannot be run as given; 130: interrupted.
    """
    from habitus.evals.cli import user_errors

    with user_errors():
        options = RunOptions(
            data=data,
            out=out,
            limit=limit,
            with_replies=not retrieval_only,
            budgets=tuple(context_tokens or (DEFAULT_BUDGET,)),
            n_sessions=sessions,
            pooled=pooled,
            exact_limit=exact_limit,
            seed=seed,
            concurrency=concurrency,
            shard=Shard.parse(shard),
            agent=agent or arm,
            without=tuple(without or ()),
            generator=generator,
            price=read_price(price, "--price"),
            judge=judge_options(judge, votes, timeout, retries, judge_price, labels),
            official_prompts=official_prompts,
        )
        asked = ModelOptions(timeout_seconds=timeout, retries=retries)
        code = run_longmemeval(options, lambda: _agent(options, asked, embedding_cache, generator_window))
    raise typer.Exit(code)


def _agent(
    options: RunOptions, asked: ModelOptions, embedding_cache: Path | None, generator_window: int | None
) -> AgentUnderTest | Answering:
    """Make what is to be tested."""
    from habitus.evals.harness.models import chat_model

    if options.agent == HABITUS:
        return habitus_on(
            cached_encoder(embedding_cache),
            options.context_tokens,
            exact_limit=options.exact_limit,
            generator=chat_model(options.generator, asked) if options.generator else None,
            without=options.without,
        )
    from habitus.evals.longmemeval.answers import answering_named

    encoder = cached_encoder(embedding_cache)
    return answering_named(options.agent, options.generator, asked, encoder, generator_window)
