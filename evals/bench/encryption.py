"""`habitus bench encryption`: what an encrypted folder costs beside a plain one."""

from __future__ import annotations

import json
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from habitus.evals.bench.clock import Times, load, measured

if TYPE_CHECKING:
    from habitus.memory.storage.encryption import EncryptionKey

DIM = 384
_USER = "user"


def encryption(
    memories: Annotated[int, typer.Option(help="Of the user who is searched.", min=10)] = 10_000,
    n: Annotated[int, typer.Option(help="Commits, reads, turns and warm searches, each.", min=1)] = 100,
    rounds: Annotated[int, typer.Option(help="Openings with a first search, and deletions.", min=1)] = 5,
) -> None:
    """Time commits, turns, searches, openings and deletions in a plain and in an encrypted folder."""
    from habitus.evals.cli import user_errors
    from habitus.memory.storage.encryption import EncryptionKey
    from habitus.memory.storage.recrypting import recrypt

    report: dict[str, Any] = {"memories": memories}
    with user_errors(), tempfile.TemporaryDirectory() as place:
        key = EncryptionKey.make(Path(place) / "key")
        for name, one in (("plain", None), ("encrypted", key)):
            report[name] = _measured(Path(place) / name, one, memories, n, rounds)
        for name, old, new in (("encrypt", None, key), ("decrypt", key, None)):
            report[name] = measured([partial(recrypt, Path(place) / "plain", old=old, new=new)])
    sys.stdout.write(json.dumps({**report, "load": load()}, indent=2) + "\n")


def _measured(folder: Path, key: EncryptionKey | None, memories: int, n: int, rounds: int) -> dict[str, Any]:
    from habitus.evals.bench.commits import measure
    from habitus.evals.bench.memories import MadeUp, fill
    from habitus.memory.storage.embedded import EmbeddedStore
    from habitus.retrievers.encoder import HashingEncoder

    encoder, made_up = HashingEncoder(DIM), MadeUp(DIM)
    aside = folder.with_name(f"{folder.name}-turns")
    found: dict[str, Any] = measure(EmbeddedStore.open(aside, encoder, key=key), n)
    with EmbeddedStore.open(folder, encoder, key=key) as store:
        fill(store, made_up, _USER, 0, memories)
        found["bytes of a memory"] = round(store.stats().bytes_on_disk / memories)
    opening, first, searches = Times(), Times(), Times()
    for _ in range(rounds):
        store = opening.measure(partial(EmbeddedStore.open, folder, encoder, key=key))
        with store:
            first.measure(partial(store.search, _USER, made_up.query()))
            for query in [made_up.query() for _ in range(n)]:
                searches.measure(partial(store.search, _USER, query))
            # Counted by the store itself: what a process has grown by depends on what it held before.
            found["bytes of a memory while searched"] = round(store._residents.nbytes / memories)
    found |= {"opening": opening.summary(), "first search": first.summary(), "search": searches.summary()}
    with EmbeddedStore.open(folder, encoder, key=key) as store:
        ids = [turn.id for turn in store.turns(_USER)[:rounds]]
        found["forgetting a message"] = measured(partial(store.forget, _USER, turn_ids=[one]) for one in ids)
    return found
