"""Which requests are about eating or drinking, and which constraints bear on it. Pure functions.

An allergy matters for every meal, however little "shellfish" resembles "a birthday cake". So the two
are not compared with each other: both are compared with examples of eating.
"""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt

from habitus.memory.extraction.outcome import DIET
from habitus.memory.records import Preference
from habitus.retrievers.encoder import Vectors

REQUESTS = (
    "What should I eat?",
    "What should I cook for dinner?",
    "Give me a recipe.",
    "Where can we go out to eat?",
    "Book a restaurant for us.",
    "Which dish should I order?",
    "What snacks should I bring?",
    "Plan the menu for a party.",
    "What should we have for breakfast?",
    "Bake a cake for a birthday.",
    "A bar or a café near here?",
    "What food will we serve our guests?",
    "Which drink would you choose?",
    "What goes into this sauce?",
)
EATEN = (
    "gluten",
    "wheat bread",
    "shellfish",
    "crab and prawns",
    "eggs",
    "fish",
    "peanuts",
    "soy",
    "milk and cheese",
    "nuts",
    "celery",
    "mustard",
    "sesame",
    "sulphites in wine",
    "lupin flour",
    "mussels",
    "fruit",
    "meat",
)
"""The allergens that must be named on food by Regulation (EU) 1169/2011, annex II, and fruit and meat."""
NOT_EATEN = (
    "pollen",
    "dust mites",
    "mould",
    "cats and dogs",
    "bee stings",
    "latex gloves",
    "nickel jewellery",
    "penicillin",
    "painkillers",
    "perfume",
    "wool",
    "sunlight",
    "smoke",
    "loud noise",
    "cosmetics",
    "flying",
    "crowds",
    "stairs",
)
ASKS = 0.28
"""Mean cosine (MiniLM) to the nearest three of `REQUESTS` from which a request is about eating: of 28 such,
written for it, the least had .28; of 29 others five had more, all of them about going out or away.
"""
SLACK = 0.03
"""How much nearer to `NOT_EATEN` a target may be and still count as eaten: to miss one is the worse error.
Of 76 targets of our own all 35 foods count, and 10 of the 41 others (horses, grass, cash).
"""
_NEAREST_REQUESTS, _NEAREST_TARGETS = 3, 2

_CONSUMED = re.compile(
    r"\b(?:eat|eats|eating|ate|drink|drinks|drinking|consum(?:e|es|ing)|swallow|digest)\b", re.IGNORECASE
)


def is_about_eating(request: Vectors, examples: Vectors) -> bool:
    """Tell whether a request is about eating or drinking.

    Args:
        request: shape `(dim,)`, without the frame of requests.
        examples: of `REQUESTS`, shape `(n, dim)`, without it too.
    """
    return float(np.sort(examples @ request)[-_NEAREST_REQUESTS:].mean()) >= ASKS


def bears_on_eating(
    preferences: list[Preference], targets: Vectors, eaten: Vectors, not_eaten: Vectors
) -> npt.NDArray[np.bool_]:
    """Tell of each preference whether what it is about is eaten or drunk, shape `(n,)`.

    Args:
        preferences: `n` records.
        targets: vectors of their targets, shape `(n, dim)`.
        eaten: of `EATEN`, shape `(m, dim)`.
        not_eaten: of `NOT_EATEN`, shape `(m, dim)`.
    """
    said = [one.topic == DIET or _CONSUMED.search(one.statement) is not None for one in preferences]
    nearer = _nearness(targets, eaten) >= _nearness(targets, not_eaten) - SLACK
    bears: npt.NDArray[np.bool_] = np.array(said, dtype=np.bool_) | nearer
    return bears


def _nearness(targets: Vectors, examples: Vectors) -> Vectors:
    nearest: Vectors = np.sort(targets @ examples.T, axis=1)[:, -_NEAREST_TARGETS:].mean(axis=1)
    return nearest
