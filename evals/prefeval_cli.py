"""The command `habitus eval prefeval`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from habitus.evals.prefeval_run import PrefEvalOptions, run_prefeval
from habitus.evals.running import cached_encoder


def prefeval(
    data: Annotated[Path, typer.Option(help="PrefEval's `benchmark_dataset` folder.")],
    no_model: Annotated[
        bool,
        typer.Option(
            "--no-model",
            help="Measure what needs no language model; required: the rows that need one are not there yet.",
        ),
    ] = False,
    distractors: Annotated[
        Path | None,
        typer.Option(help="LongMemEval file whose sessions come in between.", show_default="skip those rows"),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for report.json and filler.tsv.", show_default="print only")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(help="Only the first N items of each topic.", show_default="all")
    ] = None,
    embedding_cache: Annotated[
        Path | None, typer.Option(help="Folder that keeps embeddings for the next run.", show_default="none")
    ] = None,
    lives: Annotated[int, typer.Option(help="Generated users for conflicts and drift.")] = 200,
    distractor_turns: Annotated[
        int, typer.Option(help="Other turns of the user between a preference and the question.")
    ] = 300,
) -> None:
    """Run PrefEval (Zhao et al., ICLR 2025): are preferences found, kept right and brought to bear?

    Exit code 0: measured; 2: the command cannot be run as given.
    """
    from habitus.evals.cli import user_errors

    with user_errors():
        options = PrefEvalOptions(
            data=data,
            distractors=distractors,
            out=out,
            limit=limit,
            no_model=no_model,
            lives=lives,
            distractor_turns=distractor_turns,
        )
        code = run_prefeval(options, lambda: cached_encoder(embedding_cache))
    raise typer.Exit(code)
