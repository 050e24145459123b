"""Cutting out of a message what is to be forgotten, and no more."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence, Set

from habitus.retrievers.analysis import analyze

_SENTENCE = re.compile(r"[^.!?\n]*(?:[.!?]+|\n+|$)\s*")
_CLAUSE_END = re.compile(
    r"(,\s*(?:and|but|so|or)?\s+|;\s*|(?<!\s)\s+(?:and|but|so|or|because|while)\s+)", re.IGNORECASE
)
_RELATIVE = re.compile(r"(?:which|who|whom|whose|where)\b", re.IGNORECASE)
"""A clause that says more of what the one before it names cannot stand without it."""


def mentions(text: str, subjects: Sequence[Set[str]]) -> bool:
    """Tell whether a sentence of a text holds all the stems of one of the subjects."""
    return any(_holds(found[0], subjects) for found in _SENTENCE.finditer(text))


def _holds(sentence: str, subjects: Iterable[Set[str]]) -> bool:
    stems = set(analyze(sentence))
    return any(subject and subject <= stems for subject in subjects)


def sentences_of(text: str) -> list[str]:
    """Return the sentences of a message as `without` cuts it."""
    return [found[0] for found in _SENTENCE.finditer(text) if found[0].strip()]


def clauses_of(sentence: str) -> list[str]:
    """Return the clauses of a sentence as `without` cuts it."""
    return [clause for clause in _CLAUSE_END.split(sentence)[::2] if clause.strip()]


def without(text: str, subjects: Sequence[Set[str]]) -> str:
    """Return a message without the clauses that mention a subject; empty if nothing worth keeping is left.

    Of a sentence that mentions a subject only the clauses (parted by commas and conjunctions) that hold
    its words go, if the others can stand without them; else the whole sentence goes.

    Args:
        text: the message.
        subjects: each a set of stems, as `analyze` gives them.
    """
    left = "".join(_sentence_without(found[0], subjects) for found in _SENTENCE.finditer(text))
    return left.strip() if analyze(left) else ""


def _sentence_without(sentence: str, subjects: Sequence[Set[str]]) -> str:
    if not _holds(sentence, subjects):
        return sentence
    words = frozenset().union(*(subject for subject in subjects if subject <= set(analyze(sentence))))
    parts = _CLAUSE_END.split(sentence)
    clauses, joints = parts[::2], parts[1::2]
    kept = [place for place, clause in enumerate(clauses) if not words & set(analyze(clause))]
    kept = [place for place in kept if place == 0 or place - 1 in kept or not _RELATIVE.match(clauses[place])]
    if not any(len(analyze(clauses[place])) > 2 for place in kept):
        return ""
    said = clauses[kept[0]]
    for place in kept[1:]:
        said += joints[place - 1] + clauses[place]
    if kept[-1] != len(clauses) - 1:
        said = said.rstrip() + "." + sentence[len(sentence.rstrip()) :]
    return said
