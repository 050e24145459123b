"""Questions for the user's taste ("Which do I like, tea or coffee?"), from the preferences in the prompt.

What was said once may no longer hold; the preferences in the prompt do, and know their occasion.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from habitus.agent.prompting.prompt import PromptParts
from habitus.memory.extraction import extract
from habitus.memory.extraction.comparisons import rejected_in
from habitus.memory.extraction.targets import scope_of
from habitus.memory.known.preferences import is_positive
from habitus.memory.records import Turn
from habitus.retrievers.analysis import FUNCTION_STEMS, analyze

_TASTE = r"(?:like|love|enjoy|prefer|favou?r|dislike|hate|avoid|want|choose|go\s+for|care\s+for)"
_BETWEEN = re.compile(
    rf"^\W*(?:(?:which|what)\b[^?]*?\bdo\s+i\s+(?:\w+ly\s+)?(?P<verb>{_TASTE})\b(?P<frame>[^?]*?)"
    r"(?:[,:]|\bbetween|\bmore|\bbetter)\s*"
    r"|do\s+i\s+(?:\w+ly\s+)?(?P<verb2>like|love|enjoy|prefer|favou?r)\s+)"
    r"(?P<one>[^,?]+?),?\s+(?:or|and)\s+(?P<other>[^,?]+?)\s*\?\s*$",
    re.IGNORECASE,
)
_MAX_CHARS = 400
"""A longer message is no such question: what stands between two words is tried for every pair of them."""
_AGAINST = re.compile(r"dislike|hate|avoid", re.IGNORECASE)
_LINE = re.compile(r"^(?:must: |prefer: |- )?(?P<statement>.*?)(?: \((?P<scope>[^()]+)\))?$")
_ANY_DAY = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class _Taste:
    statement: str
    stems: frozenset[str]
    liked: bool
    scope: frozenset[str] | None


def preferred(parts: PromptParts) -> str | None:
    """Return which of two things the user likes, quoting what they said; None if no preference tells it."""
    question = parts.text.replace("’", "'")
    asked = _BETWEEN.match(question) if len(question) <= _MAX_CHARS else None
    if asked is None:
        return None
    against = _AGAINST.search(asked["verb"] or "") is not None
    occasion = _stems(scope_of(asked["frame"] or "") or "") or None
    tastes = [one for one in _tastes(parts) if one.scope is None or one.scope == occasion]
    # What holds on the occasion that is asked for comes before what holds always.
    tastes.sort(key=lambda one: one.scope is None)
    options = [asked["one"].strip(), asked["other"].strip()]
    for option in options:
        for one in tastes:
            if one.liked is not against and _stems(option) <= one.stems:
                return f"{_capital(option)}. You said: “{one.statement}”"
    for option, rest in (options, options[::-1]):
        for one in tastes:
            if one.liked is against and _stems(option) <= one.stems:
                return f"Rather {rest}: of {option} you said “{one.statement.rstrip('.')}”."
    return None


def _tastes(parts: PromptParts) -> Iterator[_Taste]:
    for section in ("preferences", "persona"):
        for line in parts.sections.get(section, "").splitlines():
            found = _LINE.match(line)
            if found is None:
                continue
            statement = found["statement"]
            turn = Turn(
                id="line", user_id="user", session_id="s", index=0, role="user", text=statement, at=_ANY_DAY
            )
            behind = rejected_in(statement)
            for told in extract(turn).preferences:
                liked = is_positive(told.stance)
                scope = found["scope"] or told.scope
                held = _stems(scope) if scope else None
                if liked is not None:
                    yield _Taste(statement, _stems(told.target), liked, held)
                if liked and behind:
                    yield _Taste(statement, _stems(behind), False, held)


def _stems(words: str) -> frozenset[str]:
    stems = frozenset(analyze(words))
    return stems - FUNCTION_STEMS or stems


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
