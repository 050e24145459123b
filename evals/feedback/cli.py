"""The command `habitus eval feedback`."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, cast

import typer

from habitus.evals.running import INTERRUPTED, UsageError, cached_encoder, check_positive, progress


def feedback(
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for run.jsonl, manifest.json, report.json, curve.png; takes up an interrupted run.",
            show_default="print only",
        ),
    ] = None,
    users: Annotated[int, typer.Option(help="Simulated users.")] = 100,
    rounds: Annotated[int, typer.Option(help="Requests of each user.")] = 20,
    change_at: Annotated[int, typer.Option(help="Rounds before the hidden taste changes.")] = 10,
    arm: Annotated[
        list[str] | None, typer.Option(help="Kind of feedback; may be repeated.", show_default="all")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of users and their whims.")] = 0,
) -> None:
    """Measure learning from feedback: the edit distance by round, against no feedback.

    Simulated users with a hidden taste get replies through the agent's own graph, from a deterministic
    writer that follows the prompt. Exit code 0: measured; 2: the command cannot be run as given; 130:
    interrupted, to be taken up by the same command.
    """
    from habitus.evals.cli import user_errors
    from habitus.evals.feedback.log import CostLog
    from habitus.evals.feedback.measuring import (
        ARMS,
        Arm,
        FeedbackOptions,
        as_report,
        curves,
        manifest_of,
        measure,
    )
    from habitus.evals.feedback.plot import png_curve, text_curve
    from habitus.evals.reports.scored_runs import write_scores

    with user_errors():
        check_positive(users=users, rounds=rounds, change_at=change_at)
        unknown = sorted(set(arm or ()) - set(ARMS))
        if unknown:
            raise UsageError(f"there is no --arm {unknown[0]!r}; there are {', '.join(ARMS)}")
        arms: tuple[Arm, ...] = tuple(cast(Arm, name) for name in arm) if arm else ARMS
        options = FeedbackOptions(
            out=out, users=users, rounds=rounds, change_at=change_at, arms=arms, seed=seed
        )
        encoder = cached_encoder(None)
        log = None if out is None else CostLog(out, manifest_of(options, encoder.fingerprint))
        n_arms = len({"none", *arms})
        with TemporaryDirectory() as folder, progress("Users", users * n_arms) as shown:
            try:
                measured = measure(options, encoder, Path(folder), report=shown, log=log)
            except KeyboardInterrupt:
                kept = "nothing was kept" if log is None else f"{len(log.costs)} of {users * n_arms} are kept"
                typer.echo(f"interrupted: {kept}; the same command with --out goes on", err=True)
                raise typer.Exit(INTERRUPTED) from None
        found = curves(measured, change_at=change_at, seed=seed)
        for curve in found:
            marks = [(number, curve.ratio[number - 1]) for number in (5, rounds) if number <= rounds]
            said = ", ".join(
                f"round {number}: {ratio:.2f} [{curve.low[number - 1]:.2f}, {curve.high[number - 1]:.2f}]"
                for number, ratio in marks
            )
            back = "not back" if curve.recovered is None else f"back after {curve.recovered}"
            typer.echo(f"{curve.arm:<9} {said}; {back} (n={users}, of the cost without feedback)")
        typer.echo(text_curve({curve.arm: curve.ratio for curve in found}))
        if out is not None and log is not None:
            report = as_report(options, measured, found) | {"manifest": log.manifest.model_dump(mode="json")}
            (out / "report.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
            write_scores(out, log.scores())
            if not png_curve({curve.arm: curve.ratio for curve in found}, out / "curve.png"):
                typer.echo("no curve.png: matplotlib is not installed")
