"""What a question asks for: the kind of answer, and the form in which an answer can stand in a sentence."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from habitus.memory.retrieval.question import read_question
from habitus.memory.retrieval.timing import Span
from habitus.retrievers.analysis import FUNCTION_STEMS, analyze, lowered

Kind = Literal["fact", "count", "ago", "between", "first", "order"]
Form = Literal["number", "amount", "duration", "time", "date", "place", "person", "any"]

_UNIT = r"(?P<unit>day|week|month|year)s?"
_NUMBER_WORDS = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred dozen "
    "once twice single couple several few half both"
).split()
NUMBER = rf"(?:\d[\d,.]{{0,20}}(?:st|nd|rd|th)?|{'|'.join(_NUMBER_WORDS)})"


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_AGO = _compiled(
    rf"\bhow (?:many {_UNIT}|long)\b(?:.*\bago\b|.*\b(?:(?:has|have) (?:it been|passed)|is it)\b.*\bsince\b)"
)
_BETWEEN = _compiled(
    rf"\bhow (?:many {_UNIT}|long)\b.*(?:\bbetween\b|\b(?:before|after|when|since|until)\b.*\b(?:did|i|we)\b)"
)
_FIRST = _compiled(
    r"\b(?:which|who|what)\b.*\b(?:first|earlier|earliest|before the other|last|later|most recently)\b.*"
    r"(?:,|:|between|among|of)\s*(?P<options>[^?]*\bor\b[^?]*|[^?]*\band\b[^?]*)\?"
)
_LATEST = _compiled(r"\b(?:last|latest|later|most recent(?:ly)?|newest)\b")
_ORDER = _compiled(r"\border of\b|\bin (?:the|what|which) order\b|\bfirst,? second,? (?:and )?third\b")
_COUNT = _compiled(r"\bhow (?:many|often)\b|\b(?:total )?number of\b")
_EARLIER = _compiled(
    r"\b(?:previous(?:ly)?|initial(?:ly)?|original(?:ly)?|former(?:ly)?|used to|at first|just started|"
    r"earlier|before i (?:changed|updated|moved|switched|increased|started))\b"
)
_FORMS: tuple[tuple[Form, re.Pattern[str]], ...] = (
    (
        "duration",
        _compiled(
            r"\bhow (?:long|old)\b|\bhow (?:many|much) (?:days?|weeks?|months?|years?|hours?|minutes?|time)\b"
        ),
    ),
    ("time", _compiled(r"\b(?:what|which) time\b|\bat what hour\b")),
    ("date", _compiled(r"\bwhen\b|\b(?:what|which) (?:date|day|month|year)\b|\bdate on which\b")),
    (
        "amount",
        _compiled(r"\bhow much\b|\b(?:price|cost|percentage|amount|discount|speed|score|weight|size)\b"),
    ),
    ("number", _COUNT),
    ("place", _compiled(r"\bwhere\b|\bat which\b|\bin which (?:city|country|town|place)\b")),
    ("person", _compiled(r"\bwho(?:m|se)?\b")),
)
_STANDS: dict[Form, re.Pattern[str]] = {
    "number": _compiled(rf"\b{NUMBER}\b"),
    "amount": _compiled(rf"[$€£¥]\s?\d|\d\s?%|\b{NUMBER}\b"),
    "duration": _compiled(
        rf"\b(?:{NUMBER}|an?|half)(?:[ -](?:and a half|more|full|long|whole))*[ -]"
        r"(?:second|minute|hour|day|night|week|month|year|decade)s?\b"
    ),
    "time": _compiled(r"\b\d{1,2}(?::\d\d)?\s?[ap]\.?m\b|\b\d{1,2}:\d\d\b|\b(?:noon|midnight)\b|\bo'clock\b"),
    "date": _compiled(
        r"\b(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b|\b(?:january|february|march|april|may|june|july|"
        r"august|september|october|november|december)\b|\b\d{1,2}/\d{1,2}\b|\b(?:19|20)\d\d\b|"
        r"\b(?:today|yesterday|tonight|weekend)\b|\b(?:last|this) (?:week|month|year|night)\b|\bago\b"
    ),
    "place": re.compile(
        r"\b(?:[Aa]t|[Ii]n|[Oo]n|[Ff]rom|[Tt]o|[Uu]nder|[Nn]ear|[Vv]isit(?:ed|ing)?) "
        r"(?:(?:the|my|a|an|our) )?(?:\w+ ){0,2}?(?:[A-Z]\w+|store|shop|market|bed|closet|room|rack|house|"
        r"home|garage|school|park|office|center|centre|library|museum|restaurant|cafe)"
    ),
    "person": re.compile(
        r"(?<!^)(?<![.!?] )\b[A-Z][a-z]+\b|\b(?:mom|mother|dad|father|sister|brother|friend|wife|husband|"
        r"partner|cousin|aunt|uncle|niece|nephew|colleague|neighbou?r|boss|coworker|teacher|roommate)\b"
    ),
}


@dataclass(frozen=True)
class Asked:
    """A question as read.

    Attributes:
        text: the question.
        meaning: the question without its time expressions, to be encoded.
        kind: the kind of answer.
        form: what an answer looks like in a sentence; `any` where that is open.
        words: its content words, in order, as written.
        earlier: an earlier state is asked for, not the newest.
        about_replies: it asks for what the assistant said.
        unit: of a span of time that is asked for (`day`, `week`, ...), if it names one.
        options: what is to be compared or reckoned with, as written in the question.
        spans: the days that it points to.
        latest: of several things the last is asked for, not the first.
    """

    text: str
    meaning: str
    kind: Kind
    form: Form
    words: tuple[str, ...]
    earlier: bool = False
    about_replies: bool = False
    unit: str | None = None
    options: tuple[str, ...] = ()
    spans: tuple[Span, ...] = ()
    latest: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Words that name something: capitalised inside the question, or with digits."""
        first = self.text.split(None, 1)[0]
        return tuple(
            word
            for word in self.words
            if (word[0].isupper() and word != first) or any(letter.isdigit() for letter in word)
        )

    def about(self, event: str) -> Asked:
        """Return the question for one of the things that this one speaks of."""
        return replace(self, meaning=event, words=_content(event), form="any", spans=(), options=())

    def is_repeated_by(self, sentence: str) -> bool:
        """Tell whether a sentence only asks the same again: a question that adds no word to this one."""
        return sentence.rstrip().endswith("?") and set(analyze(self.text)).issuperset(analyze(sentence))

    def stands_in(self, sentence: str) -> bool:
        """Tell whether something of the form asked for stands in a sentence."""
        return self.form == "any" or _STANDS[self.form].search(sentence[:_MAX_SENTENCE_CHARS]) is not None


