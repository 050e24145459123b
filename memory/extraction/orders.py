"""What those who treat the user told them to leave or to keep to: it binds like the user's own words.

"My doctor told me to avoid salt", "the dentist says no hard sweets", "my GP put me on a low-salt diet".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from habitus.memory.extraction.guards import is_hypothetical
from habitus.memory.extraction.outcome import make_preference
from habitus.memory.extraction.segmentation import Sentence
from habitus.memory.extraction.targets import clean_target, is_anaphor, object_span, scope_of
from habitus.memory.extraction.wording import tidy
from habitus.memory.records import Preference, Stance, Turn

_WHO = (
    r"(?:(?:my|the|our)\s+(?:\w+\s+)?)?\b(?:doctors?|docs?|gp|dr|dentist|physician|surgeon|nurse|midwife|physio\w*"
    r"|therapist|dieti[ct]ian|nutritionist|consultant|cardiologist|\w{4,}ologist)"
)
_TOLD = (
    r"(?:has\s+|have\s+|had\s+|just\s+|also\s+|always\s+)*"
    r"(?:(?:told|advised|asked|ordered|warned|instructed|wants?)\s+me"
    r"|says?|said|recommended|suggested)(?:\s+that)?"
)
_BY = (
    r"(?:\bi(?:'ve|\s+have|\s+was|'m|\s+am)\s+(?:been\s+)?(?:just\s+)?(?:told|advised|ordered|warned)"
    rf"(?:\s+by\s+{_WHO})?)"
)
_LEAVE = (
    r"(?:(?:(?:that\s+)?i\s+(?:should|must|need\s+to|have\s+to|ought\s+to)\s+|to\s+)?(?:strictly\s+|completely\s+)?"
    r"(?:avoid(?:ing)?|stay\s+(?:off|away\s+from)|keep\s+off|cut\s+out|give\s+up|quit"
    r"|stop\s+(?:eating|drinking|having|taking))"
    r"|(?:i\s+(?:can't|cannot|mustn't|must\s+not|shouldn't|should\s+not)|not\s+to)\s+(?:eat|drink|have|touch|take"
    r"|do|lift)"
    r"|against|no(?=\s+(?!problem|need|idea|doubt|worries|way|more\b)\w))"
)
_ORDERS: tuple[tuple[re.Pattern[str], Stance], ...] = (
    (re.compile(rf"(?:\b{_WHO}\s+{_TOLD}|{_BY})\s+{_LEAVE}", re.IGNORECASE), "avoid"),
    (
        re.compile(
            rf"\b{_WHO}\s+(?:has\s+|have\s+|had\s+|just\s+)*put\s+me\s+on\s+an?\s+"
            r"(?P<target>(?:[\w-]+\s+){1,4}?(?:diet|regime|regimen))\b",
            re.IGNORECASE,
        ),
        "require",
    ),
)
_FURTHER = re.compile(r"\s+(?:by\s+(?:my|the|our)|and|or\s+(?:i|he|she)|,)\b", re.IGNORECASE)
"""What follows the thing itself: who said so, and what else they said."""
_OTHERS = re.compile(r"\b(?:his|her|their|my\s+\w+'s)\s+(?:\w+\s+)?$", re.IGNORECASE)
_STRENGTH, _CONFIDENCE = 0.95, 0.85


def orders_in(turn: Turn, sentence: Sentence) -> list[Preference]:
    """Return what one sentence says that the user was told to leave, or to keep to, for their health."""
    return [] if sentence.is_question else list(_found(turn, sentence))


def _found(turn: Turn, sentence: Sentence) -> Iterator[Preference]:
    for pattern, stance in _ORDERS:
        match = pattern.search(sentence.plain)
        if match is None or is_hypothetical(sentence, match.start()):
            continue
        if _OTHERS.search(sentence.plain[: match.start()]):
            continue
        named = match.groupdict().get("target")
        start, end = object_span(sentence.plain, match.end())
        words = named or _FURTHER.split(sentence.plain[start:end], maxsplit=1)[0]
        target = clean_target(words)
        if not re.search(r"\w{2}", target) or is_anaphor(words) or len(target.split()) > 8:
            continue
        end = match.end() if named else start + len(words.rstrip())
        quote = sentence.quote(match.start(), end)
        yield make_preference(
            turn,
            statement=tidy(sentence.text[match.start() : end]),
            quote=quote,
            target=target,
            stance=stance,
            strength=_STRENGTH,
            confidence=_CONFIDENCE,
            scope=scope_of(words),
        )
