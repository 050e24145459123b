"""How a user writes, and what they know: weak signs in their own words, gathered over many messages.

What comes out is implicit, of low confidence and fades; a single message never tells a register or a
language. Formality is a closed-class proxy of the F-score of Heylighen and Dewaele (1999), which needs
part-of-speech tags: shares of messages with marks of informal and of formal writing. Levels of
knowledge come from what users say of themselves in passing ("I'm new to ...").
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from habitus.memory.extraction.guards import (
    is_hypothetical,
    is_memory_order,
    is_reported,
    voice_ends_at,
)
from habitus.memory.extraction.outcome import record_id
from habitus.memory.extraction.segmentation import Sentence, own_sentences
from habitus.memory.known.drift import last_seen
from habitus.memory.records import Evidence, Preference, Turn

MIN_MESSAGES = 12
"""Messages of the user's own words from which a register or a language is told."""
MIN_SESSIONS = 2
MAX_WORDS = 60
"""A longer message is more often a pasted text or a task than somebody's own way of writing."""
INFORMAL_FROM, FORMAL_FROM, LANGUAGE_FROM = 0.6, 0.5, 0.8
"""Shares of messages with such marks."""
BRIEF_UP_TO = 6
"""Words in the median message."""
N_QUOTED = 3
LEVEL_CONFIDENCE = 0.55
EXPERTISE = "expertise"
"""Topic of what is told of the user's knowledge; the target is its subject."""

_INFORMAL = re.compile(
    r"[\U0001F300-\U0001FAFF\u2600-\u27BF]|(?<!\w)[:;=]-?[()DPpo/](?!\w)|<3"
    r"|\b(?:u|ur|r|pls|plz|thx|ty|lol|lmao|omg|btw|idk|imo|tbh|ngl|gonna|wanna|gotta|kinda|sorta|dunno|lemme"
    r"|gimme|cuz|cos|coz|yeah|yep|yup|nope|nah|hey|hiya|yo|haha+|hehe+|hmm+|ugh|wow|meh|cool|dude|guys?"
    r"|dont|cant|wont|didnt|doesnt|isnt|im|ive|whats|thats|theres)\b|[!?]{2,}|\.{3,}|(\w)\1{3,}",
    re.IGNORECASE,
)
_FORMAL = re.compile(
    r"\b(?:dear\s+(?:sir|madam|assistant|all)|kindly|sincerely|regards|furthermore|moreover|nevertheless|hereby"
    r"|i\s+would\s+(?:be\s+(?:grateful|obliged|thankful)|appreciate)|would\s+you\s+be\s+so\s+kind|might\s+i|may\s+i"
    r"|i\s+wish\s+to|i\s+am\s+writing|could\s+you\s+please|with\s+regard\s+to|in\s+order\s+to|thank\s+you\s+very\s+much"
    r"|whilst|shall|regarding|concerning)\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")

_FUNCTION_WORDS = {
    "german": "der die das und ich nicht ist ein eine mit für auf wie was kann mir bitte den dem zu von",
    "french": "le la les et je ne pas est un une avec pour sur comment que peux moi des du à mon ma",
    "spanish": "el la los y yo no es un una con para en cómo qué puedo me por favor de del mi las",
    "italian": "il la i e io non è un una con per su come che posso mi di del mio gli della",
    "portuguese": "o a os e eu não é um uma com para em como que posso me por favor do da meu",
    "dutch": "de het een en ik niet is met voor op hoe wat kan mij van te mijn dat zijn er",
    "english": "the a an and i not is with for on how what can me please of to my that it you",
}
_LANGUAGES = {name: frozenset(words.split()) for name, words in _FUNCTION_WORDS.items()}
_MIN_MARGIN = 2

