"""The command `habitus eval prefeval`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from habitus.evals.adherence.options import AGENT, ARMS, DISTANCES, FORMS, AdherenceOptions
from habitus.evals.adherence.running import run_adherence
from habitus.evals.harness.agents import Parts
from habitus.evals.harness.options import (
    AgentName,
    Concurrency,
    EmbeddingCache,
    GeneratorName,
    GeneratorPrice,
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
from habitus.evals.prefeval.run import PrefEvalOptions, run_prefeval
from habitus.evals.running import UsageError, cached_encoder

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel


def prefeval(
    data: Annotated[Path, typer.Option(help="PrefEval's `benchmark_dataset` folder.")],
    no_model: Annotated[
        bool,
        typer.Option("--no-model", help="Instead of a task, measure extraction and application by rules."),
    ] = False,
    distractors: Annotated[
        Path | None,
        typer.Option(help="LongMemEval file whose sessions come in between.", show_default="none"),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for run.jsonl, scores.jsonl, report.json and report.html."),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(help="Only the first N items of each topic.", show_default="all")
    ] = None,
    task: Annotated[
        str, typer.Option(help="generation: replies are judged; classification: one of four options.")
    ] = "generation",
    form: Annotated[
        list[str] | None,
        typer.Option(
            help=f"How the preference is told: {', '.join(FORMS)}; may be repeated.", show_default=FORMS[0]
        ),
    ] = None,
    distance: Annotated[
        list[int] | None,
        typer.Option(
            help="Exchanges between preference and question; may be repeated.",
            show_default=", ".join(map(str, DISTANCES)),
        ),
    ] = None,
    arm: Annotated[str, typer.Option(help=f"Who answers: {', '.join(ARMS)}.")] = AGENT,
    agent: AgentName = None,
    generator: GeneratorName = None,
    price: GeneratorPrice = None,
    judge: JudgeName = None,
    votes: JudgeVotes = 1,
    judge_price: JudgePrice = None,
    labels: Labels = None,
    official_prompts: Annotated[
        Path | None,
        typer.Option(
            help="Clone of the benchmark whose own words arms and judge use.", show_default="our wording"
        ),
    ] = None,
    timeout: ModelTimeout = 120.0,
    retries: ModelRetries = 5,
    concurrency: Concurrency = 1,
    shard: ShardName = None,
    seed: Annotated[int, typer.Option(help="Of what comes in between, and of the order of options.")] = 0,
    embedding_cache: EmbeddingCache = None,
    lives: Annotated[int, typer.Option(help="--no-model: generated users for conflicts and drift.")] = 200,
    distractor_turns: Annotated[
        int, typer.Option(help="--no-model: other turns between a preference and the question.")
    ] = 300,
) -> None:
    """Run PrefEval (Zhao et al., ICLR 2025): is a preference kept to, how long after it was told?

    Interrupted, a task goes on where it was when the same command is given again. Exit code 0: all
    samples finished; 1: some failed; 2: the command cannot be run as given; 130: interrupted.
    """
    from habitus.evals.cli import user_errors

    with user_errors():
        if no_model:
            rows = PrefEvalOptions(
                data=data,
                distractors=distractors,
                out=out,
                limit=limit,
                lives=lives,
                distractor_turns=distractor_turns,
            )
            raise typer.Exit(run_prefeval(rows, lambda: cached_encoder(embedding_cache)))
        if out is None:
            raise UsageError(
                "a task keeps what is answered: give --out (or --no-model for the rows by rules)"
            )
        options = AdherenceOptions(
            data=data,
            out=out,
            task=task,
            forms=tuple(form or FORMS[:1]),
            distances=tuple(DISTANCES if distance is None else distance),
            distractors=distractors,
            arm=arm,
            agent=agent,
            generator=generator,
            price=read_price(price, "--price"),
            judge=judge_options(judge, votes, timeout, retries, judge_price, labels),
            official=official_prompts,
            limit=limit,
            seed=seed,
            concurrency=concurrency,
            shard=Shard.parse(shard),
        )
        asked = ModelOptions(timeout_seconds=timeout, retries=retries)
        code = run_adherence(options, _parts(generator, asked, embedding_cache))
    raise typer.Exit(code)


def _parts(generator: str | None, asked: ModelOptions, embedding_cache: Path | None) -> Parts:
    def made(name: str) -> BaseChatModel:
        from habitus.evals.harness.models import chat_model

        return chat_model(name, asked)

    return Parts(
        generator=partial(made, generator) if generator else None,
        encoder=partial(cached_encoder, embedding_cache),
    )
