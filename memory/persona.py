"""The persona: what the system prompt says of the user, compiled under a budget, versioned, rolled back."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from datetime import datetime

from habitus.memory.records import Persona, PersonaLine, Preference

_LEADS = {
    "require": "Always",
    "avoid": "Never",
    "dislike": "Dislikes",
    "like": "Likes",
    "neutral": "Indifferent",
}


def compile_persona(
    user_id: str,
    preferences: Sequence[Preference],
    *,
    previous: Persona | None,
    at: datetime,
    reason: str,
    max_tokens: int = 400,
    count_tokens: Callable[[str], int],
) -> Persona:
    """Compile the active preferences into lines, as many as the budget holds.

    Constraints come first, then how to reply, then tastes; within each the stronger first, then the
    older. A line that does not fit is left out and shorter ones after it may still fit.

    Args:
        user_id: whose persona.
        preferences: of any status.
        previous: the version in force; it is returned as it is when the lines are the same.
        at: now.
        reason: what brought this version about.
        max_tokens: budget for the text of all lines.
        count_tokens: counts the tokens of a text.
    """
    lines: list[PersonaLine] = []
    left = max_tokens
    for preference in sorted((p for p in preferences if p.status == "active"), key=_order):
        line = PersonaLine(text=_line(preference), preference_id=preference.id)
        cost = count_tokens(f"- {line.text}\n")
        if cost <= left:
            lines.append(line)
            left -= cost
    return _version(user_id, tuple(lines), previous, at, reason)


def rollback(user_id: str, old: Persona, current: Persona, at: datetime) -> Persona:
    """Return the lines of an old version as a new one; history is never rewritten."""
    return _version(user_id, old.lines, current, at, f"rolled back to version {old.version}")


def diff(a: Persona, b: Persona) -> list[str]:
    """Return a unified diff of two versions, line by line; empty when they say the same."""
    return list(
        difflib.unified_diff(
            a.text.splitlines(),
            b.text.splitlines(),
            fromfile=f"version {a.version} ({a.made_at:%Y-%m-%d %H:%M}, {a.reason})",
            tofile=f"version {b.version} ({b.made_at:%Y-%m-%d %H:%M}, {b.reason})",
            lineterm="",
            n=1,
        )
    )


def _version(
    user_id: str, lines: tuple[PersonaLine, ...], previous: Persona | None, at: datetime, reason: str
) -> Persona:
    if previous is not None and previous.lines == lines:
        return previous
    version = 1 if previous is None else previous.version + 1
    return Persona(user_id=user_id, version=version, made_at=at, reason=reason, lines=lines)


def _order(preference: Preference) -> tuple[int, float, datetime, str]:
    if preference.topic.startswith("style."):
        rank = 1
    elif preference.stance in ("require", "avoid"):
        rank = 0
    else:
        rank = 2
    return rank, -preference.strength, preference.valid_from, preference.id


def _line(preference: Preference) -> str:
    lead = "Reply style" if preference.topic.startswith("style.") else _LEADS[preference.stance]
    words = " ".join(preference.statement.split())
    hint = "" if preference.explicit else " (seen from behaviour)"
    return f"{lead}: {words}{hint}"
