"""What is done with finished runs: `habitus eval compare` and `habitus eval report`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def compare(
    a: Annotated[Path, typer.Argument(help="Folder of the first run.")],
    b: Annotated[Path, typer.Argument(help="Folder of the second run.")],
    data: Annotated[
        Path | None,
        typer.Option(help="The runs' data file; needed once for LongMemEval runs that hold no scores.jsonl."),
    ] = None,
    by_type: Annotated[
        bool, typer.Option("--by-type", help="Show every question type, not only those beyond noise.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Write everything to this JSON file as well.")] = None,
    resamples: Annotated[int, typer.Option(min=100, help="Bootstrap samples.")] = 10_000,
    seed: Annotated[int, typer.Option(help="Of the bootstrap.")] = 0,
) -> None:
    """Say which differences of two runs are beyond noise, and what else differs between them.

    Every metric is compared on the questions that finished in both runs. Exit code 0: compared; 2: the
    runs cannot be compared.
    """
    from rich.console import Console

    from habitus.evals.cli import user_errors
    from habitus.evals.reports.compare import as_json, print_comparison
    from habitus.evals.reports.compare import compare as compare_runs
    from habitus.evals.reports.scored_runs import read_run

    with user_errors():
        found = compare_runs(read_run(a, data), read_run(b, data), seed=seed, n_resamples=resamples)
        print_comparison(found, Console(), by_type=by_type)
        if out is not None:
            out.write_text(json.dumps(as_json(found), indent=2) + "\n", encoding="utf-8")


def report(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run of any evaluation command.")],
    data: Annotated[
        Path | None,
        typer.Option(help="The run's data file: shows the words and the evidence of the worst questions."),
    ] = None,
    worst: Annotated[int, typer.Option(min=0, help="How many of the worst questions to show.")] = 10,
    beside: Annotated[
        list[Path] | None,
        typer.Option(help="PrefEval: further runs, such as other arms, drawn as lines of the same plot."),
    ] = None,
) -> None:
    """Write report.html, one page with plots that needs nothing else, into a run folder.

    Exit code 0: written; 2: the run cannot be read.
    """
    from habitus.evals.adherence.page import holds_task, write_adherence_page
    from habitus.evals.cli import user_errors
    from habitus.evals.reports.html import write_page

    with user_errors():
        if holds_task(run):
            typer.echo(f"Written: {write_adherence_page(run, beside or ())}")
        else:
            typer.echo(f"Written: {write_page(run, data, n_worst=worst)}")