_STOP = r"(?:and|but|so|because|which|who|that|or|i|do|can|could|how|what|please|for\s+\d)"
_SUBJECT = rf"((?:(?!\b{_STOP}\b)[\w'+#&-]+[ \t]*){{1,5}})"
_NOVICE = re.compile(
    r"\bi(?:'m|\s+am)\s+(?:(?:still|very|fairly|quite|pretty|completely|totally|relatively|brand)[\s-]+)*"
    r"(?:new\s+to|(?:an?\s+)?(?:(?:absolute|complete|total)\s+)?(?:beginner|novice|newbie)\s+(?:in|at|with|to)"
    rf"|just\s+(?:starting\s+(?:out\s+)?(?:with|in)|getting\s+started\s+with|learning))\s+{_SUBJECT}"
    rf"|\bi\s+(?:don't|do\s+not)\s+know\s+(?:much|anything|a\s+lot)\s+about\s+{_SUBJECT}"
    rf"|\bi\s+know\s+(?:nothing|little|next\s+to\s+nothing)\s+about\s+{_SUBJECT}",
    re.IGNORECASE,
)
_EXPERT = re.compile(
    r"\bi(?:'m|\s+am)\s+(?:an?\s+)?(?:(?:very|quite|pretty)\s+)?(?:expert|experienced|proficient|specialist)\s+"
    rf"(?:in|at|with)\s+{_SUBJECT}"
    r"|\bi\s+(?:teach|have\s+(?:a\s+(?:phd|doctorate|degree|master's|masters|background)"
    rf"|(?:\w+\s+)?years\s+of\s+experience)\s+(?:in|with|of))\s+{_SUBJECT}"
    r"|\bi(?:'ve|\s+have)\s+been\s+(?:doing|practi[sc]ing|studying|teaching|working\s+(?:in|with|on))\s+"
    rf"{_SUBJECT}\s*for\s+(?:(?:over|about|more\s+than|almost|nearly)\s+)?(?:\d+|\w+|many|several)\s+years",
    re.IGNORECASE,
)
_NO_SUBJECT = frozenset(
    "this it that here them these those area town city the my your our his her its their whose all".split()
)


@dataclass(frozen=True, kw_only=True)
class Manner:
    """Measures over a user's messages.

    Attributes:
        n_messages: that were looked at.
        median_words: of a message.
        informal, formal: shares of messages with a mark of it, 0..1.
        language: that of at least `LANGUAGE_FROM` of the messages; None if there is none.
    """

    n_messages: int
    median_words: float
    informal: float
    formal: float
    language: str | None


def own_words(turn: Turn) -> str:
    """Return what a turn says in the user's own voice; empty for a paste, a task text, or a reply."""
    if turn.role != "user" or len(turn.text.split()) > MAX_WORDS:
        return ""
    sentences = own_sentences(turn.text)
    return " ".join(sentence.text for sentence in sentences[: voice_ends_at(sentences)])


def measured(turns: Sequence[Turn]) -> Manner:
    """Measure the user's messages among turns."""
    texts = [text for turn in turns if (text := own_words(turn))]
    n = max(1, len(texts))
    spoken = Counter(found for text in texts if (found := language_of(text)) is not None)
    language, count = spoken.most_common(1)[0] if spoken else (None, 0)
    return Manner(
        n_messages=len(texts),
        median_words=float(median([len(text.split()) for text in texts] or [0])),
        informal=sum(map(_is_informal, texts)) / n,
        formal=sum(map(_is_formal, texts)) / n,
        language=language if count >= LANGUAGE_FROM * n else None,
    )


def _is_informal(text: str) -> bool:
    return _INFORMAL.search(text) is not None or text[:1].islower()


def _is_formal(text: str) -> bool:
    return _FORMAL.search(text) is not None and _INFORMAL.search(text) is None


def language_of(text: str) -> str | None:
    """Return the language that most function words of a text belong to; None where it is not clear."""
    words = [word.casefold() for word in _WORD.findall(text)]
    counts = sorted(
        ((sum(word in known for word in words), name) for name, known in _LANGUAGES.items()), reverse=True
    )
    (best, name), (second, _) = counts[0], counts[1]
    return name if best >= second + _MIN_MARGIN else None


def manner_in(turns: Sequence[Turn]) -> list[Preference]:
    """Return what the user's way of writing suggests about replies; empty until there is enough of it.

    Args:
        turns: of one user, oldest first, both roles.
    """
    own = [turn for turn in turns if own_words(turn)]
    if len(own) < MIN_MESSAGES or len({turn.session_id for turn in own}) < MIN_SESSIONS:
        return []
    found: list[Preference] = []
    manner = measured(own)
    brief = manner.median_words <= BRIEF_UP_TO
    if manner.informal >= INFORMAL_FROM:
        told = "Writes informally and briefly." if brief else "Writes informally."
        found.append(_told(own, "style.register", "informal", told, _is_informal))
    elif manner.formal >= FORMAL_FROM:
        found.append(_told(own, "style.register", "formal", "Writes formally.", _is_formal))
    elif brief:
        found.append(_told(own, "style.register", "brief", "Writes briefly.", _is_brief))
    if manner.language not in (None, "english"):
        told = f"Writes in {str(manner.language).capitalize()}."
        found.append(_told(own, "style.language", str(manner.language), told, _in(manner.language)))
    return found


