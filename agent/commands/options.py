"""What the commands of the command line share: their options, how they open the agent and print."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from habitus.agent.agent import Agent

Place = Annotated[
    str | None,
    typer.Option(
        "--folder",
        "--url",
        metavar="FOLDER|URL",
        help="Data folder, or postgresql://USER:PASSWORD@HOST/DATABASE (in HABITUS_URL nobody sees the"
        " password); by default the user's data folder.",
        show_default=False,
    ),
]
User = Annotated[str, typer.Option("--user", help="Whose memory.")]
GeneratorName = Annotated[
    str | None,
    typer.Option(
        "--generator",
        help="transformers:FOLDER-OR-HUB-ID, PROVIDER:MODEL, or http://HOST:PORT/v1#MODEL.",
        show_default="no language model",
    ),
]
PresetName = Annotated[
    str | None,
    typer.Option(
        "--preset", help="A method of the literature; `habitus presets` lists them.", show_default=False
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]


def console() -> Console:
    from rich.console import Console

    return Console()


def data_folder(place: str | None) -> Path:
    """Return the folder of an option, else the configured one, else the platform's."""
    from habitus.agent.configuration import load
    from habitus.agent.defaults import default_folder
    from habitus.memory.opening import is_url

    if place and not is_url(place):
        return Path(place)
    return load().folder or default_folder()


def memory_place(place: str | None) -> str:
    """Return where memory is: the folder or database of an option, else the configured one."""
    from habitus.agent.configuration import load

    url = load().url
    return place or (url.get_secret_value() if url else str(data_folder(None)))


def embedded_folder(place: str | None, *, instead: str) -> Path:
    """Return the folder of an option or the configured one, for what is done to folders only.

    Args:
        place: the option.
        instead: what to tell who has a database.
    """
    from habitus.memory.errors import InvalidInputError
    from habitus.memory.opening import is_url

    if is_url(memory_place(place)):
        raise InvalidInputError(instead)
    return data_folder(place)


@contextmanager
def opened(
    place: str | None,
    *,
    user: str | None = None,
    create: bool = False,
    generator: str | None = None,
    preset: str | None = None,
    traces: bool = False,
) -> Iterator[Agent]:
    """Open the agent of a folder or a database.

    Args:
        place: by default the configured one.
        user: somebody of whom something must be stored.
        create: whether the folder may be made; else a mistyped one is an error.
        generator: its name; by default the configured one.
        preset: its name; by default the configured one.
        traces: whether turns are OpenTelemetry spans, whatever is configured.
    """
    from habitus.agent.agent import Agent
    from habitus.agent.configuration import load
    from habitus.agent.generators.naming import generator_named
    from habitus.agent.progress import progress_bar
    from habitus.memory.errors import NotFoundError
    from habitus.memory.known.norms import DEFAULT_NORMS
    from habitus.memory.opening import is_url
    from habitus.memory.storage.replacing import holds_store

    configuration = load(preset)
    place, generator = memory_place(place), generator or configuration.generator
    if not create and not is_url(place) and not holds_store(Path(place)):
        raise NotFoundError(
            f"there is no data folder {place!r} with a store in it; name another with --folder"
        )
    with progress_bar("Re-embedding") as progress:
        key = configuration.generator_key
        model = generator_named(generator, key.get_secret_value() if key else None) if generator else None
        settings = configuration.settings
        if traces:
            settings = settings.model_copy(update={"opentelemetry": True})
        norms = (*DEFAULT_NORMS, *configuration.norms)
        agent = Agent.open(
            place,
            generator=model,
            settings=settings,
            norms=norms,
            progress=progress,
            key=configuration.encryption_key(),
        )
    with agent:
        if user is not None and user not in agent.store.users():
            raise NotFoundError(f"nothing is stored of user {user!r}; name another with --user")
        yield agent


def show_json(data: object, as_json: bool) -> bool:
    """Print JSON if asked to; tells whether it did."""
    if as_json:
        sys.stdout.write(json.dumps(data, ensure_ascii=False, indent=2) + "\n")
    return as_json


def full_ids(given: list[str] | None, stored: list[str]) -> list[str]:
    """Return the ids that begin as was given; each must be one."""
    from habitus.memory.errors import NotFoundError

    full: list[str] = []
    for beginning in given or ():
        found = [one for one in stored if one == beginning] or [o for o in stored if o.startswith(beginning)]
        if len(found) != 1:
            several = f"{len(found)} ids begin with" if found else "there is no id"
            raise NotFoundError(f"{several} {beginning!r}; `habitus memory list` shows them")
        full += found
    return full
