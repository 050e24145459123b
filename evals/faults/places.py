"""Where the store under test is: the one place that knows how a backend is opened."""

from __future__ import annotations

from habitus.memory.embedded import EmbeddedStore
from habitus.memory.opening import is_url
from habitus.memory.store import MemoryStore
from habitus.retrievers.encoder import Encoder

DIM = 64
"""Of the hashing encoder: what is lost does not depend on what vectors mean."""


def open_store(place: str, encoder: Encoder, *, exact_limit: int) -> MemoryStore:
    """Open the store at a place.

    Args:
        place: a data folder, or the URL of a PostgreSQL database.
        encoder: makes the vectors.
        exact_limit: users with more turns are searched through the derived indexes.
    """
    if is_url(place):
        from habitus.memory.postgres.store import PostgresStore

        return PostgresStore.open(place, encoder, exact_limit=exact_limit)
    return EmbeddedStore.open(place, encoder, exact_limit=exact_limit, index_after=8)
