"""How much of what is known of the user enters a prompt: the dial `strength` of a turn."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from habitus.agent.state import Standing
from habitus.memory.known.profile import without
from habitus.memory.records import Preference

BINDING = 0.9
"""A taste of this strength binds like a constraint."""


def binds(preference: Preference) -> bool:
    """Return whether a preference is a constraint rather than a taste."""
    return preference.stance in ("require", "avoid") or preference.strength >= BINDING


def narrowed(standing: Standing, stored: Iterable[Preference], strength: float) -> Standing:
    """Return what of the user's standing counts at a strength.

    Constraints count at every strength. Of the tastes those count whose own strength times confidence
    reaches `1 - strength`: at 1 all of them, at 0.5 the plain and well-founded ones. An example of a liked
    or disliked reply counts where its request comes that near to this one: its cosine reaches `1 - strength`.
    Facts are no tastes: they stay in the profile, while its sections on tastes tell those that count.

    Args:
        standing: persona, profile, applied preferences and examples.
        stored: the user's preferences before this turn.
        strength: above 0, up to 1.
    """
    known = {one.id: one for one in (*stored, *standing.changes.preferences)}
    left_out = {one.id for one in known.values() if not _counts(one, strength)}
    persona = standing.persona
    if persona is not None:
        lines = tuple(line for line in persona.lines if line.preference_id not in left_out)
        persona = persona.model_copy(update={"lines": lines})
    profile = standing.profile
    if profile is not None and left_out:
        profile = without(profile, left_out, known.values())
    applied = tuple(one for one in standing.applied if one.preference.id not in left_out)
    examples = tuple(one for one in standing.examples if one.cosine >= 1.0 - strength)
    return replace(standing, persona=persona, profile=profile, applied=applied, examples=examples)


def _counts(preference: Preference, strength: float) -> bool:
    return binds(preference) or preference.strength * preference.confidence >= 1.0 - strength
