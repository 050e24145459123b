"""`habitus migrate`, and what a PostgreSQL database is prepared with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from habitus.agent.commands.options import AsJson, console, show_json

if TYPE_CHECKING:
    from habitus.memory.store import MemoryStore

_PLACE = "Data folder, or postgresql://USER:PASSWORD@HOST/DATABASE."


def migrate(
    source: Annotated[str, typer.Option("--from", metavar="FOLDER|URL", help=_PLACE)],
    target: Annotated[str, typer.Option("--to", metavar="FOLDER|URL", help=_PLACE)],
    user: Annotated[list[str] | None, typer.Option("--user", help="One user instead of all.")] = None,
    as_json: AsJson = False,
) -> None:
    """Copy users to another store, verified by counts and checksums; run again, it goes on where it stopped.

    Stop the agents of these users meanwhile: nothing that is said later reaches the copy. The source is
    left as it is. The configured key is that of every folder, old and new. With `chroma_url` in the
    configuration, folders keep vectors on that server: those of the source stay until its users are deleted.
    """
    from habitus.agent.configuration import load
    from habitus.agent.defaults import default_encoder
    from habitus.agent.progress import progress_bar
    from habitus.memory.errors import InvalidInputError, NotFoundError
    from habitus.memory.opening import is_url, open_store
    from habitus.memory.storage.moving import move_users
    from habitus.memory.storage.replacing import holds_store

    if not is_url(source) and not holds_store(Path(source)):
        raise NotFoundError(f"there is no data folder {source!r} with a store in it to move from")
    if source == target:
        raise InvalidInputError("--from and --to are the same place; there is nothing to move")
    configuration, encoder = load(), default_encoder()

    def store(place: str) -> MemoryStore:
        if is_url(place):
            return open_store(place, encoder)
        server, key = configuration.settings.chroma_url, configuration.encryption_key()
        return open_store(place, encoder, chroma_url=server, key=key)

    with store(source) as old, store(target) as new:
        with progress_bar("Moving users") as progress:
            moved = move_users(old, new, user, progress=progress)
    if show_json({"copied": moved.copied, "found": list(moved.found)}, as_json):
        return
    n_turns = sum(moved.copied.values())
    console().print(
        f"Copied {len(moved.copied)} users with {n_turns} messages, each verified; {len(moved.found)} were"
        " there already."
    )


def citus() -> None:
    """Print the SQL that spreads the tables of a shared store over machines with Citus, for psql."""
    import sys

    from habitus.memory.storage.postgres.citus import citus_ddl
    from habitus.memory.storage.postgres.schema import SCHEMA

    sys.stdout.write(citus_ddl(SCHEMA))
