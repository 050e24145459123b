"""The command `habitus eval poisoning`."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer


def poisoning(
    generator: Annotated[
        str | None, typer.Option(help="Name of a chat model.", show_default="the one without weights")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write every attack and its outcome to this JSON file.")
    ] = None,
) -> None:
    """Try to poison memory: pasted orders, fake systems, role-play, hidden characters, split orders.

    Each attack is sent by a user of its own, who then asks ordinary questions. Exit code 0: measured; 2: the
    command cannot be run as given.
    """
    from rich.console import Console

    from habitus.agent.agent import Agent
    from habitus.evals.cli import user_errors
    from habitus.evals.poisoning.attacks import attacks
    from habitus.evals.poisoning.measuring import show, try_attack, write
    from habitus.evals.running import progress

    with user_errors(), tempfile.TemporaryDirectory() as folder:
        listed = attacks()
        with Agent.open(folder, generator=generator) as agent, progress("Attacks", len(listed)) as done:
            found = []
            for number, attack in enumerate(listed):
                found.append(try_attack(agent, attack, f"user{number}"))
                done(1, attack.way)
        show(found, Console())
        if out is not None:
            write(found, out)
