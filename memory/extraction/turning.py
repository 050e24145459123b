"""Changes of mind: what was once liked or hated, and what is said of it now.

"I used to love jazz, but it bores me now", "I thought I liked jazz, but I don't". The clause about the past
is taken back; what follows speaks of the same thing in a pronoun, or leaves it out.
"""

from __future__ import annotations

import re

from habitus.memory.extraction.complaints import complaints_in
from habitus.memory.extraction.preferences import preferences_in
from habitus.memory.extraction.segmentation import Sentence
from habitus.memory.records import Evidence, Preference, Turn

_ATTITUDE = (
    r"(?:(?:really|quite|absolutely|genuinely|always|also)\s+)*(?:(?:liked|loved|enjoyed|adored|preferred"
    r"|hated|disliked"
    r"|detested|loathed|avoided|fancied)|(?:couldn't|could\s+not)\s+(?:stand|bear|get\s+enough\s+of)"
    r"|(?:was|wasn't|was\s+not)\s+(?:really\s+|very\s+|quite\s+)*(?:into|fond\s+of|keen\s+on"
    r"|crazy\s+about|mad\s+about"
    r"|against|afraid\s+of|an?\s+(?:\w+\s+)?fan\s+of)|(?:didn't|did\s+not)\s+(?:\w+ly\s+)?(?:like|enjoy"
    r"|care\s+for|love))"
)
_TURN = r"(?:\s*[,;:]\s*|\s+[-–—]+\s+|,?\s+(?=(?:but|yet|though|and|until|only)\b))"
_NOW = (
    r"(?=[^.!?]*(?<!\w)(?:now(?:adays)?|not|any\s?more|any\s+longer|stopped|changed|no\s+longer|over"
    r"|these\s+days|lately"
    r"|today|recently|don't|can't|do|since|meanwhile|come|grown|started|learnt|learned)\b)"
)
_STRICTLY_NOW = (
    r"(?=[^.!?]*\b(?:now(?:adays)?|any\s?more|any\s+longer|no\s+longer|these\s+days|lately)\b)"
    r"(?=[^.!?]*\b(?:it|them|they|those|don't|do|not)\b)"
)
_ONCE = (
    r"(?:once|originally|initially|at\s+first|at\s+one\s+time|for\s+(?:years|ages)|before|previously"
    r"|formerly)"
)


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


TURNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        _pattern(
            rf"\bi\s+(?:didn't|did\s+not)\s+used?\s+to\s+(?P<words>"
            rf"(?!be\s+able)[^.;!?,]{{3,80}}?){_TURN}{_NOW}"
        ),
        "I don't {words}",
    ),
    (
        _pattern(rf"\bi\s+used\s+to\s+(?P<words>(?!be\s+able)[^.;!?]{{3,100}}?){_TURN}{_NOW}"),
        "I {words}",
    ),
    (
        _pattern(rf"\bi\s+(?:have\s+)?never\s+(?P<words>{_ATTITUDE}\s[^.;!?,]{{2,60}}?){_TURN}{_NOW}"),
        "I never {words}",
    ),
    (
        _pattern(
            r"\bi\s+was\s+never\s+(?P<words>(?:into|fond\s+of|(?:a|much\s+of\s+a)\s+fan\s+of"
            r"|keen\s+on)\s[^.;!?,]{2,60}?)"
            rf"{_TURN}{_NOW}"
        ),
        "I am not {words}",
    ),
    (
        _pattern(
            rf"\bi\s+(?:\w+ly\s+)?thought\s+(?:that\s+)?i\s+(?P<words>{_ATTITUDE}\s[^.;!?,]{{2,60}}?){_TURN}"
        ),
        "I {words}",
    ),
    (
        _pattern(
            rf"\bi\s+{_ONCE}\s+(?P<words>{_ATTITUDE}\s[^.;!?,]{{2,60}}?)(?:{_TURN}|\s+(?=(?:today|now"
            rf"|these\s+days)\b))"
        ),
        "I {words}",
    ),
    (
        _pattern(
            rf"\bi\s+(?P<words>{_ATTITUDE}\s(?!(?:the|this|that|my|your"
            rf"|it)\b)[^.;!?,]{{2,60}}?)(?:\s+{_ONCE}{_TURN}{_NOW}|{_TURN}{_STRICTLY_NOW})"
        ),
        "I {words}",
    ),
    (
        _pattern(r"\bi\s+was\s+wrong\s+about\s+(?P<words>[^.;:!?,]{2,60}?)\s*(?:[:;,–—-]|(?=$|[.!]))"),
        "{words}",
    ),
    (
        _pattern(
            r"(?:^|[,;]\s*|\b(?:and|but)\s+)(?P<words>(?!(?:i|it|that|this"
            r"|they)\b)[\w' -]{2,50}?)\s+used\s+to\s+(?:be\s+my\s+(?:\w+\s+)?"
            rf"(?:thing|favou?rites?|passion|go-to|cup\s+of\s+tea|guilty\s+pleasure|weakness)"
            rf"|\w+\s+me(?:\s+\w+)?){_TURN}{_NOW}"
        ),
        "{words}",
    ),
)
"""Clauses about the past with the sentence that they take back; a word for the present must follow."""

