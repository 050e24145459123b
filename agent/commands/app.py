"""The command line: `habitus demo`, `chat` and `memory`. Heavy parts load inside the commands."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from habitus.agent.commands.backup import backup, restore, verify
from habitus.agent.commands.chat import chat
from habitus.agent.commands.config import config_app
from habitus.agent.commands.curation import curation_app
from habitus.agent.commands.encrypting import encrypting_app
from habitus.agent.commands.exits import EXITS
from habitus.agent.commands.importing import bring_in
from habitus.agent.commands.moving import citus, migrate
from habitus.agent.commands.options import (
    AsJson,
    Place,
    User,
    console,
    full_ids,
    opened,
    show_json,
)
from habitus.agent.commands.presets import presets
from habitus.agent.commands.serving import keys_app, serve
from habitus.agent.errors import ExtraMissingError

app = typer.Typer(
    name="habitus",
    help="Agents that know their user.",
    epilog=EXITS,
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
)
memory_app = typer.Typer(help="Look at, search and delete what is stored.", no_args_is_help=True)
memory_app.add_typer(curation_app)
memory_app.add_typer(encrypting_app)
memory_app.command("import")(bring_in)
memory_app.command("backup")(backup)
memory_app.command("restore")(restore)
memory_app.command("verify")(verify)
memory_app.command("citus")(citus)
app.add_typer(memory_app, name="memory")
app.add_typer(keys_app, name="keys")
app.add_typer(config_app, name="config")
app.command("chat")(chat)
app.command("presets")(presets)
app.command("serve")(serve)
app.command("migrate")(migrate)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"habitus {version('habitus')}")
        raise typer.Exit


@app.callback()
def _habitus(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Take the options that stand before any command."""


@app.command()
def demo(folder: Place = None, as_json: AsJson = False) -> None:
    """Play a scripted conversation over three sessions and show what happens at each turn."""
    from tempfile import TemporaryDirectory
    from time import perf_counter

    from habitus.agent.demo import play
    from habitus.agent.prompting.rendering import preference_table, shown_as_data, shown_line

    out = console()
    played: list[dict[str, object]] = []
    start = perf_counter()
    with TemporaryDirectory() as made, opened(folder or str(Path(made) / "demo"), create=True) as agent:
        opening = perf_counter() - start
        for shown in play(agent):
            if as_json:
                played.append(shown_as_data(shown))
            else:
                out.print(shown_line(shown))
        preferences = agent.preferences("maya")
        agent.store.flush()
        stats = agent.store.stats()
    known = [one.model_dump(mode="json") for one in preferences]
    if show_json({"lines": played, "preferences": known}, as_json):
        return
    out.print(preference_table(preferences))
    out.print(
        f"{stats.n_turns} messages, {stats.n_preferences} preferences, {stats.n_facts} facts; "
        f"opened in {opening:.1f} s, played in {perf_counter() - start - opening:.1f} s"
    )


@app.command()
def mcp(
    user: User = "me",
    folder: Place = None,
    http: Annotated[bool, typer.Option("--http", help="Serve streamable HTTP instead of stdio.")] = False,
    port: Annotated[int, typer.Option(help="Of loopback, with --http.", min=0, max=65535)] = 8717,
) -> None:
    """Serve one user's memory over the Model Context Protocol, on stdio or at http://127.0.0.1:PORT/mcp."""
    try:
        from habitus.tools.mcp_server import mcp_server
    except ModuleNotFoundError as error:
        raise ExtraMissingError("mcp", error) from error

    with opened(folder, create=True) as agent:
        server = mcp_server(agent, user)
        if http:
            server.run("streamable-http", host="127.0.0.1", port=port)
        else:
            server.run("stdio")


@memory_app.command("list")
def list_memories(
    user: User = "me",
    folder: Place = None,
    turns: Annotated[bool, typer.Option("--turns", help="Messages instead of preferences.")] = False,
    facts: Annotated[bool, typer.Option("--facts", help="Facts instead of preferences.")] = False,
    as_json: AsJson = False,
) -> None:
    """List preferences, or messages with --turns, or facts with --facts."""
    from habitus.agent.prompting.rendering import fact_table, preference_table, turn_table

    with opened(folder, user=user) as agent:
        found = agent.memories(user) if turns else []
        known = agent.facts(user) if facts else []
        preferences = [] if turns or facts else agent.preferences(user)
    if show_json([one.model_dump(mode="json") for one in (*found, *known, *preferences)], as_json):
        return
    console().print(
        turn_table(found) if turns else fact_table(known) if facts else preference_table(preferences)
    )


