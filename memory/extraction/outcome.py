"""What one turn yields."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from habitus.memory.records import Correction, Fact, Preference


@dataclass(frozen=True, kw_only=True)
class Extraction:
    """What the user's own words of one turn tell.

    Attributes:
        preferences: tastes, needs and aversions, stated or shown by a choice.
        facts: statements about the user and their people.
        retractions: what the user takes back, as the sentence that no longer holds ("I avoid spicy food").
        corrections: mistakes of the assistant that the user sets right.
    """

    preferences: tuple[Preference, ...] = ()
    facts: tuple[Fact, ...] = ()
    retractions: tuple[str, ...] = ()
    corrections: tuple[Correction, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.preferences or self.facts or self.retractions or self.corrections)


def record_id(*parts: str) -> str:
    """Return an id made from `parts`: the same turn always yields the same records."""
    return hashlib.blake2b("\x1f".join(parts).encode("utf-8", "replace"), digest_size=16).hexdigest()
