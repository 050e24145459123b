"""What a taste for one thing denies of another: "I'm allergic to peanuts, not shellfish"."""

from __future__ import annotations

import re
from collections.abc import Iterable

from habitus.memory.extraction.targets import clean_target, is_anaphor
from habitus.memory.records import Preference
from habitus.retrievers.analysis import FUNCTION_STEMS, analyze

_NOT = re.compile(
    r",?\s+(?:(?:and|but)\s+)?not\s+(?:(?:to|by|of)\s+)?(?P<what>[\w-]+(?:\s+[\w-]+){0,2})\W*$", re.IGNORECASE
)
_NOTHING = re.compile(
    r"^(?:too|so|very|that|as|at|any|in|on|for|when|if|because|just|only|really|always|often|necessarily"
    r"|even|much|many|all|every|until|yet|today|now|vice)\b|\w+ly\b",
    re.IGNORECASE,
)


def denied_in(preferences: Iterable[Preference]) -> list[str]:
    """Return what tastes of one message deny, each in the words by which it would be taken back."""
    found = []
    for preference in preferences:
        statement, target = preference.statement, preference.target
        denied = _NOT.search(statement)
        place = statement.lower().find(target)
        if denied is None or not 0 < place < denied.start() or preference.topic.startswith("style."):
            continue
        what = denied["what"]
        is_thing = not (_NOTHING.match(what) or is_anaphor(what)) and clean_target(what)
        if is_thing and frozenset(analyze(what)) - FUNCTION_STEMS:
            found.append(f"{statement[:place]}{what}")
    return found