@memory_app.command()
def search(query: str, user: User = "me", folder: Place = None, as_json: AsJson = False) -> None:
    """Show what memory holds on a question, with the score of each arm."""
    from rich.table import Table
    from rich.text import Text

    with opened(folder, user=user) as agent:
        found = sorted(agent.recall(user, query).evidence, key=lambda memory: -memory.score)
    rows = [
        {
            "turn_id": m.turn_id,
            "at": m.at.isoformat(),
            "role": m.role,
            "text": m.text,
            "score": m.score,
            "arms": m.arms,
        }
        for m in found
    ]
    if show_json(rows, as_json):
        return
    table = Table("at", "who", "text", "score", "why")
    for memory in found:
        table.add_row(
            f"{memory.at:%Y-%m-%d}", memory.role, Text(memory.text), f"{memory.score:.2f}", memory.why
        )
    console().print(table)


@memory_app.command()
def forget(
    user: User = "me",
    folder: Place = None,
    turn: Annotated[list[str] | None, typer.Option("--turn", help="Id of a message.")] = None,
    preference: Annotated[list[str] | None, typer.Option("--preference", help="Id of a preference.")] = None,
    fact: Annotated[list[str] | None, typer.Option("--fact", help="Id of a fact.")] = None,
    as_json: AsJson = False,
) -> None:
    """Delete messages, preferences or facts for good, each by its id or the beginning of it.

    Deleting a preference or fact leaves the message that told it; delete that too with --turn.
    """
    if not (turn or preference or fact):
        raise typer.BadParameter("name what to forget with --turn, --preference or --fact")
    with opened(folder, user=user) as agent:
        gone = agent.forget(
            user,
            turn_ids=full_ids(turn, [one.id for one in agent.memories(user)]),
            preference_ids=full_ids(preference, [one.id for one in agent.preferences(user)]),
            fact_ids=full_ids(fact, [one.id for one in agent.facts(user)]),
        )
    deleted = {
        "turn_ids": list(gone.turn_ids),
        "preference_ids": list(gone.preference_ids),
        "fact_ids": list(gone.fact_ids),
    }
    if show_json(deleted, as_json):
        return
    console().print(
        f"Deleted {len(gone.turn_ids)} messages, {len(gone.preference_ids)} preferences, "
        f"{len(gone.fact_ids)} facts."
    )


@memory_app.command()
def export(
    user: User = "me",
    folder: Place = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="File to write; by default standard output.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write everything stored about a user, as JSON in any case."""
    from habitus.memory.errors import InvalidInputError

    with opened(folder) as agent:
        text = agent.export(user).model_dump_json(indent=2)
    if out is None:
        sys.stdout.write(text + "\n")
    else:
        try:
            out.write_text(text + "\n", encoding="utf-8")
        except OSError as error:
            raise InvalidInputError(f"{str(out)!r} cannot be written: {error.strerror}") from error
        show_json({"written": str(out)}, as_json)


@memory_app.command("delete-user")
def delete_user(
    user: Annotated[str, typer.Argument(help="Whose memory.")],
    folder: Place = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete everything stored about a user, for good."""
    if not yes:
        typer.confirm(f"Delete everything stored about {user!r}, for good?", abort=True, err=True)
    with opened(folder) as agent:
        agent.delete_user(user)
    if not show_json({"deleted_user": user}, as_json):
        console().print(f"Deleted everything stored about {user!r}.", markup=False)


@memory_app.command()
def reindex(folder: Place = None, as_json: AsJson = False) -> None:
    """Rebuild the vector and word indexes from the database."""
    from habitus.agent.progress import progress_bar

    with opened(folder) as agent, progress_bar("Reindexing") as progress:
        agent.store.reindex(progress)
        stats = agent.store.stats()
    if not show_json({"reindexed_turns": stats.n_turns}, as_json):
        console().print("Rebuilt the indexes.")


@memory_app.command()
def stats(
    user: Annotated[str | None, typer.Option("--user", help="One user instead of all.")] = None,
    folder: Place = None,
    as_json: AsJson = False,
) -> None:
    """Count what is stored."""
    from dataclasses import asdict

    from rich.table import Table

    with opened(folder, user=user) as agent:
        counted = asdict(agent.store.stats(user))
    if show_json(counted, as_json):
        return
    table = Table("what", "count")
    for name, value in counted.items():
        table.add_row(
            name.removeprefix("n_").replace("_", " "), f"{value:,}" if isinstance(value, int) else value
        )
    console().print(table)
