"""How long a search over one user's memory takes, as memories grow in number; encoding is left out."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from habitus.evals.bench.clock import load, measured, resident_mb
from habitus.evals.bench.memories import MadeUp, fill
from habitus.memory.storage.embedded import EmbeddedStore
from habitus.memory.store import Query
from habitus.retrievers.encoder import Encoder

Progress = Callable[[str, int], None]
"""Called with what is being made, and how many memories of it are new."""


@dataclass(frozen=True, kw_only=True)
class Searched:
    """Searches at one size.

    Attributes:
        n_memories: in the store.
        n_users: they are spread over.
        cold: first search of a user since the store was opened (the system's file cache is warm).
        warm: further searches of the same users.
        resident_mb: of the process after these searches, the encoder loaded.
        bytes_per_memory: on disk.
        load: of the machine.
    """

    n_memories: int
    n_users: int
    cold: dict[str, float]
    warm: dict[str, float]
    resident_mb: float
    bytes_per_memory: float
    load: float


def many_users(
    folder: Path,
    encoder: Encoder,
    *,
    sizes: Sequence[int],
    per_user: int,
    n_queries: int,
    n_cold: int,
    seed: int,
    progress: Progress,
) -> list[Searched]:
    """Search random users of a store that grows to each of the sizes, with as many memories each."""
    made_up, chance = MadeUp(encoder.dim, seed), random.Random(seed)
    found: list[Searched] = []
    n_users = 0
    for size in sizes:
        with EmbeddedStore.open(folder, encoder) as store:
            while n_users < max(1, size // per_user):
                fill(store, made_up, f"user{n_users}", 0, per_user)
                n_users += 1
                progress(f"{sizes[-1]:,} memories of many users", per_user)
        users = [f"user{number}" for number in chance.sample(range(n_users), min(n_users, n_cold))]
        found.append(_searched(folder, encoder, users, [made_up.query() for _ in range(n_queries)]))
    return found


def one_user(
    folder: Path,
    encoder: Encoder,
    *,
    sizes: Sequence[int],
    n_queries: int,
    seed: int,
    progress: Progress,
) -> list[Searched]:
    """Search a user whose memory grows to each of the sizes."""
    made_up = MadeUp(encoder.dim, seed)
    found: list[Searched] = []
    n_stored = 0
    for size in sizes:
        with EmbeddedStore.open(folder, encoder) as store:
            fill(store, made_up, "user", n_stored, size, lambda n: progress(f"{sizes[-1]:,} of one user", n))
            n_stored = size
        queries = [made_up.query() for _ in range(n_queries)]
        found.append(_searched(folder, encoder, ["user"], queries))
    return found


def _searched(folder: Path, encoder: Encoder, users: list[str], queries: list[Query]) -> Searched:
    encoder.encode(["What is measured is a process that can also encode."])
    with EmbeddedStore.open(folder, encoder) as store:
        cold = measured(_search(store, user, query) for user, query in _turns(users, queries, len(users)))
        # The users searched last: of so many the cache need not hold all.
        held = users[-min(len(users), 100) :]
        for user in held:
            store.search(user, queries[0])
        warm = measured(_search(store, user, query) for user, query in _turns(held, queries, len(queries)))
        stats, memory = store.stats(), resident_mb()
    return Searched(
        n_memories=stats.n_turns,
        n_users=stats.n_users,
        cold=cold,
        warm=warm,
        resident_mb=round(memory, 1),
        bytes_per_memory=round(stats.bytes_on_disk / stats.n_turns, 1),
        load=round(load(), 2),
    )


def _turns(users: list[str], queries: list[Query], n: int) -> Iterator[tuple[str, Query]]:
    for number in range(n):
        yield users[number % len(users)], queries[number % len(queries)]


def _search(store: EmbeddedStore, user_id: str, query: Query) -> Callable[[], Any]:
    return lambda: store.search(user_id, query)
