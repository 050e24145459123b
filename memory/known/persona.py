"""The persona: what the system prompt says of the user, compiled under a budget, versioned, rolled back."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from datetime import datetime

from habitus.memory.known.drift import last_seen
from habitus.memory.known.lasting import in_force, with_term
from habitus.memory.records import Persona, PersonaLine, Preference

_LEADS = {
    "require": "Always",
    "avoid": "Never",
    "dislike": "Dislikes",
    "like": "Likes",
    "neutral": "Indifferent",
}


_SEEN_FROM = {"user_generated_content": "the user's writing"}


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
    older. A line that does not fit is left out and shorter ones after it may still fit. What a roll-back
    brought back or took out stays so until its preference changes.

    Args:
        user_id: whose persona.
        preferences: of any status; those that hold at `at` count.
        previous: the version in force; it is returned as it is when the lines are the same.
        at: now.
        reason: what brought this version about.
        max_tokens: budget for the text of all lines.
        count_tokens: counts the tokens of a text.
    """
    pinned = _still_pinned(preferences, previous)
    left_out = _still_left_out(preferences, previous)
    held = {p.id for p in in_force(preferences, at)}.difference(left_out)
    shown = [p for p in preferences if p.id in pinned or p.id in held]
    lines: list[PersonaLine] = []
    left = max_tokens
    for preference in _once_each(sorted(shown, key=_order)):
        line = pinned.get(preference.id) or PersonaLine(text=_line(preference), preference_id=preference.id)
        cost = count_tokens(f"- {line.text}\n")
        if cost <= left:
            lines.append(line)
            left -= cost
    if previous is not None and previous.lines == tuple(lines):
        return previous
    return Persona(
        user_id=user_id,
        version=1 if previous is None else previous.version + 1,
        made_at=at,
        reason=reason,
        lines=tuple(lines),
        rolled_back_at=None if previous is None else previous.rolled_back_at,
        pinned=tuple(pinned.values()),
        left_out=tuple(left_out),
    )


def _once_each(ordered: Sequence[Preference]) -> list[Preference]:
    """Return preferences without those whose very words an earlier one has said; the firmest stand first."""
    said = {(" ".join(one.statement.lower().split()), one.scope): one for one in reversed(ordered)}
    first = {one.id for one in said.values()}
    return [one for one in ordered if one.id in first]


def rollback(
    user_id: str, old: Persona, current: Persona, at: datetime, *, preferences: Sequence[Preference]
) -> Persona:
    """Return the lines of an old version as a new one; history is never rewritten.

    The preferences themselves stay as they are: one that the old version does not name is still applied
    to requests that it bears on. It stands in the persona again when it is said or shown again.

    Args:
        user_id: whose persona.
        old: the version to go back to.
        current: the version in force; returned as it is when it says the same.
        at: now.
        preferences: of the user, any status.
    """
    if current.lines == old.lines:
        return current
    named = {line.preference_id for line in old.lines}
    return Persona(
        user_id=user_id,
        version=current.version + 1,
        made_at=at,
        reason=f"rolled back to version {old.version}",
        lines=old.lines,
        rolled_back_at=at,
        pinned=old.lines,
        left_out=tuple(p.id for p in preferences if p.status == "active" and p.id not in named),
    )


def _still_pinned(preferences: Sequence[Preference], previous: Persona | None) -> dict[str, PersonaLine]:
    """Return the lines of a roll-back whose preferences have not changed since, by preference."""
    if previous is None or previous.rolled_back_at is None:
        return {}
    since = previous.rolled_back_at
    known = {preference.id: preference for preference in preferences}
    newer = [p for p in preferences if p.status == "active" and last_seen(p) > since]
    return {
        line.preference_id: line
        for line in previous.pinned
        if (preference := known.get(line.preference_id)) is not None
        and not _has_changed(preference, since)
        and not any(_same_subject(preference, other) for other in newer)
    }


def _still_left_out(preferences: Sequence[Preference], previous: Persona | None) -> list[str]:
    if previous is None or previous.rolled_back_at is None:
        return []
    since = previous.rolled_back_at
    unchanged = {p.id for p in preferences if not _has_changed(p, since)}
    return [one for one in previous.left_out if one in unchanged]


def _has_changed(preference: Preference, since: datetime) -> bool:
    ended = preference.valid_to is not None and preference.valid_to > since
    return preference.status == "blocked" or ended or last_seen(preference) > since


def _same_subject(one: Preference, other: Preference) -> bool:
    if one.topic.startswith("style.") and one.topic == other.topic:
        return True
    return one.target == other.target


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
    if preference.topic == "expertise":
        lead = "Level"
    words = " ".join(preference.statement.split())
    hint = "" if preference.explicit else f" (seen from {_SEEN_FROM.get(preference.source, 'behaviour')})"
    return f"{lead}: {with_term(words, preference)}{hint}"
