"""Sentences that tell nothing of the user: those about somebody else, and earlier questions to memory."""

from __future__ import annotations

import re

from habitus.memory.extraction.people import PEOPLE

_LEAD = r"^(?:(?:and|but|so|also|oh|well|by the way|actually|yesterday|today)\b[\s,]*)*"
_ANOTHER = re.compile(
    _LEAD
    + rf"(?:(?:my|our)\s+(?:{PEOPLE})s?\b(?!\s+and\s+i\b)|an?\s+(?:{PEOPLE})\s+of\s+(?:mine|ours)\b"
    + rf"|(?:a|an|one of (?:my|our)|the|some)\s+(?:{PEOPLE})s?\b)",
    re.IGNORECASE,
)
_SELF = re.compile(r"\b(?:i|i'm|i've|i'd|i'll|me|my|mine|myself|we|we're|we've|our|us)\b", re.IGNORECASE)
_QUESTION = re.compile(
    r"^(?:what|which|who|whose|where|when|how|do you (?:know|remember))\b[^.!;:]*?"
    r"\b(?:do|does|did|am|is|are|was|were|have|has)\s+(?:i|my|we|our)\b[^.!;:]*\?$",
    re.IGNORECASE,
)
_PERSON = re.compile(rf"\b(?:{PEOPLE})s?\b", re.IGNORECASE)


def tells_of_another(sentence: str) -> bool:
    """Tell whether a sentence is about one of the user's people and not about the user as well.

    "My father drives a van." is; "My father gave me his van." and "My father and I drove." are not.
    """
    plain = sentence.replace("’", "'").strip()
    found = _ANOTHER.match(plain)
    return found is not None and _SELF.search(plain, found.end()) is None


def asks_memory(sentence: str) -> bool:
    """Tell whether a sentence is nothing but a question to memory ("Where do I live?")."""
    return _QUESTION.match(sentence.replace("’", "'").strip()) is not None


def asks_of_user(question: str) -> bool:
    """Tell whether a question is about the user and names nobody else ("What car do I drive?")."""
    plain = question.replace("’", "'")
    return _SELF.search(plain) is not None and _PERSON.search(plain) is None
