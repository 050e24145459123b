"""How evidence is put into words: short quotations with their day."""

from __future__ import annotations

import re
from datetime import date

from habitus.agent.generators.extractive.asked import Asked
from habitus.agent.generators.extractive.evidence import Said
from habitus.retrievers.analysis import analyze

MAX_WORDS = 26
"""Of a quotation; a longer sentence is cut to the clauses that bear most on the question."""

_LEAD = re.compile(
    r"^(?:(?:oh|also|and|so|well|anyway|actually|by the way|btw|speaking of (?:which|that)|"
    r"speaking of [\w' ]{3,40}|that reminds me)\s*[,:-]\s*|(?:oh|and|but|so) )+",
    re.IGNORECASE,
)
_CLAUSE = re.compile(r"(?<=[,;:]) | (?=[-–—] )| (?=(?:and|but|because|so|which|while|although|when) )")


def told_on(day: date | None) -> str:
    """Return a day as it stands in a reply."""
    return f"{day.day} {day:%B %Y}" if day else "an unknown day"


def quoted(said: Said, asked: Asked | None = None, max_words: int = MAX_WORDS) -> str:
    """Return a quotation with its day, as short as it may be for the question."""
    who = "you said" if said.by_user else "I said"
    when = f"On {told_on(said.day)} {who}" if said.day else who.capitalize()
    return f"{when}: “{shortest(said.text, asked, max_words)}”"


def shortest(text: str, asked: Asked | None, max_words: int = MAX_WORDS) -> str:
    """Return the run of clauses, of at most so many words, that bears most on the question."""
    bare = _LEAD.sub("", text)
    bare = bare[:1].upper() + bare[1:] if bare else text
    words = bare.split()
    if len(words) <= max_words:
        return bare
    clauses = _CLAUSE.split(" ".join(words))
    wanted = set(analyze(" ".join(asked.words))) if asked else set()
    best, best_worth = (0, 1), (-1.0, 0)
    for first in range(len(clauses)):
        for end in range(first + 1, len(clauses) + 1):
            run = " ".join(clauses[first:end])
            n_words = len(run.split())
            if n_words > max_words and end > first + 1:
                break
            held = len(wanted & set(analyze(run))) / (len(wanted) or 1)
            # What is asked for weighs as much as half of the question's words.
            worth = (held + (0.5 if asked and asked.stands_in(run) else 0.0), -n_words)
            if worth > best_worth:
                best, best_worth = (first, end), worth
    run = " ".join(" ".join(clauses[best[0] : best[1]]).split()[:max_words]).strip(",;:-–— ")
    before, after = ("… " if best[0] else ""), (" …" if best[1] < len(clauses) else "")
    return f"{before}{run}{after}"
