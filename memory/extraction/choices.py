"""Implicit preferences: the option that the user picks from those offered, what they leave, and why."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from habitus.memory.extraction.preferences import make_preference
from habitus.memory.extraction.segmentation import Sentence
from habitus.memory.extraction.targets import topic_of
from habitus.memory.records import Preference, Turn
from habitus.retrievers.analysis import analyze

MAX_OPTIONS = 12
MAX_OFFER_CHARS = 6_000

_ITEM = re.compile(r"(?:^|(?<=[\s:;,.]))(?:\(?(?P<number>\d{1,2})[.):]|[-*•])\s+", re.MULTILINE)
_BETWEEN = re.compile(r"(?<=[.!?])\s+|;\s+|,?\s+\bor\b\s+|,\s+(?=[a-z])")
_PICK = re.compile(
    r"\b(?:i(?:'ll|\s+will|'d|\s+would)\s+(?:probably\s+|definitely\s+|rather\s+|have\s+to\s+|say\s+"
    r"|like\s+to\s+|love\s+to\s+)?(?:go\s+(?:with|for)|take|choose|pick|opt\s+for|try|have"
    r"|stick\s+with|do|get|order|select|start\s+with)"
    r"|i(?:'m|\s+am)\s+(?:going\s+(?:to\s+)?(?:go\s+)?(?:with|for)|leaning\s+towards?|choosing"
    r"|picking|most\s+interested\s+in|more\s+(?:interested\s+in|drawn\s+to))|(?:let's|let\s+us"
    r"|let\s+me)\s+(?:go\s+(?:with|for|to)?|do|try|take|pick|have|start\s+with)"
    r"|i\s+(?:choose|pick|prefer|want|vote\s+for|like|select|chose|think|would\s+prefer|find)"
    r"|my\s+(?:pick|choice|vote)\s+(?:is|would\s+be|goes\s+to)|i'd\s+prefer|going\s+with)\b\s*",
    re.IGNORECASE,
)
_SOUNDS = re.compile(
    r"\b(?:sounds?|seems?|looks?|would\s+be|is|are|would\s+(?:work|suit|fit)|works?|will\s+be"
    r"|will\s+work|suits?|fits?|might\s+be|appeals?\s+to\s+me"
    r"|it\s+is)\b\s*(?:like\s+)?(?:\w+\s+){0,4}?"
    r"(?:great|perfect|good|best|better|ideal|nice|appealing|lovely|right|wonderful|fantastic"
    r"|excellent|suitable|interesting|fun|fit|choice|option|well|effective|practical|comfortable"
    r"|delightful|me|enjoyable|delicious|engaging|for\s+me|winner)\b",
    re.IGNORECASE,
)
_NUMBER_WORDS = ("one", "two", "three", "four", "five")
_ORDINAL_WORDS = ("first", "second", "third", "fourth", "fifth")
_ORDINAL = {word: place for words in (_NUMBER_WORDS, _ORDINAL_WORDS) for place, word in enumerate(words, 1)}
_ORDINAL |= {"1st": 1, "2nd": 2, "3rd": 3, "4th": 4, "5th": 5, "former": 1}
_BY_NUMBER = re.compile(
    r"\b(?:option|number|no\.?|choice|suggestion|#)\s*#?(?P<digit>\d{1,2}|one|two|three|four|five)\b"
    r"|\bthe\s+(?P<ordinal>first|second|third|fourth|fifth|1st|2nd|3rd|4th|5th|former|last"
    r"|latter)(?:\s+(?:one|option|choice|suggestion|idea))?\b",
    re.IGNORECASE,
)
_REASON = re.compile(
    r"\b(?:the\s+)?(?:other|others|rest|remaining)\b|\b(?:options?|choices?)\b|\bbecause\b|\bsince\b"
    r"|\bas\s+i\b|\bwhile\b|\btoo\b|\brather\s+than\b|\bdon't\b|\bdoesn't\b|\bnot\b|\bprefer\b"
    r"|\bfind\b|\bi'm\b|\bi\b|\bmy\b",
    re.IGNORECASE,
)
_TAKES_ALL = re.compile(
    r"\b(?:all\s+of\s+(?:them|these|those)|both|everything|any\s+of\s+them)\b", re.IGNORECASE
)
_BESIDES = re.compile(
    r"[;:]|,?\s+\b(?:because|since|rather\s+than|instead\s+of|over|but|while|although|than)\b"
    r"|,\s+(?:the|all|and|as|i)\b|\s[-–—]\s",
    re.IGNORECASE,
)
_QUESTION = re.compile(r"\?\s*$")
_STOPWORDS = frozenset(
    analyze(
        "a an the and or of to in for with on at by from as is are be it its this that these those"
        " you your could would can may might try consider about i we our my me like such"
        " will how what some any more most very great good new also etc not no do does than then"
        " there here their his her into out up down over option options choice suggest recommend"
        " suggestion popular best perfect go get have has one two three many well while so but if"
        " make makes made using use used i'd you'll featuring featuring known offers offer provide"
    )
)


@dataclass(frozen=True)
class Picked:
    """An option chosen, those left, and the words about them."""

    chosen: str
    rejected: tuple[str, ...]
    reason: str
    quote: str


def choice_in(turn: Turn, sentences: Sequence[Sentence], context: Sequence[Turn]) -> list[Preference]:
    """Return the preferences that a choice among the last offered options shows; empty if none was made."""
    offer = next((told for told in reversed(context) if told.role == "assistant"), None)
    if offer is None or not sentences:
        return []
    options = offered(offer.text)
    if len(options) < 2:
        return []
    picked = _picked(turn, sentences, options)
    return _preferences(turn, picked) if picked else []


def offered(text: str) -> list[str]:
    """Return the options that a reply offers: its list, or what it strings together with "or"."""
    text = text[:MAX_OFFER_CHARS]
    marks = list(_ITEM.finditer(text))
    if len(marks) >= 2:
        ends = [mark.start() for mark in marks[1:]] + [len(text)]
        items = [text[mark.end() : end] for mark, end in zip(marks, ends, strict=True)]
        return [_first_line(item) for item in items if item.strip()][:MAX_OPTIONS]
    if not re.search(r"\bor\b|\boptions?\b|\balternatively\b|\bcould\b|\banother\b", text, re.IGNORECASE):
        return []
    pieces = [piece.strip(" .?!") for piece in _BETWEEN.split(text) if len(piece.split()) > 1]
    return pieces[-MAX_OPTIONS:] if len(pieces) >= 2 else []


def _first_line(item: str) -> str:
    return item.strip().split("\n")[0].strip()[:240]


def _picked(turn: Turn, sentences: Sequence[Sentence], options: list[str]) -> Picked | None:
    for number, sentence in enumerate(sentences[:4]):
        named = _named_part(sentence)
        if named is None or _TAKES_ALL.search(named):
            continue
        index = _option_named(named, options)
        if index is None:
            continue
        rest = [other for other in sentences[number + 1 : number + 4] if not other.is_question]
        reason = " ".join([_own_reason(sentence), *(s.text for s in rest if _REASON.search(s.plain))]).strip()
        last = next((s for s in reversed(rest) if _REASON.search(s.plain)), sentence)
        quote = turn.text[sentence.start : last.start + len(last.text)]
        rejected = tuple(option for place, option in enumerate(options) if place != index)
        return Picked(options[index], rejected, reason, quote)
    return None


def _named_part(sentence: Sentence) -> str | None:
    """Return the words that name the option, or None when the sentence picks nothing."""
    if _QUESTION.search(sentence.text):
        return None
    pick = _PICK.search(sentence.plain)
    if pick is not None and pick.start() < 60:
        return _BESIDES.split(sentence.plain[pick.end() :], maxsplit=1)[0]
    sounds = _SOUNDS.search(sentence.plain)
    return sentence.plain[: sounds.start()] if sounds is not None else None


def _option_named(named: str, options: list[str]) -> int | None:
    by_number = _BY_NUMBER.search(named)
    if by_number is not None:
        place = _place(by_number, len(options))
        if place is not None:
            return place
    said = set(analyze(named)) - _STOPWORDS
    bags = [set(analyze(option)) - _STOPWORDS for option in options]
    spread = Counter(term for bag in bags for term in bag)
    scores = [sum(1.0 / spread[term] for term in said & bag) for bag in bags]
    best = max(range(len(options)), key=scores.__getitem__)
    others = [score for place, score in enumerate(scores) if place != best]
    return best if scores[best] >= 0.5 and scores[best] > max(others, default=0.0) else None


def _place(match: re.Match[str], n_options: int) -> int | None:
    word = (match["digit"] or match["ordinal"]).lower()
    if word in ("last", "latter"):
        return n_options - 1
    number = int(word) if word.isdigit() else _ORDINAL[word]
    return number - 1 if 1 <= number <= n_options else None


def _own_reason(sentence: Sentence) -> str:
    found = re.search(
        r"\b(?:because|since|as\s+(?:i|it|the)|so\s+i|rather\s+than|instead\s+of|over\s+the"
        r"|but\s+not|the\s+others?|the\s+rest|while|although)\b.*",
        sentence.plain,
        re.I,
    )
    return sentence.text[found.start() :] if found else ""


def contrast(chosen: str, rejected: Sequence[str]) -> str:
    """Return the words that at least two rejected options share and the chosen one lacks, in order."""
    bags = [set(analyze(option)) for option in rejected]
    spread = Counter(term for bag in bags for term in bag)
    barred = set(analyze(chosen)) | _STOPWORDS
    words: dict[str, str] = {}
    for option in rejected:
        for word in re.findall(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*", option):
            terms = analyze(word)
            if any(spread[term] >= 2 and term not in barred for term in terms):
                words.setdefault(terms[0], word.lower())
    return " ".join(list(words.values())[:6])


def _preferences(turn: Turn, picked: Picked) -> list[Preference]:
    chosen = picked.chosen.strip(" .!?")
    shared = contrast(picked.chosen, picked.rejected)
    why = f" {picked.reason}" if picked.reason else ""
    rejected = "; ".join(option.strip(" .!?") for option in picked.rejected)
    liked = make_preference(
        turn,
        statement=f"I chose: {chosen}.{why} I left: {rejected}.",
        quote=picked.quote,
        target=_short(chosen),
        stance="like",
        strength=0.5,
        confidence=0.6 if picked.reason else 0.5,
        topic=topic_of(_short(chosen)),
        source="choice",
        explicit=False,
    )
    if not shared:
        return [liked]
    disliked = make_preference(
        turn,
        statement=f"I avoid {shared}.{why} I chose {chosen} instead of: {rejected}.",
        quote=picked.quote,
        target=shared,
        stance="dislike",
        strength=0.5,
        confidence=0.6 if picked.reason else 0.5,
        source="choice",
        explicit=False,
    )
    return [disliked, liked]


def _short(option: str) -> str:
    words = re.split(r"[,:(]|\s[-–—]\s", option.replace("*", ""))[0].split()
    return " ".join(words[:10]).lower()
