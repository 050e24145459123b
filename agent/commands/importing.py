"""`habitus memory import`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from habitus.agent.commands.options import AsJson, Place, User, console, opened, show_json

if TYPE_CHECKING:
    from habitus.agent.agent import Agent
    from habitus.agent.importing.run import Imported
    from habitus.memory.records import Exported


def _formats() -> list[str]:
    from habitus.agent.importing.formats import FORMATS

    return list(FORMATS)


def bring_in(
    file: Annotated[Path, typer.Argument(help="An export or a dump; archives are read as they are.")],
    user: User = "me",
    folder: Place = None,
    format: Annotated[
        str | None,
        typer.Option(
            help="chatgpt, claude, mem0, langmem, longmemeval or jsonl.",
            show_default="by its content",
            autocompletion=lambda: _formats(),
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be stored.")] = False,
    learn: Annotated[bool, typer.Option(help="Take preferences and facts from the user's messages.")] = True,
    as_json: AsJson = False,
) -> None:
    """Bring in conversations from elsewhere, or what `export` wrote; nothing is stored twice."""
    from habitus.agent.importing.exported import read_export
    from habitus.agent.importing.formats import FORMATS
    from habitus.agent.importing.run import bring_in

    if format is not None and format not in FORMATS:
        raise typer.BadParameter(f"{format!r} is none of {', '.join(FORMATS)}", param_hint="--format")
    exported = read_export(file) if format is None else None
    with opened(folder, create=True) as agent:
        if exported is not None:
            _bring_back(agent, exported, user, dry_run, as_json)
            return
        made = bring_in(agent, user, file, format=format, dry_run=dry_run, learn=learn, progress=not as_json)
    if not show_json(_shown(made, dry_run), as_json):
        _print(made, dry_run)


def _bring_back(agent: Agent, exported: Exported, user: str, dry_run: bool, as_json: bool) -> None:
    if exported.user_id != user:
        raise typer.BadParameter(
            f"the file is the export of {exported.user_id!r}; name that user", param_hint="--user"
        )
    stored = False if dry_run else agent.bring_back(exported)
    shown = {"format": "habitus", "dry_run": dry_run, "messages": len(exported.turns), "stored": stored}
    if not show_json(shown, as_json):
        done = "would be stored" if dry_run else "stored as they were" if stored else "known already"
        console().print(f"habitus: {len(exported.turns)} messages with all that rests on them; {done}")


def _shown(made: Imported, dry_run: bool) -> dict[str, Any]:
    return {
        "format": made.format,
        "dry_run": dry_run,
        "conversations": made.n_conversations,
        "messages": made.n_messages,
        "new_messages": made.n_new,
        "masked_messages": made.n_masked,
        "skipped": [{"where": one.where, "why": one.why} for one in made.skipped],
    }


def _print(made: Imported, dry_run: bool) -> None:
    out = console()
    verb = "would be stored" if dry_run else "stored"
    out.print(
        f"{made.format}: {made.n_conversations} conversations, {made.n_messages} messages; "
        f"{made.n_new} {verb}, {made.n_messages - made.n_new} known already"
    )
    if made.n_masked:
        out.print(f"card numbers, keys or passwords are masked in {made.n_masked} messages")
    for why, n in Counter(one.why for one in made.skipped).most_common():
        places = [one.where for one in made.skipped if one.why == why]
        shown = ", ".join(places[:3]) + (" ..." if n > 3 else "")
        out.print(f"left out: {n} because {why} ({shown})", markup=False)