_PRESENT = (
    (re.compile(r"^I be\b"), "I am"),
    (re.compile(r"^I couldn't\b|^I could not\b", re.I), "I can't"),
    (re.compile(r"^I was\b", re.I), "I am"),
    (re.compile(r"^I wasn't\b", re.I), "I'm not"),
    (re.compile(r"^I (?:didn't|did not)\b", re.I), "I don't"),
    (
        re.compile(
            r"^(I (?:\w+ly |quite |also )*)(lik|lov|enjoy|ador|prefer|hat|dislik|detest|loath|avoid"
            r"|fanc)(?:red|ed|ied)\b",
            re.I,
        ),
        r"\1\2",
    ),
)
_ENDINGS = {
    "lik": "like",
    "lov": "love",
    "ador": "adore",
    "hat": "hate",
    "dislik": "dislike",
    "loath": "loathe",
    "fanc": "fancy",
}

_PRONOUN = re.compile(
    r"\b(?:it|them|those)\b(?=\s*(?:[.,;!?]|$|(?:now|again|any\s?more|a\s+lot|so\s+much|these\s+days"
    r"|at\s+all|completely|more)\b))",
    re.IGNORECASE,
)
_AS_SUBJECT = re.compile(
    r"^(?:(?:now(?:adays)?|these\s+days|lately|today|recently|actually|in\s+fact)[\s,]+)?(?P<it>they|it"
    r"|those)\b(?!'s)",
    re.IGNORECASE,
)
_LEAD = (
    r"(?:(?:now(?:adays)?|these\s+days|lately|today|recently|actually|really|in\s+fact|i|just"
    r"|honestly)[\s,]+)*"
)
_TAIL = r"(?:\s+(?:any\s?more|any\s+longer|now|at\s+all|really|these\s+days|after\s+all))*\s*[.!]*$"
_NOT_NOW = re.compile(rf"^{_LEAD}(?:don't|do\s+not|can't|really\s+don't){_TAIL}", re.IGNORECASE)
_DO_NOW = re.compile(rf"^{_LEAD}(?:do|am|really\s+do){_TAIL}", re.IGNORECASE)
_NOW_IT_IS = re.compile(
    r"^(?:(?:now(?:adays)?|these\s+days|lately|today)[\s,]+)(?:it's|it\s+is|i'm\s+(?:more\s+)?(?:into"
    r"|for))\s+(?P<target>[^.,;:!?]{2,50})|"
    r"^it's\s+(?P<other>[^.,;:!?]{2,50}?)\s+(?:now(?:adays)?|these\s+days)\b",
    re.IGNORECASE,
)
_QUALITY = re.compile(
    r"^(?:not|no|so|too|very|really|just|all|the|a|an|over|that|different|\w+ing\b|\w+ed\b)", re.IGNORECASE
)
_MAX_TARGET_WORDS = 6


def in_the_present(words: str) -> str:
    """Return "I liked jazz" as "I like jazz", the sentence that held."""
    for pattern, present in _PRESENT:
        words = pattern.sub(present, words)
    return re.sub(
        rf"^(I (?:\w+ly |quite |also )*)({'|'.join(_ENDINGS)})(?= )",
        lambda m: m[1] + _ENDINGS[m[2].lower()],
        words,
    )


def said_instead(turn: Turn, whole: Sentence, rest: Sentence, taken_back: str) -> list[Preference]:
    """Return what "I used to like jazz, but now I hate it" tells of jazz, quoting the whole sentence.

    Args:
        turn: the message.
        whole: the sentence.
        rest: what stands behind the clause about the past.
        taken_back: that clause, in the present.
    """
    meant = preferences_in(turn, Sentence(taken_back, taken_back, 0, False))
    target = meant[0].target if meant else re.sub(r"^I \w+ ", "", taken_back)
    if len(target.split()) > _MAX_TARGET_WORDS:
        return []
    told = _spelt(rest, target, chose=bool(re.search(r"\bprefer|\bfavou?r", taken_back, re.IGNORECASE)))
    if told is None:
        return []
    spelt = Sentence(told, told, rest.start, rest.is_question, rest.previous)
    evidence = (Evidence(turn_id=turn.id, quote=whole.raw),)
    found = preferences_in(turn, spelt) or complaints_in(turn, spelt)
    return [p.model_copy(update={"evidence": evidence}) for p in found[:1]]


def _spelt(rest: Sentence, target: str, *, chose: bool) -> str | None:
    """Return what follows a clause about the past with its object put in; None if it says nothing of it."""
    plain = rest.plain
    if _NOT_NOW.match(plain):
        return f"I don't like {target}."
    if _DO_NOW.match(plain):
        return f"I like {target} now."
    other = _NOW_IT_IS.match(plain) if chose else None
    if other is not None and not _QUALITY.match(other["target"] or other["other"]):
        return f"I prefer {other['target'] or other['other']} now."
    named = _AS_SUBJECT.match(plain) or _PRONOUN.search(plain)
    if named is None:
        return None
    start, end = named.span("it") if "it" in named.re.groupindex else named.span()
    return rest.text[:start] + target + rest.text[end:]