def _is_brief(text: str) -> bool:
    return len(text.split()) <= BRIEF_UP_TO


def _in(language: str | None) -> Callable[[str], bool]:
    return lambda text: language_of(text) == language


def _told(
    own: Sequence[Turn], topic: str, target: str, statement: str, shows: Callable[[str], bool]
) -> Preference:
    signs = [turn for turn in own if shows(own_words(turn))]
    last = signs[-1]
    return Preference(
        id=record_id(last.user_id, topic, target),
        user_id=last.user_id,
        statement=statement,
        topic=topic,
        target=target,
        stance="like",
        strength=0.4,
        explicit=False,
        source="user_generated_content",
        confidence=min(0.7, 0.5 + len(signs) / 200),
        evidence=tuple(Evidence(turn_id=turn.id, quote=turn.text) for turn in signs[-N_QUOTED:]),
        valid_from=signs[0].at,
        learnt_at=last.at,
    )


def levels_in(turns: Sequence[Turn]) -> list[Preference]:
    """Return what users say in passing of how much they know about something, and so of explanations."""
    return [
        _level(turn, sentence, subject, is_novice=is_novice)
        for turn in turns
        if turn.role == "user"
        for sentence in _own(turn)
        for subject, is_novice in _subjects(sentence)
    ]


def _own(turn: Turn) -> list[Sentence]:
    sentences = own_sentences(turn.text)
    return [s for s in sentences[: voice_ends_at(sentences)] if not is_memory_order(s)]


def _subjects(sentence: Sentence) -> Iterator[tuple[str, bool]]:
    for pattern, is_novice in ((_NOVICE, True), (_EXPERT, False)):
        for match in pattern.finditer(sentence.plain):
            subject = " ".join(next(group for group in match.groups() if group).split())
            if subject.split()[0].lower() in _NO_SUBJECT or is_hypothetical(sentence, match.start()):
                continue
            if not is_reported(sentence, match.start()):
                yield subject, is_novice


def _level(turn: Turn, sentence: Sentence, subject: str, *, is_novice: bool) -> Preference:
    told = (
        f"New to {subject}: explain it in plain words."
        if is_novice
        else f"Knows {subject} well: technical terms are fine."
    )
    return Preference(
        id=record_id(turn.user_id, EXPERTISE, told),
        user_id=turn.user_id,
        statement=told,
        topic=EXPERTISE,
        target=subject.lower(),
        stance="like",
        strength=0.4,
        explicit=False,
        source="user_generated_content",
        confidence=LEVEL_CONFIDENCE,
        evidence=(Evidence(turn_id=turn.id, quote=sentence.raw),),
        valid_from=turn.at,
        learnt_at=turn.at,
    )


def observed(stored: Sequence[Preference], turns: Sequence[Turn]) -> tuple[Preference, ...]:
    """Return the records to write after looking at a user's latest messages.

    What is stored already is brought up to date in its place; another register, language or level takes
    the place of the former. What the user said themselves, and what they took back, stays as it is.

    Args:
        stored: the user's preferences, any status.
        turns: of the user, oldest first, both roles.
    """
    known = {preference.id: preference for preference in stored}
    written: dict[str, Preference] = {}
    for new in [*levels_in(turns), *manner_in(turns)]:
        for change in _taken_in(list(known.values()), known.get(new.id), new):
            known[change.id] = written[change.id] = change
    return tuple(one for one in written.values() if one not in stored)


def _taken_in(stored: Sequence[Preference], same: Preference | None, new: Preference) -> list[Preference]:
    rivals = [
        p for p in stored if p.status in ("active", "pending") and p.id != new.id and _slot(p) == _slot(new)
    ]
    if any(rival.explicit or last_seen(rival) > last_seen(new) for rival in rivals):
        return []
    if same is not None and (same.explicit or same.status not in ("active", "pending")):
        return []
    ended = [
        rival.model_copy(update={"status": "superseded", "valid_to": max(new.learnt_at, rival.valid_from)})
        for rival in rivals
    ]
    if same is None:
        return [*ended, new]
    if new.learnt_at <= last_seen(same):
        return ended
    update = {"evidence": new.evidence, "confidence": new.confidence, "seen_at": new.learnt_at}
    return [*ended, same.model_copy(update={**update, "statement": new.statement})]


def _slot(preference: Preference) -> tuple[str, str]:
    """Return what there is one of at a time: a register, a language, a level in a subject."""
    if preference.topic in ("style.tone", "style.register"):
        return "style.register", ""
    if preference.topic == EXPERTISE:
        return EXPERTISE, preference.target
    return preference.topic, ""
