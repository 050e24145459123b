"""The command `habitus eval locomo`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from habitus.evals.adapters.arms import ARMS, HABITUS
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
from habitus.evals.locomo.run import LocomoOptions, run_locomo
from habitus.evals.longmemeval.run import DEFAULT_BUDGET
from habitus.evals.running import AgentUnderTest, cached_encoder, habitus_on

if TYPE_CHECKING:
    from habitus.evals.longmemeval.answers import Answering
    from habitus.retrievers.encoder import Encoder


def locomo(
    data: Annotated[Path, typer.Option(help="LoCoMo file in the official format, .json.")],
    out: Annotated[Path, typer.Option(help="Folder for run.jsonl, manifest.json and report.json.")],
    replies: Annotated[
        bool,
        typer.Option(
            "--replies", help="Ask for replies too: token F1, BLEU-1 (needs habitus[metrics]), declined."
        ),
    ] = False,
    limit: Annotated[
        int | None,
        typer.Option(help="Only the first N questions of each conversation.", show_default="all"),
    ] = None,
    arm: Annotated[str, typer.Option(help=f"Who answers: {', '.join(ARMS)}; not oracle.")] = HABITUS,
    agent: AgentName = None,
    generator: GeneratorName = None,
    generator_window: GeneratorWindow = None,
    price: GeneratorPrice = None,
    judge: JudgeName = None,
    votes: JudgeVotes = 1,
    judge_price: JudgePrice = None,
    labels: Labels = None,
    timeout: ModelTimeout = 120.0,
    retries: ModelRetries = 5,
    concurrency: Concurrency = 1,
    shard: ShardName = None,
    embedding_cache: EmbeddingCache = None,
) -> None:
    """Run LoCoMo (Maharana et al., ACL 2024): recall of the evidence turns, and replies in five categories.

    Its licence forbids commercial use. Interrupted, it goes on where it was when the same command is
    given again. Exit code 0: all questions finished; 1: some failed; 2: the command cannot be run as
    given; 130: interrupted.
    """
    from habitus.evals.cli import user_errors

    with user_errors():
        options = LocomoOptions(
            data=data,
            out=out,
            limit=limit,
            with_replies=replies,
            agent=agent or arm,
            generator=generator,
            price=read_price(price, "--price"),
            judge=judge_options(judge, votes, timeout, retries, judge_price, labels),
            concurrency=concurrency,
            shard=Shard.parse(shard),
        )
        asked = ModelOptions(timeout_seconds=timeout, retries=retries)

        def prepare() -> tuple[AgentUnderTest | Answering, Encoder]:
            from habitus.evals.longmemeval.answers import answering_named

            encoder = cached_encoder(embedding_cache)
            if options.agent != HABITUS:
                return answering_named(options.agent, generator, asked, encoder, generator_window), encoder
            from habitus.evals.harness.models import chat_model

            model = chat_model(generator, asked) if generator else None
            return habitus_on(encoder, DEFAULT_BUDGET, generator=model), encoder

        code = run_locomo(options, prepare)
    raise typer.Exit(code)
