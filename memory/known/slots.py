"""What a question asks for of the user (where they live, what they drive), and which sentences tell it.

A closed set of relations that people tell of themselves: residence, occupation, something owned or used, a
name, a regular day. A question names the relation in its own words, a sentence in others ("Where do I live?",
"My flat is in Graz"): words that both hold say little, what they have in common is the relation.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from habitus.memory.extraction.people import PEOPLE
from habitus.memory.index.phrases import vectors_of
from habitus.memory.known.telling import asks_memory, tells_of_another
from habitus.retrievers.analysis import FUNCTION_STEMS, analyze
from habitus.retrievers.encoder import Encoder

Relation = Literal["residence", "occupation", "possession", "name", "schedule"]


@dataclass(frozen=True)
class Slot:
    """What is asked for.

    Attributes:
        relation: how it belongs to the user.
        things: words for what it is of or what it is ("dog", "choir rehearsal", "car"); empty where the
            relation says it all.
        verb: what the user does with it ("drive"), "" if the question does not tell.
    """

    relation: Relation
    things: tuple[str, ...] = ()
    verb: str = ""


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_WHICH = r"(?:what|which)"
_NOW = r"(?:\s+(?:now|currently|these\s+days|at\s+the\s+moment|at\s+present|nowadays|again|actually|today))*"
_THING = r"(?P<thing>(?:[\w'-]+\s+){0,3}?[\w'-]+)"
_QUESTIONS: tuple[tuple[Relation, re.Pattern[str]], ...] = (
    (
        "residence",
        _compiled(
            r"\bwhere\b.*\b(?:do|am|have)\s+(?:i|we)\b.*\b(?:live|living|based|reside|residing|settled"
            r"|located|staying)\b"
            r"|\bwhere(?:'s|\s+is)\s+(?:my|our)\s+(?:home|flat|apartment|house|place)\b"
            rf"|\b{_WHICH}\b.*\b(?:city|town|village|country|place|area|district|part)\b.*\b(?:live|living"
            rf"|based|reside|home"
            r"|located)\b"
            r"|\b(?:what's|what\s+is|which\s+is)\s+my\s+(?:home|current|present)?\s*(?:city|town|hometown"
            r"|home|address|location)\b"
        ),
    ),
    (
        "occupation",
        _compiled(
            r"\b(?:what|how)\s+do\s+i\s+(?:do\s+for\s+(?:a\s+living|work)|earn\s+(?:my|a)\s+\w+"
            r"|make\s+(?:my|a)\s+living|work\s+as)\b"
            rf"|\b(?:what's|what\s+is|what\s+was|which\s+is)\s+my\s+(?:\w+\s+)?(?:job|profession"
            rf"|occupation|trade|line\s+of\s+work|work"
            r"|career|day\s+job)\b"
            rf"|\b{_WHICH}\s+(?:\w+\s+)?(?:job|profession|occupation|trade|career|kind\s+of\s+work"
            rf"|line\s+of\s+work)\b"
            r"|\bwhat\s+am\s+i\s+(?:by\s+(?:trade|profession)|working\s+as|employed\s+as)\b"
        ),
    ),
    (
        "schedule",
        _compiled(
            rf"\b(?:when|(?:on\s+)?{_WHICH}\s+(?:day|days|weekday|evening"
            rf"|time))(?:\s+of\s+the\s+week)?\s+(?:is|are|do|does|have)\s+"
            rf"(?:(?:i|we)\s+(?:have|go\s+to|attend|do)\s+)?(?:my\s+|our\s+|the\s+)?{_THING}"
            rf"(?:\s+(?:take\s+place|happen|held|scheduled|on))?{_NOW}\s*\?"
        ),
    ),
    (
        "name",
        _compiled(
            r"\bwhat(?:'s|\s+is|\s+are)\s+the\s+names?\s+of\s+(?:my"
            r"|our)\s+(?P<thing>(?:[\w-]+\s+){0,3}?[\w-]+)\s*\?"
            r"|\b(?:what(?:'s|\s+is|\s+are)|tell\s+me)\s+(?:my"
            r"|our)\s+(?P<its>(?:[\w-]+\s+){0,2}?[\w-]+)(?:'s\s+names?|\s+(?:called|named))"
            rf"{_NOW}\s*\?|\bwhat\s+(?:do|did)\s+(?:i|we)\s+(?:call|name)\s+(?:my"
            rf"|our)\s+(?P<ours>(?:[\w-]+\s+){{0,2}}?[\w-]+){_NOW}\s*\?"
        ),
    ),
    (
        "possession",
        _compiled(
            rf"\b{_WHICH}\s+(?:kind\s+of\s+|sort\s+of\s+|make\s+of\s+|type\s+of\s+|brand\s+of\s+"
            rf"|model\s+of\s+)?{_THING}\s+"
            rf"(?:do|am|have)\s+(?:i|we)\s+(?:currently\s+|now\s+|usually\s+"
            rf"|got\s*)*(?P<verb>\w+)?(?:\s+(?:to|on|with|in))?{_NOW}\s*\?"
        ),
    ),
    (
        "possession",
        _compiled(
            rf"\b(?:what(?:'s|\s+is)|which\s+is|which)\s+(?:my|our)\s+(?:(?:current|present|new|own"
            rf"|latest)\s+)*{_THING}{_NOW}\s*\?"
        ),
    ),
)
_ANY_OF = frozenset({"favourite", "favorite", "plan", "opinion", "goal", "name", "age", "birthday"})
"""What is asked of a user as a whole, or told in a form of its own, is no thing owned."""

_PLACE = r"(?-i:[A-Z])[\w'’.-]+"
_TOLD: dict[Relation, re.Pattern[str]] = {
    "residence": re.compile(
        r"\b(?:[Ll]ive|living|lived|reside|residing|based|located|settled|moved|relocated|moving|[Hh]ome"
        r"|[Ff]lat|[Aa]partment|[Hh]ouse"
        r"|[Pp]lace|[Aa]ddress|room|staying|stay)\b[^.!?]{0,40}?\b(?:in|to|near|is|at"
        r"|outside)\s+(?:\w+\s+)?[A-Z][\w'’.-]+"
        r"|\b[A-Z][\w'’.-]+\s+(?:is|has\s+been)\s+(?:my|our|where\s+(?:I|we))\s"
    ),
    "occupation": _compiled(
        r"\b(?:i|i'm|i've|my)\b.*\b(?:work(?:ed|ing)?\s+(?:now\s+)?as|job|profession|occupation|(?:by"
        r"|my)\s+trade|by\s+profession|career"
        r"|for\s+a\s+living|employed\s+as|earn\s+my|(?:started|begun|hired|retrained|trained|qualified"
        r"|joined)\s+(?:\w+\s+){0,2}?as"
        r"|became|become)\b|\bi(?:'m|\s+am)\s+(?:now\s+)?an?\s+(?:\w+\s+)?\w+(?:er|or|ist|ian|ant|man"
        r"|woman|nurse|chef|cook|pilot)\b"
        r"|\bi(?:'m|\s+am)\s+(?:now\s+)?an?\s+[\w\s]{3,30}?\s+now\b"
    ),
    "name": _compiled(r"\b(?:called|named|name(?:'s|\s+is)|answers?\s+to|renamed|goes\s+by)\b"),
    "schedule": _compiled(
        r"\b(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b|\b\d{1,2}(?::\d\d)?\s?[ap]\.?m\b|\bweekends?\b"
    ),
    "possession": _compiled(r"\b(?:i|i'm|i've|i'd|we|we've|my|our|mine)\b"),
}
_OWNS = re.compile(
    r"\b(?:[Ii](?:'ve|’ve| have)?|[Ww]e(?:'ve|’ve| have)?)\s+(?:\w+ly\s+|just\s+|now\s+|also\s+|still\s+)*"
    r"(?:got|have|own|drive|use|ride|bought|purchased|picked\s+up|switched\s+to|upgraded\s+to"
    r"|changed\s+to|went\s+for|use|run|carry)\s+"
    r"(?:myself\s+)?(?:an?|the|my|our|this"
    r"|that)?\s*(?:\w+\s+){0,2}?(?P<value>[A-Z][\w'’-]*(?:\s+[A-Z0-9][\w'’-]*)*)"
)
_SWAPS = _compiled(
    r"\b(?:replac\w+|sold|swap\w*|trad\w+|exchang\w+|switch\w*|upgrad\w+|chang\w+|renam\w+|no\s+longer"
    r"|not\b.*\bany\s?more|used\s+to|gave\s+up"
    r"|instead\s+of|stopped|moved)\b"
)
_NOT_SO = _compiled(
    r"\b(?:if|might|may|would\s+like\s+to|i'd\s+like|want\s+to|hope\s+to|plan(?:ning)?\s+to"
    r"|thinking\s+(?:of|about)|consider\w*|dream\s+of"
    r"|someday|one\s+day|wish)\b"
)
_ANOTHERS = _compiled(
    rf"\b(?:my|our|his|her|their|the|a|an)\s+(?:\w+\s+)?(?:{PEOPLE})s?(?:'s|'|\s+(?:has|have|is|are|was"
    rf"|drives?|uses?|owns?|works?|lives?|just|moved))\b"
)
_NAME = re.compile(r"(?<![.!?]\s)(?<!^)\b[A-Z][\w'’-]*(?:\s+[A-Z0-9][\w'’-]*)*")
_MAX_CHARS = 600
"""Of a question, from its end, and of a sentence, from its beginning, that are looked at: what stands between
two words is tried for every pair of them."""
_OF_KIND = 0.36
"""Cosine (MiniLM) of a name to a thing from which it may be one of its kind: "Renault Zoe" to "car"."""
_SAME_THING = 0.68
"""Cosine of two nouns from which they mean one thing: car and vehicle."""


def asked_for(question: str) -> Slot | None:
    """Return what a question asks for of the user, None if it is none of these."""
    plain = question.replace("’", "'").strip()[-_MAX_CHARS:]
    for relation, pattern in _QUESTIONS:
        found = pattern.search(plain)
        if found is None:
            continue
        parts = found.groupdict()
        named = (parts.get("thing") or parts.get("its") or parts.get("ours") or "").lower()
        things = tuple(word for word in named.split() if not FUNCTION_STEMS.issuperset(analyze(word)))
        if relation in ("residence", "occupation"):
            return Slot(relation)
        if not things or _ANY_OF & set(things):
            return None
        return Slot(relation, things, (parts.get("verb") or "").lower())
    return None


_CLAUSES: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        _compiled(r"^(?P<w>where|when|what|which)\s+(?P<s>i|we)\s+(?P<v>am|was|have)\b\s*(?P<rest>.*)$"),
        "{w} {v} {s} {rest}?",
    ),
    (_compiled(r"^(?P<w>where|when|what|which|how)\s+(?P<s>i|we)\s+(?P<rest>.+)$"), "{w} do {s} {rest}?"),
    (_compiled(r"^(?P<w>(?:what|which)\s+[\w\s'-]+?)\s+(?P<s>i|we)\s+(?P<rest>.+)$"), "{w} do {s} {rest}?"),
    (
        _compiled(r"^(?P<w>where|when|what|which)\s+(?P<s>(?:my|our)\s+.+?)\s+(?P<v>is|are)(?P<rest>\b.*)$"),
        "{w} {v} {s}{rest}?",
    ),
    (_compiled(r"^(?:the\s+name\s+of\s+)(?P<s>(?:my|our)\s+.+)$"), "what is the name of {s}?"),
    (_compiled(r"^(?P<s>(?:my|our)\s+.+'s\s+name)$"), "what is {s}?"),
    (_compiled(r"^(?P<s>(?:my|our)\s+[\w'-]+(?:\s+[\w'-]+){0,2})$"), "what is {s}?"),
    (
        _compiled(r"^(?:i|we)(?:'m|\s+am|'re)?\s+(?:live|living|based|located|reside|residing)\s+.+$"),
        "where do i live?",
    ),
    (
        _compiled(
            r"^i(?:'m|\s+am)?\s+work(?:ing)?\s+as\s+.+$|^i'?\s*a?m\s+an?\s.+\s(?:by\s+(?:trade"
            r"|profession)|for\s+a\s+living)$"
        ),
        "what is my job?",
    ),
    (
        _compiled(
            r"^(?P<s>(?:my|our)\s+[\w-]+(?:\s+[\w-]+){0,2}?)(?:'s\s+name\s+is|\s+is\s+(?:called|named))\s+.+$"
        ),
        "what is {s} called?",
    ),
    (_compiled(r"^i(?:'ve\s+got|\s+(?:drive|use|ride|own|have))\s+(?:an?|the)\s+.+$"), ""),
    (_compiled(r"^(?P<s>(?:my|our)\s+[\w-]+(?:\s+[\w-]+){0,2}?)\s+is\s+(?:on|at)\s+.+$"), "when is {s}?"),
    (
        _compiled(r"^(?P<s>(?:my|our)\s+[\w-]+(?:\s+[\w-]+){0,2}?)\s+is\s+(?:an?\s+|in\s+)?.+$"),
        "what is {s}?",
    ),
)
"""What is named in a clause ("where I live", "my dog's name", "my car is a Volvo"), as a question."""


def named_by(words: str) -> Slot | None:
    """Return what a clause speaks of, as a request to forget names it; None if it is none of these."""
    if len(words) > _MAX_CHARS:
        return None
    plain = " ".join(words.replace("’", "'").strip(" .!?").split())
    for pattern, question in _CLAUSES:
        found = pattern.match(plain)
        if found is not None:
            return asked_for(question.format(**found.groupdict())) if question else Slot("possession")
    return None


def value_in(words: str) -> frozenset[str]:
    """Return the stems of what a statement says something is ("Volvo" in "my car is a Volvo"); else none."""
    words = words[:_MAX_CHARS]
    names = _NAME.findall(words.replace("’", "'"))
    stated = re.search(
        r"\b(?:is|as|called|named|in|drive|use|on)\s+(?:an?\s+|the\s+)?(?P<value>[^.!?]+)$",
        words,
        re.IGNORECASE,
    )
    text = " ".join(names) or (
        stated["value"] if stated and re.match(r"(?:i|my|we|our)\b", words, re.I) else ""
    )
    return frozenset(analyze(text)) - FUNCTION_STEMS


def tells(slot: Slot, sentences: Sequence[str], encoder: Encoder | None) -> list[int]:
    """Return the places of the sentences that tell what is asked for.

    Args:
        slot: what is asked for.
        sentences: the user's own words, oldest first.
        encoder: tells whether a name is one of a kind, and two words mean one thing; None where only what is
            sure counts.
    """
    sentences = [text[:_MAX_CHARS] for text in sentences]
    own = [place for place, text in enumerate(sentences) if is_own(text)]
    found = [place for place in own if _tells(slot, sentences[place], encoder)]
    names = {name for place in found for name in _NAME.findall(sentences[place])}
    first = min(found, default=len(sentences))
    swapped = [
        place
        for place in own
        if place > first
        and _SWAPS.search(sentences[place])
        and any(name in sentences[place] for name in names)
    ]
    return sorted({*found, *swapped})


def is_own(text: str) -> bool:
    """Tell whether a sentence tells what is so of the user: no question, no plan, and of nobody else."""
    plain = text[:_MAX_CHARS].replace("’", "'")
    if text.rstrip().endswith("?") or asks_memory(plain) or tells_of_another(plain):
        return False
    return _NOT_SO.search(plain) is None and _ANOTHERS.search(plain) is None


def _tells(slot: Slot, text: str, encoder: Encoder | None) -> bool:
    if not _TOLD[slot.relation].search(text.replace("’", "'")):
        return False
    if slot.relation in ("residence", "occupation"):
        return True
    if _holds(slot.things, text, encoder):
        return slot.relation != "possession" or _NAME.search(text) is not None or len(text.split()) <= 8
    if slot.relation != "possession":
        return False
    owned = _OWNS.search(text)
    if slot.verb not in ("", "have", "own", "use", "got") and re.search(
        rf"\b{slot.verb}\b", text, re.IGNORECASE
    ):
        return True
    if owned is None or encoder is None:
        return False
    return _nearness(owned["value"], " ".join(slot.things), encoder) >= _OF_KIND


def _holds(things: Sequence[str], text: str, encoder: Encoder | None) -> bool:
    """Tell whether a sentence names every one of the things, by its stem or by a word that means the same."""
    spoken = set(analyze(text))
    missing = [thing for thing in things if not spoken & set(analyze(thing))]
    if not missing:
        return True
    words = [
        word
        for word in re.findall(r"[a-z][a-z'-]{2,}", text.lower())
        if not FUNCTION_STEMS.issuperset(analyze(word))
    ]
    if not words or encoder is None:
        return False
    vectors = vectors_of([*missing, *words], encoder)
    nearest = (vectors[: len(missing)] @ vectors[len(missing) :].T).max(axis=1)
    return bool((nearest >= _SAME_THING).all())


def _nearness(one: str, other: str, encoder: Encoder) -> float:
    vectors = vectors_of([one, other], encoder)
    return float(vectors[0] @ vectors[1])
