"""`habitus presets`: methods of the literature that the agent can be set up as."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from habitus.agent.commands.options import AsJson, console, show_json


def presets(
    name: Annotated[str | None, typer.Argument(help="Show the page of this one.", show_default=False)] = None,
    as_json: AsJson = False,
) -> None:
    """List the presets, each a method of the literature as settings; with a NAME show its page."""
    from habitus.agent.presets.reading import preset
    from habitus.agent.presets.reading import presets as every

    if name is not None:
        found = preset(name)
        if not show_json({**found.model_dump(mode="json"), "page": found.page}, as_json):
            sys.stdout.write(found.page)
        return
    listed = every()
    if show_json([one.model_dump(mode="json") for one in listed], as_json):
        return
    from rich.table import Table

    table = Table("preset", "what is different under it", "needs")
    for one in listed:
        table.add_row(one.name, one.does, one.needs)
    console().print(table)
