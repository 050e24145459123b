"""What a taste that holds "now" takes the place of: the older choice among the same things."""

from __future__ import annotations

import re
from collections.abc import Sequence

from habitus.memory.index.phrases import vectors_of
from habitus.memory.records import Preference
from habitus.retrievers.analysis import analyze
from habitus.retrievers.encoder import Encoder

SAME_KIND = 0.3
"""Cosine of two targets (MiniLM) from which they are alternatives on one occasion: tea and coffee, not tea
and jogging."""

_CHANGE = re.compile(
    r"\b(?:now(?:adays)?|these\s+days|lately|recently|currently|at\s+the\s+moment|from\s+now\s+on|by\s+now|instead)\b",
    re.IGNORECASE,
)
_CHOICE = re.compile(
    r"\b(?:prefer\w*|rather|choose|chosen|go\s+for|opt\s+for|favou?r|default\s+to|usually|always|mostly|best)\b",
    re.IGNORECASE,
)
_TAIL = re.compile(
    r"\s+(?:on|in|at|for|with|of|from|to|by|near|over|under|after|before|during)\s+.*$", re.IGNORECASE
)


def succeeded(live: Sequence[Preference], new: Preference, encoder: Encoder) -> list[Preference]:
    """Return the choices that end because the user now chooses otherwise, oldest first.

    "I now prefer aisle seats" ends "I prefer window seats": both choose among seats. On one occasion it is
    enough that both are alternatives: "nowadays I prefer coffee in the morning" ends the tea. Without a word
    of change, or of choice, both stand: one may like several things. Needs never end this way.

    Args:
        live: likings that hold, of the same scope as `new`.
        new: a liking.
        encoder: compares targets.
    """
    if not (_CHANGE.search(new.statement) and _CHOICE.search(new.statement)) or _is_style(new):
        return []
    others = [
        old
        for old in live
        if not _is_style(old) and _CHOICE.search(old.statement) and analyze(old.target) != analyze(new.target)
    ]
    alike = [_same_head(old.target, new.target) or _alternatives(old, new, encoder) for old in others]
    found = [old for old, same in zip(others, alike, strict=True) if same]
    return sorted(found, key=lambda old: (old.learnt_at, old.id))


def _is_style(preference: Preference) -> bool:
    return preference.topic.startswith("style.")


def _same_head(one: str, other: str) -> bool:
    """Tell whether two targets are kinds of one thing: window seats and aisle seats."""
    heads = [analyze(_TAIL.sub("", target)) for target in (one, other)]
    tails = [analyze(target)[len(head) :] for target, head in zip((one, other), heads, strict=True)]
    return all(len(head) > 1 for head in heads) and heads[0][-1] == heads[1][-1] and tails[0] == tails[1]


def _alternatives(old: Preference, new: Preference, encoder: Encoder) -> bool:
    if new.scope is None or old.scope is None:
        return False
    one, other = vectors_of([old.target, new.target], encoder)
    return float(one @ other) >= SAME_KIND
