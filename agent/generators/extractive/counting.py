"""Counting what the user did again and again ("How many novels have I read?"), told time by time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from habitus.agent.generators.extractive.asked import NUMBER, Asked
from habitus.agent.generators.extractive.evidence import Said
from habitus.agent.generators.extractive.wording import shortest, told_on
from habitus.memory.known.slots import is_own
from habitus.retrievers.analysis import FUNCTION_STEMS, analyze

_ASKED = re.compile(
    r"\bhow many (?:different |new |other )*(?P<things>[\w'’ -]{2,40}?) (?:have|did) (?:i"
    r"|we) "
    r"(?:\w+ly |ever |already |now )*(?P<verb>[a-z]+)"
    r"(?: (?:so far|by now|already|yet|until now|up to now|in all|in total|altogether"
    r"|all told))* ?\?$",
    re.IGNORECASE,
)
_MAX_CHARS = 1_000
"""Of a message, from its end, that may be such a question."""
_DID = (
    r"(?:^|[,;:.]\s*|\b(?:and|then|finally|yesterday|today|that|night|week|morning|evening|weekend)\s+)"
    r"(?:i|we)(?:['’]ve|\s+have)?\s+(?:\w+ly\s+|just\s+|now\s+|also\s+|already\s+|even\s+)*"
)
_IRREGULAR = {
    past: base
    for past, _, base in (
        pair.partition(":")
        for pair in (
            "ate:eat eaten:eat bought:buy caught:catch did:do done:do drank:drink drunk:drink "
            "drove:drive driven:drive flew:fly flown:fly gave:give given:give grew:grow grown:grow "
            "made:make met:meet ran:run rode:ride ridden:ride sang:sing sung:sing saw:see seen:see "
            "sold:sell swam:swim swum:swim taught:teach took:take taken:take won:win wrote:write "
            "written:write went:go gone:go built:build sewn:sew"
        ).split()
    )
}
_COMPLETED = frozenset(analyze("finish complete do"))
_PAST = re.compile(r"^(?:\w+ed|read|put|hit|cut|set|run|become|come|knit|beat)$", re.IGNORECASE)
_NAME = re.compile(r"[A-Z][\w'’-]*(?:\s+(?:(?:of|the|and|in|de|la)\s+)*[A-Z0-9][\w'’-]*)*")
_NUMBERED = re.compile(rf"\b(?!one\b|a\b|once\b){NUMBER}\s+(?P<of>(?:[\w'’-]+\s*){{1,4}})", re.IGNORECASE)
_MAX_NAMED = 6
_MEMBER_WORDS = 12


@dataclass(frozen=True)
class _Time:
    said: Said
    what: frozenset[str]


def counted(asked: Asked, said: Sequence[Said]) -> str | None:
    """Return how often the user told of having done it, each thing once; None where nothing is told of it.

    What is planned, done by others or only mentioned again does not count. It must be a case of what is asked
    for: called so, or given by its name right behind the verb. Where a number was told, nothing is counted.
    """
    question = _ASKED.search(" ".join(asked.text[-_MAX_CHARS:].split()))
    if question is None or asked.spans:
        return None
    verb = _base(question["verb"])
    things = frozenset(analyze(question["things"])) - FUNCTION_STEMS
    times: list[_Time] = []
    for one in sorted((one for one in said if one.by_user and is_own(one.text)), key=lambda one: one.when):
        if any(things & set(analyze(given["of"])) for given in _NUMBERED.finditer(one.text)):
            return None
        what = _done(one.text, verb, things)
        if what is not None and all(what != time.what for time in times):
            times.append(_Time(one, what))
    if not times:
        return None
    named = "; ".join(
        f"“{shortest(time.said.text, asked, _MEMBER_WORDS)}” ({told_on(time.said.day)})"
        for time in times[:_MAX_NAMED]
    )
    return f"I count {len(times)}: {named}"


def _done(text: str, verb: str, things: frozenset[str]) -> frozenset[str] | None:
    """Return the stems of what a sentence says was done, None if it tells of no such time."""
    for start in re.finditer(_DID, text, re.IGNORECASE):
        words = text[start.end() :].split()
        verbs = [word.strip(".,;:!?") for word in words[:2]]
        if not verbs or not (_PAST.match(verbs[0]) or verbs[0].lower() in _IRREGULAR):
            continue
        place = next((place for place, word in enumerate(verbs) if _same(_base(word), verb)), None)
        if place is None:
            continue
        rest = " ".join(words[place + 1 :])
        rest = re.sub(r"^(?:reading|watching|climbing|my|our|the|a|an|another|up|on|through)\s+", "", rest)
        name = _NAME.match(rest) or _NAME.search(rest.partition(":")[2])
        stems = frozenset(analyze(rest)) - FUNCTION_STEMS
        if name is not None:
            return frozenset(analyze(name[0])) - FUNCTION_STEMS
        if things & stems:
            return stems - things
    return None


def _same(told: str, asked: str) -> bool:
    """Tell whether two verbs, by stem, tell of one deed: who has finished a novel has read it."""
    return told == asked or told in _COMPLETED or asked in _COMPLETED


def _base(word: str) -> str:
    lower = word.lower()
    stems = analyze(_IRREGULAR.get(lower, lower))
    return stems[0] if stems else lower
