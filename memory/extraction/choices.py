"""Implicit preferences: the option that the user picks from those offered, what they leave, and why."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from habitus.memory.extraction.preferences import make_preference
from habitus.memory.extraction.segmentation import Sentence
from habitus.memory.extraction.targets import is_anaphor, topic_of
from habitus.memory.records import Preference, Turn
from habitus.retrievers.analysis import analyze

MAX_OPTIONS = 8
_LEAD_WORDS = 14
_NAMED_SHARE = 0.4
MAX_PICK_CHARS = 500
MAX_OFFER_CHARS = 6_000

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
_PICK = re.compile(
    r"\b(?:i(?:'ll|\s+will|'d|\s+would)\s+(?:probably\s+|definitely\s+|rather\s+|have\s+to\s+)?"
    r"(?:go\s+(?:with|for)|take|choose|pick|opt\s+for|try|have"
    r"|stick\s+with|(?!like|love|need|be\b|also|give|look|reach|definitely|want|say|suggest)\w+(?:\s+out)?)"
    r"|i(?:'m|\s+am)\s+(?:going\s+(?:to\s+)?(?:go\s+)?(?:with|for)|leaning\s+towards?|choosing"
    r"|picking|most\s+interested\s+in|more\s+(?:interested\s+in|drawn\s+to))|(?:let's|let\s+us"
    r"|let\s+me)\s+(?:go\s+(?:with|for|to)?|do|try|take|pick|have|start\s+with)"
    r"|i\s+(?:choose|pick|prefer|vote\s+for|select|chose|would\s+prefer)"
    r"|my\s+(?:pick|choice|vote)\s+(?:is|would\s+be|goes\s+to)|i'd\s+prefer|going\s+with)\b\s*",
    re.IGNORECASE,
)
_SOUNDS = re.compile(
    r"\b(?:sounds?|seems?|looks?|would\s+be|is|are|would\s+(?:work|suit|fit)|works?|will\s+be"
    r"|will\s+work|suits?|fits?|might\s+be|appeals?\s+to\s+me"
    r"|it\s+is)\b\s*(?:like\s+)?(?:(?!too\b|not\b|a\s+bit)\w+\s+){0,4}?"
    r"(?:great|perfect|good|best|better|ideal|nice|appealing|lovely|right|wonderful|fantastic"
    r"|excellent|suitable|interesting|fun|fit|choice|option|well|effective|practical|comfortable"
    r"|delightful|intriguing|way\s+to\s+go|\w+ing|me|enjoyable|delicious|engaging|for\s+me|winner)\b",
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
_OTHERS = re.compile(
    r"\b(?:others|(?:the|those|all)\s+rest|remaining|the\s+(?:options|choices|alternatives)|(?:the"
    r"|those|all|any|your)\s+other"
    r"(?:\s+[\w-]+){0,3})\b(?=[^.]{0,70}\b(?:seems?|sounds?|are|is|aren't|isn't|don't|doesn't|might"
    r"|may|feels?|looks?|would|could"
    r"|won't|wouldn't|can't|not|too|requires?|involves?|lacks?|just)\b)",
    re.IGNORECASE,
)
_NOT = r"(?:don't|doesn't|aren't|isn't|won't|wouldn't|can't|cannot|not|never|neither|hardly)"
_NEGATIVE = re.compile(
    rf"\b(?:{_NOT}|too|less|lacks?|pass\s+on|skip|avoid|dislike|hate|out\s+of\s+the\s+question"
    rf"|rather\s+than|instead\s+of"
    r"|(?<!\ba\s)while|although|though|a\s+bit|issues?)\b",
    re.IGNORECASE,
)
_DOUBT = re.compile(r"\b(?:might|may|would|could|seems?|sounds?|feels?|looks?|are|require)\b", re.IGNORECASE)
_AGAINST = re.compile(
    rf"\b{_NOT}\b.{{0,40}}?\b(?:appeal\w*|interest\s+(?:me|us)|suit(?:ed|able)?"
    rf"|works?\s+(?:well\s+)?for|align\w*|for\s+(?:me|us)|my\s+(?:taste|style|liking|thing)"
    r"|(?:the\s+)?best\s+(?:fit|choice|option)|ideal|practical|in\s+the\s+mood|keen|fan\s+of|into"
    r"|seem\s+(?:as|like|very|to)|as\s+\w+ing)\b"
    r"|\b(?:seems?|feels?|sounds?|are|is|be|looks?)\s+(?:like\s+they\s+(?:might"
    r"|would)\s+be\s+)?(?:a\s+(?:bit|little|tad)\s+|way\s+|far\s+|much\s+|just\s+|rather\s+"
    r"|somewhat\s+)*(?:too\s+\w+|more\s+\w+\s+than)",
    re.IGNORECASE,
)
_ON_SECOND_THOUGHT = re.compile(r"[^.;]{0,60}?\bbut\b(?!\s+not\b)", re.IGNORECASE)
_OPINION = re.compile(
    r"^\s*(?:\w+[,!.]\s+)?i\s+(?:\w+ly\s+)?(?:think|feel|believe|guess|say)\s+(?:that\s+)?", re.IGNORECASE
)
_PLANS = re.compile(r"\bi'(?:d|ve|m|ll)\b|\b(?:if|know|that's|it's|was|were|these|those)\b", re.IGNORECASE)
_CONCEDING = frozenset(
    {
        "while",
        "although",
        "though",
        "rather than",
        "instead of",
        "dislike",
        "hate",
        "avoid",
        "pass on",
        "skip",
    }
)
_UNSURE = re.compile(r"\bnot\s+(?:really\s+|quite\s+|entirely\s+|too\s+)?(?:sure|certain)\b", re.IGNORECASE)
_TAKES_ALL = re.compile(
    r"\b(?:all\s+of\s+(?:them|these|those)|both|everything|any\s+of\s+them)\b", re.IGNORECASE
)
_BESIDES = re.compile(
    r"[;:]|,?\s+\b(?:because|since|rather\s+than|instead\s+of|over|but|while|although|than)\b"
    r"|,\s+(?:the|all|and|as|i)\b|\s[-–—]\s",
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
    if offer is None or not sentences or len(turn.text) > MAX_PICK_CHARS:
        return []
    options = offered(offer.text)
    if not 2 <= len(options) <= MAX_OPTIONS:
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


def _picked(turn: Turn, sentences: Sequence[Sentence], options: list[str]) -> Picked | None:
    for number, sentence in enumerate(sentences[:3]):
        named = _named_part(sentence)
        if named is None or _TAKES_ALL.search(named) or is_anaphor(named):
            continue
        index = _option_named(named, options)
        if index is None:
            continue
        left = _left_terms(options, index)
        around = [
            s for s in sentences[max(0, number - 1) : number + 2] if s is not sentence and not s.is_question
        ]
        told = [s for s in around if _tells_why(s.plain, left)]
        own = _own_reason(sentence, named, left)
        if not own and not told:
            return None
        first, last = min([sentence, *told], key=_start), max([sentence, *told], key=_start)
        return Picked(
            chosen=options[index],
            rejected=tuple(option for place, option in enumerate(options) if place != index),
            reason=" ".join(part for part in (own, *(s.text for s in told)) if part),
            quote=turn.text[first.start : last.start + len(last.text)],
        )
    return None


def _start(sentence: Sentence) -> int:
    return sentence.start


def _left_terms(options: Sequence[str], index: int) -> set[str]:
    """Return the stems that only the rejected options have."""
    rejected = (option for place, option in enumerate(options) if place != index)
    left = {term for option in rejected for term in analyze(" ".join(option.split()[:_LEAD_WORDS]))}
    return left - set(analyze(options[index])) - _STOPWORDS


def _tells_why(words: str, left: set[str]) -> bool:
    """Tell whether words speak against the options that were left."""
    if _AGAINST.search(words):
        return _UNSURE.search(words) is None
    if _OTHERS.search(words):
        return bool(_NEGATIVE.search(words) or _DOUBT.search(words))
    negative = _NEGATIVE.search(words)
    if negative is None or _UNSURE.search(words):
        return False
    said = set(analyze(words))
    if negative.group().lower() not in _CONCEDING:
        said = set(analyze(words[: negative.start()]))
    return bool(left & said)


def _named_part(sentence: Sentence) -> str | None:
    """Return the words that name the option, or None when the sentence picks nothing."""
    if sentence.is_question:
        return None
    # A title in quotation marks ("Take Me Home") may look like somebody's words: read it unmasked.
    plain = sentence.raw.replace("’", "'")
    pick = _PICK.search(plain)
    if pick is not None and pick.start() < 60:
        return _BESIDES.split(plain[pick.end() :], maxsplit=1)[0]
    sounds = _SOUNDS.search(plain)
    if sounds is None or sounds.start() > 110 or _PLANS.search(plain[: sounds.start()]):
        return None
    return _OPINION.sub("", plain[: sounds.start()])


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
    if scores[best] < 0.5 or scores[best] <= max(others, default=0.0):
        return None
    return best if len(said & bags[best]) >= _NAMED_SHARE * len(said) else None


def _place(match: re.Match[str], n_options: int) -> int | None:
    word = (match["digit"] or match["ordinal"]).lower()
    if word in ("last", "latter"):
        return n_options - 1
    number = int(word) if word.isdigit() else _ORDINAL[word]
    return number - 1 if 1 <= number <= n_options else None


def _own_reason(sentence: Sentence, named: str, left: set[str]) -> str:
    """Return what the picking sentence itself says of the reason or of the other options."""
    plain = sentence.raw.replace("’", "'")
    place = plain.find(named) + len(named)
    if _ON_SECOND_THOUGHT.match(plain, place):
        return ""
    return sentence.raw[place:].strip(" ,;:-–—") if _tells_why(plain[place:], left) else ""


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
