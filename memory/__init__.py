"""What is known of one user: records, the stores that keep them, recall, and learning without a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from habitus.retrievers.exports import lazy_exports

if TYPE_CHECKING:
    from habitus.memory.errors import InvalidInputError, MemoryStoreError, NotFoundError
    from habitus.memory.records import (
        Changes,
        Conversation,
        Fact,
        Feedback,
        Message,
        Norm,
        Persona,
        Preference,
        Profile,
        Session,
        Turn,
    )
    from habitus.memory.storage.embedded import EmbeddedStore
    from habitus.memory.store import Candidates, MemoryStore, Query

__all__ = [
    "Candidates",
    "Changes",
    "Conversation",
    "EmbeddedStore",
    "Fact",
    "Feedback",
    "InvalidInputError",
    "MemoryStore",
    "MemoryStoreError",
    "Message",
    "Norm",
    "NotFoundError",
    "Persona",
    "Preference",
    "Profile",
    "Query",
    "Session",
    "Turn",
]

_HOMES = {
    "habitus.memory.storage.embedded": ("EmbeddedStore",),
    "habitus.memory.errors": (
        "InvalidInputError",
        "MemoryStoreError",
        "NotFoundError",
    ),
    "habitus.memory.records": (
        "Changes",
        "Conversation",
        "Fact",
        "Feedback",
        "Message",
        "Norm",
        "Persona",
        "Preference",
        "Profile",
        "Session",
        "Turn",
    ),
    "habitus.memory.store": (
        "Candidates",
        "MemoryStore",
        "Query",
    ),
}
__getattr__, __dir__ = lazy_exports(__name__, _HOMES)
