"""What one turn yields, and how a record of it is made."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from habitus.memory.extraction.grammar import EATER
from habitus.memory.extraction.targets import topic_of
from habitus.memory.records import Correction, Evidence, Fact, Preference, SourceKind, Stance, Turn

DIET = "food.diet"
"""Topic of what kind of food somebody eats at all; there is one at a time."""
FOR_NOW = 0.45
"""Confidence at most of what is said of one day: it waits to be confirmed."""

_TODAY = re.compile(
    r"\b(?:today|tonight|tomorrow|just\s+this\s+once|for\s+now|this\s+(?:time|evening|morning|afternoon|once"
    r"|week|month))"
    r"(?:\s+(?:because|as|since|so|after|before)\b.*|\W*)$",
    re.IGNORECASE,
)


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


_DIET = re.compile(
    r"(?:(?:strict|lacto|ovo|lifelong|committed|flexible|raw)[\s-]+)*"
    rf"(?:{EATER}|vegan|(?:pure[\s-]+)?veg|carnivore|omnivore)(?:\s+diet)?"
)


def of_today(words: str) -> bool:
    """Tell whether what is said holds for one day or less."""
    return _TODAY.search(words) is not None


def _in_order(record: str, text: str, quote: str, target: str) -> str:
    """Return an id that sorts by the place of its words: of one moment the first said is first."""
    quoted = max(text.find(quote), 0)
    named = text.lower().find(target, quoted, quoted + len(quote))
    return f"{min(max(quoted, named), 0xFFFFF):05x}{record[5:]}"


def place_of(preference: Preference) -> str:
    """Return what preferences of one turn are sorted by to stand in the order of its text."""
    return preference.id[:5]


def make_preference(
    turn: Turn,
    *,
    statement: str,
    quote: str,
    target: str,
    stance: Stance,
    strength: float,
    confidence: float,
    topic: str | None = None,
    scope: str | None = None,
    source: SourceKind = "statement",
    explicit: bool = True,
) -> Preference:
    """Build the record of one taste told in `turn`; its id depends on the turn and the content only.

    Ids of one turn sort in the order of its text.
    """
    made = record_id(turn.user_id, turn.id, stance, target, scope or "", statement)
    return Preference(
        id=_in_order(made, turn.text, quote, target),
        user_id=turn.user_id,
        statement=statement,
        topic=topic or (DIET if _DIET.fullmatch(target) else topic_of(target)),
        target=target,
        stance=stance,
        strength=round(min(max(strength, 0.0), 1.0), 2),
        explicit=explicit,
        source=source,
        scope=scope,
        confidence=round(min(max(confidence, 0.0), 1.0), 2),
        evidence=(Evidence(turn_id=turn.id, quote=quote),),
        valid_from=turn.at,
        learnt_at=turn.at,
    )
