"""The command `habitus eval lifelong`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, cast

import typer

from habitus.evals.harness.options import (
    Concurrency,
    EmbeddingCache,
    GeneratorName,
    ModelOptions,
    ShardName,
)
from habitus.evals.harness.shards import Shard
from habitus.evals.lifelong.options import SKILLS, WORDING_NAMES, LifelongOptions, Skill, WordingName
from habitus.evals.lifelong.run import UnderTest, run_lifelong
from habitus.evals.running import UsageError, cached_encoder


def lifelong(
    out: Annotated[Path, typer.Option(help="Folder for lives.jsonl, run.jsonl, scores.jsonl, report.json.")],
    lives: Annotated[int, typer.Option(help="Lives of each skill in each set of wordings.")] = 40,
    skill: Annotated[
        list[str] | None,
        typer.Option(help=f"Of {', '.join(SKILLS)}; may be repeated.", show_default="all"),
    ] = None,
    wordings: Annotated[
        list[str] | None,
        typer.Option(help=f"Of {', '.join(WORDING_NAMES)}; may be repeated.", show_default="both"),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the lives.")] = 0,
    agent: Annotated[
        str | None,
        typer.Option(
            help="MODULE:FACTORY of another agent, through two methods.", show_default="Habitus, its graph"
        ),
    ] = None,
    generator: GeneratorName = None,
    user_model: Annotated[
        str | None,
        typer.Option(help="Chat model that plays the user.", show_default="the generated words"),
    ] = None,
    embedding_cache: EmbeddingCache = None,
    concurrency: Concurrency = 1,
    shard: ShardName = None,
) -> None:
    """Play generated lives: update, conflict, drift, scope, forgetting, refusal, isolation, counting.

    Interrupted, it goes on where it was when the same command is given again. Exit code 0: all lives were
    played; 1: some failed; 2: the command cannot be run as given; 130: interrupted.
    """
    from habitus.evals.cli import user_errors

    def prepare() -> UnderTest:
        from habitus.evals.harness.agents import Parts, load_agent
        from habitus.evals.harness.models import chat_model

        model = chat_model(generator, ModelOptions()) if generator else None
        return UnderTest(
            parts=Parts(
                generator=(lambda: model) if model is not None else None,
                encoder=lambda: cached_encoder(embedding_cache),
            ),
            agent=load_agent(agent) if agent else None,
            generator=model,
            user_model=chat_model(user_model, ModelOptions()) if user_model else None,
            names={"agent": agent, "generator": generator, "user_model": user_model},
        )

    with user_errors():
        options = LifelongOptions(
            out=out,
            n=lives,
            seed=seed,
            skills=cast("tuple[Skill, ...]", _chosen("skill", skill, SKILLS)),
            wordings=cast("tuple[WordingName, ...]", _chosen("wordings", wordings, WORDING_NAMES)),
            concurrency=concurrency,
            shard=Shard.parse(shard),
        )
        code = run_lifelong(options, prepare)
    raise typer.Exit(code)


def _chosen(option: str, given: list[str] | None, known: tuple[str, ...]) -> tuple[str, ...]:
    unknown = sorted(set(given or ()) - set(known))
    if unknown:
        raise UsageError(f"there is no --{option} {unknown[0]!r}; there are {', '.join(known)}")
    return tuple(one for one in known if given is None or one in given)
