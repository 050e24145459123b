"""Answers to questions about the user as a whole, from the profile."""

from __future__ import annotations

import re

from habitus.agent.prompting.prompt import PromptParts
from habitus.memory.index.phrases import vectors_of
from habitus.retrievers.analysis import content
from habitus.retrievers.encoder import Encoder

NOTHING_KNOWN = "I don't know enough about you yet."
_MAX_STATEMENTS = 6
_PER_SECTION = 2
_NEAR = 0.3
_PIECE = re.compile(r"“[^“”]*”|[^.“”]+\.?")
"""What ends in neither a full stop nor a quotation mark is no statement, but is matched: what is not would be
tried again from each of its letters."""
_FRAME = re.compile(
    r"\b(?:describe|summari[sz]e|characteri[sz]e|kind|sort|type|tastes?|preferences?|interests?|personality|style|"
    r"habits?|generally|usually|normally|typically|like|prefer|enjoy|want|think|person)\b",
    re.IGNORECASE,
)


def describe(parts: PromptParts, encoder: Encoder) -> str:
    """Tell what the profile holds on the question; of each section a little if it asks for all."""
    sections = _statements(parts)
    if not sections:
        return NOTHING_KNOWN
    topic = _FRAME.sub("", content(parts.text)).strip()
    everything = [(title, one) for title, found in sections.items() for one in found]
    if any(letter.isalpha() for letter in topic):
        vectors = vectors_of([topic, *(one for _, one in everything)], encoder)
        cosines = vectors[1:] @ vectors[0]
        ranked = sorted(zip(cosines.tolist(), range(len(everything)), strict=True), reverse=True)
        near = sorted(place for cosine, place in ranked[:_MAX_STATEMENTS] if cosine >= _NEAR)
        if near:
            return _told([everything[place] for place in near])
    return _told([(title, one) for title, found in sections.items() for one in found[:_PER_SECTION]])


def _told(chosen: list[tuple[str, str]]) -> str:
    lines: dict[str, list[str]] = {}
    for title, statement in chosen:
        lines.setdefault(title, []).append(statement)
    return "This is how I know you:\n" + "\n".join(
        f"{title}: {' '.join(found)}" for title, found in lines.items()
    )


def _statements(parts: PromptParts) -> dict[str, list[str]]:
    """Return the statements of the profile by section; of the persona, where there is no profile yet."""
    found: dict[str, list[str]] = {}
    for line in parts.sections.get("profile", "").splitlines():
        title, _, text = line.partition(": ")
        found[title] = [one.strip() for one in _PIECE.findall(text) if one[-1] in ".”"] or [text]
    if not found and "persona" in parts.sections:
        found["Preferences"] = [line.removeprefix("- ") for line in parts.sections["persona"].splitlines()]
    return {title: statements for title, statements in found.items() if any(statements)}
