"""`habitus config show|path`."""

from __future__ import annotations

import sys

import typer

from habitus.agent.commands.options import AsJson, show_json

config_app = typer.Typer(help="See what the command line is set up with.", no_args_is_help=True)


@config_app.command("show")
def show(as_json: AsJson = False) -> None:
    """Show every setting as it is in force, secrets masked."""
    from habitus.agent.configuration import load

    shown = load().shown()
    if not show_json(shown, as_json):
        for line in _lines(shown):
            sys.stdout.write(line + "\n")


@config_app.command("path")
def path(as_json: AsJson = False) -> None:
    """Name the file that settings are read from, whether it is there or not."""
    from habitus.agent.configuration import config_file

    if not show_json({"path": str(config_file())}, as_json):
        sys.stdout.write(f"{config_file()}\n")


def _lines(values: dict[str, object], before: str = "") -> list[str]:
    found: list[str] = []
    for name, value in values.items():
        if isinstance(value, dict):
            found += _lines(value, f"{before}{name}.")
        else:
            found.append(f"{before}{name} = {'' if value is None else value}")
    return found