_FRAMES = FUNCTION_STEMS | frozenset(
    analyze(
        "day days week weeks month months year years hour hours minute minutes passed since until after "
        "before previous previously initial initially original originally former current currently now "
        "recent recently usual usually kind type sort name order first last earlier later"
    )
)
"""What frames a question: units and times that it asks for are no words that an answer has to hold."""
_WORD = re.compile(r"[^\W_]+(?:['’.-][^\W_]+)*")
_ANY_DAY = datetime(2000, 1, 1, tzinfo=UTC)
"""Time expressions are taken out of a question whatever days they point to."""
_EVENTS: tuple[re.Pattern[str], ...] = (
    _compiled(r"\bbetween (?P<a>.+?) and (?P<b>(?:the|my|when|our|i)\b.+)"),
    _compiled(r"\bbefore (?P<b>.+?) did (?P<a>(?:i|we)\b.+)"),
    _compiled(r"\bafter (?P<a>.+?) did (?P<b>(?:i|we)\b.+)"),
    _compiled(r"\bsince (?P<a>.+?) when (?P<b>.+)"),
    _compiled(r"\bha(?:d|ve) (?:i|we) been (?P<a>.+?) (?:when|before|by the time) (?P<b>.+)"),
    _compiled(r"\bdid (?P<a>(?:i|we)\b.+?) before (?P<b>(?:i|we|the|my)\b.+)"),
    _compiled(r"\btake (?:for )?(?:me |us )?to (?P<b>.+?) (?:after|since|from) (?P<a>.+)"),
    _compiled(r"\bfrom (?P<a>.+?) (?:to|until) (?P<b>.+)"),
)
_SINCE = _compiled(r"\b(?:since|ago (?:did|was|were)?)\s*(?P<event>.+)")
_OPTION = _compiled(r",\s*(?:and|or)\s+|,\s*|\s+or\s+")
_ITEM = _compiled(r",\s*(?:and|or)\s+|,\s+(?=the |my |i |')|\s+and\s+(?=the day|')")
_LIST = re.compile(r":\s*(?P<items>.+)|\bamong (?P<names>.+)")
_MAX_CHARS = 2_000
"""Of a message, from its end, in which it is looked for what is to be compared: what stands between two words
is tried for every pair of them."""

_MAX_FIRST_CHARS = 600
"""Likewise, where it is tried for every three of them."""
_MAX_SENTENCE_CHARS = 1_000
"""A longer one is no sentence but a table, of which the beginning is looked at."""
_FRAME = _compiled(r"^(?:the day (?:that )?|when |that )")


def read(text: str, at: datetime | None) -> Asked:
    """Read a question asked at `at`; without a date its time expressions point nowhere."""
    question = read_question(text, at or _ANY_DAY)
    kind, options, unit = _kind(text.strip()[-_MAX_CHARS:])
    found: list[Form] = [form for form, cue in _FORMS if cue.search(text)]
    return Asked(
        text=text,
        meaning=question.meaning,
        kind=kind,
        form=found[0] if found else "any",
        words=_content(text),
        earlier=_EARLIER.search(text) is not None,
        about_replies=question.about_replies,
        unit=unit and lowered(unit),
        options=options,
        spans=question.spans if at else (),
        latest=_LATEST.search(text) is not None,
    )


def _content(text: str) -> tuple[str, ...]:
    return tuple(word for word in _WORD.findall(text) if not _FRAMES.issuperset(analyze(word)))


def _kind(text: str) -> tuple[Kind, tuple[str, ...], str | None]:
    if _ORDER.search(text):
        listed = _LIST.search(text)
        items = _split(_ITEM, (listed["items"] or listed["names"]) if listed else "")
        return "order", items if len(items) > 1 else (), None
    if found := _FIRST.search(text[-_MAX_FIRST_CHARS:]):
        options = _split(_OPTION, found["options"])
        if len(options) > 1:
            return "first", options, None
    if found := _AGO.search(text):
        event = _SINCE.search(text)
        return "ago", (_bare(event["event"]),) if event else (), found["unit"]
    if found := _BETWEEN.search(text):
        for pattern in _EVENTS:
            if events := pattern.search(text):
                return (
                    "between",
                    (_bare(events["a"]), _bare(events["b"])),
                    found["unit"],
                )
    return ("count" if _COUNT.search(text) else "fact"), (), None


def _split(pattern: re.Pattern[str], text: str) -> tuple[str, ...]:
    return tuple(found for piece in pattern.split(text) if (found := _bare(piece)))


def _bare(text: str) -> str:
    return _FRAME.sub("", text.strip(" ?.!'\"“”,")).strip(" '\"“”")
