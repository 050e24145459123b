"""The options that a reply offers: reading them, telling which one is meant, and what sets one apart."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from habitus.retrievers.analysis import analyze, lowered

MAX_OFFER_CHARS = 6_000
LEAD_WORDS = 14
NAMED_SHARE = 0.4

_ITEM = re.compile(r"(?:^|(?<=[\s:;,.]))(?:\(?(?P<number>\d{1,2})[.):]|[-*•])\s+", re.MULTILINE)
_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_OFFERS = re.compile(
    r"\s*(?:alternatively|another|how\s+about|you\s+could|we\s+could|maybe|there's|or\b)", re.IGNORECASE
)
_ASKS_USER = re.compile(
    r"\W*(?:what|which|how\s+(?!about)|do\s+you|are\s+you|would\s+you|is\s+there|have\s+you)\b", re.IGNORECASE
)
_PREAMBLE = re.compile(
    r"\b(?:there\s+are|here\s+are|several|a\s+few|some\s+(?:great|good|popular|nice)\s+options"
    r"|many\s+(?:great|options|ways)|it's\s+important|let\s+me\s+know|hope)\b",
    re.IGNORECASE,
)
_COMMA_LIST = re.compile(r",\s+(?:or\s+|and\s+)?(?=\w)|\s+such\s+as\s+|\s+including\s+")
_OR = re.compile(r",?\s+\bor\b\s+")
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


def offered(text: str) -> list[str]:
    """Return the options that a reply offers: its list, or what it strings together with "or"."""
    text = text[:MAX_OFFER_CHARS]
    marks = list(_ITEM.finditer(text))
    if len(marks) >= 2:
        ends = [mark.start() for mark in marks[1:]] + [len(text)]
        items = [text[mark.end() : end] for mark, end in zip(marks, ends, strict=True)]
        return [_first_line(item) for item in items if item.strip() and not _ASKS_USER.match(item)]
    if not re.search(r"\bor\b|\boptions?\b|\balternatively\b|\bcould\b|\banother\b", text, re.IGNORECASE):
        return []
    return [piece for sentence in _SENTENCE.split(text) for piece in _alternatives(sentence)]


def _alternatives(sentence: str) -> list[str]:
    """Split "you could A, B, or C" at its commas, "A or B" at its or; a plain sentence is one piece."""
    pieces = [sentence]
    if sentence.count(";") >= 2:
        pieces = sentence.split(";")
    elif re.search(r",\s+(?:or|and)\b", sentence) and sentence.count(",") >= 2:
        pieces = _COMMA_LIST.split(sentence)
    elif sentence.endswith("?"):
        pieces = _OR.split(sentence)
    return [piece.strip(" .?!") for piece in pieces if len(piece.split()) > 1 and not _PREAMBLE.search(piece)]


def _first_line(item: str) -> str:
    return item.strip().split("\n")[0].strip()[:240]


def option_named(named: str, options: list[str]) -> int | None:
    if not options:
        return None
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
    if scores[best] < 0.5 or scores[best] <= max(others, default=0.0):
        return None
    return best if len(said & bags[best]) >= NAMED_SHARE * len(said) else None


def _place(match: re.Match[str], n_options: int) -> int | None:
    word = lowered(match["digit"] or match["ordinal"])
    if word in ("last", "latter"):
        return n_options - 1
    number = int(word) if word.isdigit() else _ORDINAL[word]
    return number - 1 if 1 <= number <= n_options else None


def left_terms(options: Sequence[str], index: int) -> set[str]:
    """Return the stems that only the rejected options have."""
    rejected = (option for place, option in enumerate(options) if place != index)
    left = {term for option in rejected for term in analyze(" ".join(option.split()[:LEAD_WORDS]))}
    return left - set(analyze(options[index])) - _STOPWORDS


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
