"""`habitus memory show|confirm|reject|edit|profile|persona`: what is known, seen in full and set right."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from habitus.agent.commands.options import AsJson, Place, User, console, full_ids, opened, show_json

if TYPE_CHECKING:
    from habitus.agent.agent import Agent
    from habitus.memory.records import Preference

curation_app = typer.Typer()
_STANCES = ["like", "dislike", "require", "avoid", "neutral"]

PreferenceId = Annotated[str, typer.Argument(help="Id of the preference, or the beginning of it.")]


def _id(agent: Agent, user: str, beginning: str) -> str:
    return full_ids([beginning], [one.id for one in agent.preferences(user)])[0]


def _tell(done: Preference, as_json: bool) -> None:
    if not show_json(done.model_dump(mode="json"), as_json):
        console().print(f"{done.statement} [{done.status}]", markup=False)


def _fields(preference: Preference) -> list[tuple[str, str]]:
    """Return every field of a preference, in words."""
    told = preference.model_dump(mode="json")
    told["evidence"] = "\n".join(f"{e.turn_id[:8]}: “{e.quote}”" for e in preference.evidence)
    return [(name, "" if value is None else str(value)) for name, value in told.items()]


@curation_app.command()
def show(preference: PreferenceId, user: User = "me", folder: Place = None, as_json: AsJson = False) -> None:
    """Show every field of a preference, with the words that it rests on."""
    from rich.table import Table
    from rich.text import Text

    with opened(folder, user=user) as agent:
        wanted = _id(agent, user, preference)
        [found] = [one for one in agent.preferences(user) if one.id == wanted]
    if show_json(found.model_dump(mode="json"), as_json):
        return
    table = Table("field", "value")
    for name, value in _fields(found):
        table.add_row(name, Text(value))
    console().print(table)


@curation_app.command()
def confirm(
    preference: PreferenceId, user: User = "me", folder: Place = None, as_json: AsJson = False
) -> None:
    """Say that a preference is right, such as a pending one."""
    with opened(folder, user=user) as agent:
        done = agent.confirm(user, _id(agent, user, preference))
    _tell(done, as_json)


@curation_app.command()
def reject(
    preference: PreferenceId, user: User = "me", folder: Place = None, as_json: AsJson = False
) -> None:
    """Say that a preference is wrong; its history stays. To delete it, use forget."""
    with opened(folder, user=user) as agent:
        done = agent.reject(user, _id(agent, user, preference))
    _tell(done, as_json)


@curation_app.command()
def edit(
    preference: PreferenceId,
    user: User = "me",
    folder: Place = None,
    statement: Annotated[str | None, typer.Option(help="The taste in one sentence.")] = None,
    topic: Annotated[str | None, typer.Option(help="Dotted, such as food.diet.")] = None,
    target: Annotated[str | None, typer.Option(help="What it is about.")] = None,
    stance: Annotated[
        str | None,
        typer.Option(help="like, dislike, require, avoid or neutral.", autocompletion=lambda: _STANCES),
    ] = None,
    strength: Annotated[float | None, typer.Option(help="0 to 1.")] = None,
    scope: Annotated[str | None, typer.Option(help="When it holds, such as 'when travelling'.")] = None,
    as_json: AsJson = False,
) -> None:
    """Put a preference differently; the old wording stays in its history."""
    given = {
        "statement": statement,
        "topic": topic,
        "target": target,
        "stance": stance,
        "strength": strength,
        "scope": scope,
    }
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    with opened(folder, user=user) as agent:
        done = agent.edit(user, _id(agent, user, preference), **changes)
    _tell(done, as_json)


@curation_app.command()
def profile(user: User = "me", folder: Place = None, as_json: AsJson = False) -> None:
    """Show the summary of the user, each section with the records it was made from."""
    from rich.table import Table
    from rich.text import Text

    with opened(folder, user=user) as agent:
        found = agent.profile(user)
    if show_json(None if found is None else found.model_dump(mode="json"), as_json):
        return
    table = Table("section", "text", "records")
    for section in found.sections if found else ():
        table.add_row(section.title, Text(section.text), " ".join(one[:8] for one in section.record_ids))
    console().print(table)


@curation_app.command()
def persona(
    user: User = "me",
    folder: Place = None,
    diff: Annotated[tuple[int, int] | None, typer.Option("--diff", help="Compare two versions.")] = None,
    rollback: Annotated[int | None, typer.Option("--rollback", help="Go back to a version.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show the persona's versions and their reasons; compare two, or go back to one."""
    from rich.table import Table
    from rich.text import Text

    with opened(folder, user=user) as agent:
        if diff is not None:
            lines = agent.persona_diff(user, *diff)
            if not show_json(lines, as_json):
                sys.stdout.write("\n".join(lines) + "\n")
            return
        if rollback is not None:
            agent.rollback_persona(user, rollback)
        versions = agent.personas(user)
    if show_json([one.model_dump(mode="json") for one in versions], as_json):
        return
    table = Table("version", "made at", "reason", "lines")
    for one in versions:
        table.add_row(str(one.version), f"{one.made_at:%Y-%m-%d %H:%M}", Text(one.reason), Text(one.text))
    console().print(table)
