"""Comparisons: what the user leaves for something else ("aisle seats instead of window seats")."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from habitus.memory.extraction.grammar import USE
from habitus.memory.extraction.targets import clean_target, is_anaphor, object_span

_MAX_WORDS = 6
_OTHER = r"(?P<other>[^.,;:!?()]{2,80})"
_GERUND = r"(?=(?:\w+\s+)?(?!during|\w*thing\b|morning|evening|spring)\w+ing\b)"
_END = (
    r"(?=\s*(?:[.,;:!?()]|$|\b(?:now(?:adays)?|these\s+days|lately|any\s?(?:day|time)|by\s+(?:far|now)"
    r"|every\s+time|hands\s+down"
    r"|most\s+of\s+the\s+time|because|since|as|when(?:ever)?|if|in|on|at|and|but|so|at\s+the\s+moment"
    r"|after\s+all|again"
    r"|today|always|though|anyway)\b))"
)
_VERB_TO = (
    r"(?:be|have|get|stay|come|go|do|take|make|start|end|begin|feel|taste|look|sound|smell|work|keep|use"
    r"|include|contain|run"
    r"|remain|fit|match|last|help|show|give|let|put|set|see|know|learn|read|write|play|eat|drink|buy|sit"
    r"|stand|sleep|wait|talk"
    r"|speak|think|find|leave|live|move|arrive|happen|become|avoid|try|want|watch|hear|listen|pay|cost"
    r"|say|tell|ask|call|follow"
    r"|cook|travel|walk|drive|ride|wear|rest|relax|focus|support|serve|save|spend|share|prepare|apply"
    r"|grab|create"
    r"|build|meet|visit|explore|enjoy|finish|clean|store|carry|manage|learn|practi[cs]e|improve|reduce"
    r"|maintain"
    r"|recharge|decompress|escape|boost|deepen|expand|gain|ensure|ease|kill|pass"
    r"|fill|fight|protect"
    r"|discover|experience|develop|understand|connect|engage|entertain|concentrate|sharpen|strengthen"
    r"|lighten|calm|stretch"
    r"|wind|cool|warm|charge|burn|celebrate|remember|prevent|allow|let|add|become|bring|push|challenge"
    r"|feed|fuel|lift|ground"
    r"|immerse|express|\w+(?:ify|ize|ise(?<!exercise)))"
)
_NOT_TO = (
    r"(?<!going)(?<!listening)(?<!talking)(?<!coming)(?<!getting)(?<!moving)(?<!travelling)"
    r"(?<!traveling)(?<!flying)"
    r"(?<!driving)(?<!walking)(?<!running)(?<!sticking)(?<!writing)(?<!speaking)(?<!thanks)"
    r"(?<!according)(?<!trips)"
    r"(?<!trip)(?<!flights)(?<!flight)(?<!visit)(?<!visits)(?<!alternative)(?<!alternatives)"
    r"(?<!approach)(?<!approaches)"
    r"(?<!introduction)(?<!answers)(?<!answer)(?<!things)(?<!everything)(?<!way)(?<!ways)"
    r"(?<!when it comes)(?<!\bme)(?<!\bus)(?<!\byou)(?<!\bit)(?<!\bthem)"
    r"(?<!easy)(?<!easier)(?<!hard)(?<!harder)(?<!difficult)(?<!simple)(?<!ready)(?<!able)(?<!nice)"
    r"(?<!fun)(?<!quick)"
    r"(?<!free)(?<!willing)(?<!good)(?<!better)(?<!best)(?<!time)(?<!am)(?<!pm)(?<!place)(?<!places)(?<!\d)"
)
_POINTER = r"(?:my|the|our|your|it|them|us|me|you|things?|myself)\b"
"""What a verb takes: "to clear my head" is no thing."""
_AWAY = (
    rf"(?!(?:{_VERB_TO}|the|a|an|my|our|your|this|that|what|how"
    rf"|which)\b)(?-i:(?![A-Z]))(?P<other>(?:(?!{_POINTER})[\w'-]+\s+){{0,3}}?(?!{_POINTER})[\w'-]+){_END}"
)
"""What is put behind after "to": a bare noun phrase, no infinitive, and no place that one goes to."""
_NEAR = r"(?<!close)(?<!next)(?<!similar)(?<!near)(?<!due)(?<!related)(?<!access)"

_REJECTED: tuple[re.Pattern[str], ...] = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\b(?:prefer|favou?r|choose|pick|opt|like|love|enjoy|adore|want|take|rather"
        r"|sooner)\w*\b[^.;!?]{1,80}?"
        r"\b(?:(?<!\bare\s)(?<!\bis\s)(?<!\ball\s)over(?!\s+\d)|rather\s+than|instead\s+of|in\s+place\s+of"
        r"|as\s+opposed\s+to|(?<!\bnothing\s)(?<!\banything\s)(?:more|better)\s+than(?!\s+(?:\d|an?\s"
        r"|one\b)))\s+" + _OTHER,
        rf"\b(?:rather|sooner)\b[^.;!?]{{2,80}}?\bthan\s+{_OTHER}",
        rf"\bprefer\w*\s+(?!to\b)[^.,;!?]{{2,60}}?{_NEAR}\s+to\s+{_GERUND}{_OTHER}",
        r"\bprefer\w*\s+(?!to\b)[^.,;!?]{2,60}?\w(?<!s)s\s+to\s+(?P<other>(?:\w+\s+){0,2}\w+(?<!s)s\b)",
        rf"\bprefer\w*\s+(?!to\b|(?:my|the|things|it|you"
        rf"|your)\b)[^.,;!?]{{2,60}}?{_NEAR}{_NOT_TO}\s+to\s+{_AWAY}",
        rf"\bprefer\w*\s+(?P<kept>(?-i:[A-Z])[\w' -]{{1,40}}?)\s+to\s+(?P<other>(?-i:[A-Z])[\w'-]+(?:\s+"
        rf"(?-i:[A-Z])[\w'-]+)*){_END}",
        rf"\bprefer\w*\s+[^.;!?]{{2,60}}?,\s*(?:and\s+)?(?:not|no\s+longer)\s+{_OTHER}",
        rf"^instead\s+of\s+{_OTHER},",
        r"\bswitched\s+(?:over\s+)?from\s+(?P<other>[^.,;:!?()]{2,50}?)\s+to\s",
        r"\bswitched\s+(?:over\s+)?to\s+[^.,;:!?()]{2,50}?\s+from\s+" + _OTHER,
        r"\b(?:swapped|traded|exchanged|gave\s+up|given\s+up|dropped|ditched)"
        r"\s+(?P<other>[^.,;:!?()]{2,50}?)\s+(?:for|in\s+favou?r\s+of)\s",
        r"\b(?:has|have)\s+replaced\s+(?P<other>[^.,;:!?()]{2,50}?)\s+for\s+me\b",
        r"\b(?:no\s+longer|not)\s+(?P<other>[^.;:!?()]{2,60}?),?\s+but\s",
        r"\b(?:do\s+not|don't)\s+(?P<other>[^.;:!?()]{2,60}?)\s+any\s?more,?\s+but\s",
    )
)
_VERB = re.compile(rf"^(?:\w+ly\s+)?(?:prefer|like|love|enjoy|want|need|{USE})\s+", re.IGNORECASE)
_PREFERS = re.compile(r"\b(?:prefer|favou?r)\w*\W*$", re.IGNORECASE)
_RATHER = re.compile(r"\b(?:rather|sooner|choose|pick|take)\W*$", re.IGNORECASE)
_TO = re.compile(
    rf"(?<=\w){_NEAR}\s+to\s+{_GERUND}|(?<=\w){_NEAR}{_NOT_TO}\s+to\s+{_AWAY.replace('?P<other>', '?:')}"
    rf"|(?<=[^s]s)\s+to\s+(?=(?:\w+\s+){{0,2}}\w+(?<!s)s\s*(?:[.,;!?]|$))",
    re.IGNORECASE,
)
_NAME_TO = re.compile(
    rf"\s*(?P<kept>[A-Z][\w'-]+(?:\s+[A-Z][\w'-]+)*)\s+to\s+[A-Z][\w'-]+(?:\s+[A-Z][\w'-]+)*{_END}"
)
_ACTS = re.compile(
    r"\s*(?:(?-i:[A-Z])[\w'-]+|people|others|every(?:one|body)|some(?:one|body)|guests|kids|children|friends"
    r"|(?:my|our|the)\s+(?:team|staff|boss|kids|children|family|parents|friends|guests|colleagues|students))\s+to\s+(?-i:[a-z])(?!\w*ing\b)",
    re.IGNORECASE,
)
"""Whoever is to do a thing: "I'd prefer Anna to lead" compares nothing."""
_NOTHING = re.compile(r"^\s*nothing\s+(?:more|better)\s+than\b", re.IGNORECASE)
_THAN = re.compile(r"\s+(?:than|over)\b(?!\s+(?:\d|an?\s+(?:hour|week|day|year)))", re.IGNORECASE)

_SAID = (
    r"\b(?<!\bif\s)i(?:'ve|\s+have)?\s+(?:just\s+|recently\s+|finally\s+|now\s+|actually\s+|completely\s+)*"
)
_KEPT = (
    r"(?P<kept>(?!(?:i|it|my|now|not|then)\b|(?:a|the)\s+(?:new|different|better|other)\s+one)"
    r"[^.,;:!?()]{2,60})"
)
_REPLACED: tuple[re.Pattern[str], ...] = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"{_SAID}switched\s+(?:over\s+)?from\s+(?P<left>[^.,;:!?()]{{2,50}}?)\s+to\s+{_KEPT}",
        rf"{_SAID}switched\s+(?:over\s+)?to\s+(?P<kept>[^.,;:!?()]{{2,50}}?)\s+from"
        rf"\s+(?P<left>[^.,;:!?()]{{2,50}})",
        rf"{_SAID}(?:swapped|traded|exchanged|given\s+up|gave\s+up|dropped|ditched)"
        rf"\s+(?P<left>[^.,;:!?()]{{2,50}}?)\s+(?:for|in\s+favou?r\s+of)\s+{_KEPT}",
        rf"\bi\s+(?:no\s+longer|do\s+not|don't)\s+(?:\w+ly\s+)?(?:prefer|like|love|enjoy|want|need|{USE})\s+"
        rf"(?P<left>[^.,;:!?()]{{2,50}}?)(?:\s+any\s?more)?,?\s+but\s+(?:rather\s+|instead\s+)?{_KEPT}",
        rf"^(?:i\s+(?:prefer|like|want|use)\s+)?no\s+longer\s+(?P<left>[^.,;:!?()]{{2,50}}?),?\s+but"
        rf"\s+{_KEPT}",
    )
)
_CLAUSE = re.compile(
    r"\b(?:i|i'm|i've|you|he|she|they|we|is|are|was|were|has|have|will|would)\b", re.IGNORECASE
)


@dataclass(frozen=True)
class Replacement:
    """One thing taken up for another; the offsets are those of the clause within its sentence."""

    target: str
    start: int
    end: int


def rejected_in(statement: str) -> str | None:
    """Return what a statement puts behind something else, as a target: "window seats"; None if nothing."""
    plain = statement.replace("’", "'")
    for pattern in _REJECTED:
        match = pattern.search(plain)
        if match is None:
            continue
        start, end = match.span("other")
        words = plain[start : min(end, object_span(plain, start)[1])].strip()
        target = clean_target(_VERB.sub("", words))
        if re.search(r"\w{2}", target) and not is_anaphor(words):
            return target
    return None


def without_rejected(cue: str, words: str) -> str:
    """Return the object of a cue without what it is compared with ("trains to planes" after "prefer")."""
    words = _NOTHING.sub("", words)
    cut = _TO if _PREFERS.search(cue) else _THAN if _RATHER.search(cue) else None
    if cut is _TO and (named := _NAME_TO.match(words)) is not None:
        return named["kept"]
    if cut is _TO and _ACTS.match(words):
        return words
    match = cut.search(words) if cut is not None else None
    return words[: match.start()] if match is not None else words


def replacements_in(text: str) -> Iterator[Replacement]:
    """Yield what one sentence says was taken up for something else ("I switched from coffee to tea")."""
    for pattern in _REPLACED:
        match = pattern.search(text)
        if match is None or not (_is_name(match["left"]) and _is_name(match["kept"])):
            continue
        start, end = match.span("kept")
        target = clean_target(text[start : min(end, object_span(text, start)[1])])
        if re.search(r"\w{2}", target) and not is_anaphor(match["kept"]):
            yield Replacement(target, match.start(), match.end())
            return


def _is_name(words: str) -> bool:
    return len(words.split()) <= _MAX_WORDS and not _CLAUSE.search(words) and not re.search(r"\d", words)
