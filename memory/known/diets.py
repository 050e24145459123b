"""What the name of a diet rules out, so that "I eat fish now" ends "I'm vegetarian"."""

from __future__ import annotations

import re
from collections.abc import Sequence

from habitus.memory.extraction.outcome import DIET
from habitus.memory.index.phrases import vectors_of
from habitus.memory.records import Preference
from habitus.retrievers.analysis import analyze
from habitus.retrievers.encoder import Encoder

KIND_OF = 0.6
"""Cosine (MiniLM) from which a food counts as a kind of flesh: salmon to fish .72, bacon
to meat .60, mushrooms .48.
"""

_FLESH = {"vegetarian": ("meat", "fish", "seafood", "poultry"), "pescatarian": ("meat", "poultry")}
_FLESH["vegan"] = _FLESH["vegetarian"]
_PRODUCTS = {"vegan": ("milk", "cheese", "egg", "butter", "honey", "dairy", "yoghurt", "cream")}
"""By their own names only: oat milk is near to milk, and vegan."""
_IMITATED = re.compile(
    r"\b(?:\w*less|\w*-?free|vegan|vegetarian|veggie|plant-?based|mock|fake|tofu|soy"
    r"|substitutes?)\b",
    re.IGNORECASE,
)
_EATEN = re.compile(r"\b(?:eat|eating|cook|cooking|have|drink|drinking|consume|consuming)\b", re.IGNORECASE)


def given_up(known: Sequence[Preference], new: Preference, encoder: Encoder) -> list[Preference]:
    """Return the diets that end because the user says that they eat what those rule out."""
    if new.stance not in ("like", "require") or new.topic == DIET or not _EATEN.search(new.statement):
        return []
    diets = [old for old in known if old.topic == DIET and old.status == "active" and old.scope is None]
    if not diets or not new.explicit or new.scope is not None or _IMITATED.search(new.target):
        return []
    return [diet for diet in diets if _rules_out(diet.target, new.target, encoder)]


def _rules_out(diet: str, food: str, encoder: Encoder) -> bool:
    name = next((name for name in ("pescatarian", "vegetarian", "vegan") if name in diet), None)
    if name is None:
        return False
    products = {stem for word in _PRODUCTS.get(name, ()) for stem in analyze(word)}
    if frozenset(analyze(food)) <= products:
        return True
    vectors = vectors_of([food, *_FLESH[name]], encoder)
    return float((vectors[1:] @ vectors[0]).max()) >= KIND_OF
