"""What looks like a statement of the user but is none: play, hypotheses, orders to the memory itself."""

from __future__ import annotations

import re

from habitus.memory.extraction.segmentation import Sentence, own_sentences

_PLAY = re.compile(
    r"\b(?:act\s+(?:as|like)|pretend|role-?\s?play|impersonate|imagine\s+(?:that\s+)?(?:you|i|we"
    r"|a)\b|you\s+are\s+(?:now\s+)?(?:an?|the)\s+\w+"
    r"|in\s+the\s+(?:voice|style|persona)\s+of|from\s+the\s+(?:perspective|point\s+of\s+view"
    r"|viewpoint)\s+of|stay\s+in\s+character"
    r"|your\s+(?:name|character|role)\s+is|i\s+am\s+playing|play\s+the\s+(?:role|part)|let's\s+play"
    r"|i'll\s+be\s+the|as\s+if\s+(?:you|i)\s+were"
    r"|my\s+character|speak\s+as|respond\s+as|answer\s+as|writing\s+prompt)\b",
    re.IGNORECASE,
)
_COMPOSE = re.compile(
    r"\b(?:write|compose|draft|create|generate|make|produce|rewrite|rephrase|paraphrase|translate"
    r"|proofread|correct|edit|improve|continue|analy[sz]e|classify|summari[sz]e|review)\b"
    r"[^.?!\n]{0,60}?\b(?:story|poem|song|lyrics|rap|essay|letter|e-?mail|dialogue|dialog|script"
    r"|scene|speech|monologue|review|tweet|post|blog|article"
    r"|bio|biography|cover\s+letter|statement|caption|joke|novel|chapter|screenplay|conversation"
    r"|paragraph|sentences?|text|message|play|resume|prompt|fanfic\w*|transcript|testimonial"
    r"|description|diary|journal|limerick|haiku|ballad|fable|tale|sketch|profile|verse|line|entry|slogan"
    r"|headline)\b"
    r"|^\W*(?:please\s+)?(?:(?:can|could|would)\s+you\s+)?(?:please\s+)?(?:translate|rewrite|rephrase"
    r"|paraphrase|proofread|correct|fix"
    r"|summari[sz]e|put|turn|give\s+me\s+(?:a|another|some)\s+\w+|check|improve|edit|reword)\b[^.?!\n]{0,60}:"
    r"|\b(?:correct|right|grammatical|wrong|better|okay|ok)\s+to\s+(?:write|say)\b",
    re.IGNORECASE,
)
_MEMORY_ORDER = re.compile(
    r"\b(?:ignore|disregard|override|overwrite|bypass|disable|erase|wipe|reset|delete|modify|update"
    r"|save|store|write|add|inject|set|record|insert|persist)\b"
    r"[^.?!\n]{0,80}?\b(?:instructions?|system\s+prompt|memor(?:y|ies)|database|preference\s+store"
    r"|preferences?|profile|persona|norms?|guidelines|safety|your\s+rules|user\s+data|confidence)\b"
    r"|\bsystem\s*(?:prompt|message|override)\b|\bfrom\s+now\s+on\s+(?:you\s+(?:are|will\s+be"
    r"|must\s+(?:obey|store|remember\s+everything)))\b|\b(?:jailbreak|developer\s+mode|dan\s+mode)\b",
    re.IGNORECASE,
)
_HYPOTHESIS = re.compile(
    r"\b(?:suppose|supposing|imagine|what\s+if|hypothetically|let's\s+say|let’s\s+say"
    r"|say\s+(?:that\s+)?i|assuming|assume|in\s+case|wish|if\s+only"
    r"|would\s+i|should\s+i|do\s+i|did\s+i|could\s+i|can\s+i|am\s+i|if\s+(?:i|we)\s+(?:were|was|had"
    r"|liked|hated|did|could|ever|don't|do|didn't|am|have|can't|like|prefer|want|need|eat|use|avoid"
    r"|only|never|just|feel|find|love|hate|enjoy)"
    r"|for\s+example|for\s+instance|e\.g\.|such\s+as\s+['\"“]|whether\s+i|how\s+do\s+i"
    r"|let's\s+pretend|in\s+theory|theoretically|just\s+kidding|not\s+really\s+but)\b",
    re.IGNORECASE,
)
_CHOICE = re.compile(
    r"\bif\s+(?:i\s+(?:have|get|had)\s+(?:the|a)\s+choice|i\s+can|possible|at\s+all\s+possible|it(?:'s|"
    r"\s+is|\s+were|\s+was)\s+up\s+to\s+me|(?:i|you\s+made\s+me|forced)\s+(?:had\s+)?to\s+(?:choose"
    r"|pick)[^.!?]{0,60})[,\s]*$",
    re.IGNORECASE,
)
"""No condition: whoever may choose does as they like."""
_REPORTED = re.compile(
    r"\b(?:he|she|they|who|wife|husband|mother|mom|mum|father|dad|brother|sister|friend|boss"
    r"|colleague|partner|son|daughter|kids?|children|parents|girlfriend|boyfriend|neighbou?rs?|teacher|doctor|people"
    r"|someone|everyone|character|customers?"
    r"|clients?|patients?|\w+ed)\s+"
    r"(?:always\s+|often\s+|once\s+|just\s+)?(?:said|says|told\s+(?:me|us|him|her|them)|tells\s+me"
    r"|claims?|claimed|thinks?|thought|believes?|believed|wrote|writes|asked|replied|insists?"
    r"|complained|complains|shouted|argues?)\b[^.;]{0,40}$"
    r"|\baccording\s+to\b[^,;]{0,60}$|\bthe\s+(?:line|quote|lyric|sentence|phrase|saying)\b[^;]{0,40}$",
    re.IGNORECASE,
)
_REPORTED_AS = re.compile(
    r"\bas\s+(?!(?:i|we)\b)(?:[\w'-]+\s+){1,5}(?:says?|said|puts?\s+it|wrote|writes|sings?"
    r"|claims?)\s*[,:]\s*$",
    re.IGNORECASE,
)
_REPORTED_AFTER = re.compile(
    r",\s*(?:(?:so\s+)?(?:says|said|claims|claimed|wrote|writes|reads|states|goes)\s+(?!(?:i|we)\b)\w"
    r"|(?:he|she|they|(?:my|his|her|their|our|the)\s+\w+)\s+(?:says?|said|claims?|claimed|wrote|writes)\W*$"
    r"|according\s+to\s)",
    re.IGNORECASE,
)
"""Who said it may come last: "I love Acme, says the ad"."""

_FIRM = re.compile(
    r"\bour\s+(?:company|mission|customers|clients|products?|brand|business|services|startup|firm"
    r"|organi[sz]ation|employees|restaurant|store"
    r"|guests|policy)\b",
    re.IGNORECASE,
)
_WE = re.compile(r"\bwe\b", re.IGNORECASE)


def spoken_by_user(text: str) -> list[Sentence]:
    """Return the sentences of a message in which its user speaks for themselves, in order.

    No quotation, paste or code, no part that is played or text that is composed, no order to the memory,
    and no "we" of a firm: every reader of turns looks at these alone.
    """
    sentences = own_sentences(text)
    own = [s for s in sentences[: voice_ends_at(sentences)] if not is_memory_order(s)]
    if speaks_for_firm(sentences):
        return [sentence for sentence in own if not _WE.search(sentence.plain)]
    return own


def speaks_for_firm(sentences: list[Sentence]) -> bool:
    """Tell whether "we" is a firm in this message, and its words advertisement or policy."""
    return any(_FIRM.search(sentence.plain) for sentence in sentences)


def voice_ends_at(sentences: list[Sentence]) -> int:
    """Return how many of the sentences, from the first, speak for the user.

    After a call to play a part, or to compose a text, first-person words belong to the part or text.
    """
    for number, sentence in enumerate(sentences):
        if _PLAY.search(sentence.plain) or _COMPOSE.search(sentence.plain):
            return number
    return len(sentences)


def is_memory_order(sentence: Sentence) -> bool:
    """Tell whether the sentence wants to change how memory works rather than to tell something."""
    return _MEMORY_ORDER.search(sentence.plain) is not None


def is_hypothetical(sentence: Sentence, start: int) -> bool:
    """Tell whether what begins at `start` is only supposed, wished for, asked, or given as an example."""
    before = sentence.plain[:start]
    clause = re.split(r"[;:]|,\s+(?=i\b|but\b|so\b)", before, flags=re.IGNORECASE)[-1]
    opened = sentence.plain[len(before) - len(clause) : start + 12]
    if _CHOICE.search(before):
        return False
    return _HYPOTHESIS.search(opened) is not None or re.search(r"\bif\b", clause, re.IGNORECASE) is not None


def is_reported(sentence: Sentence, start: int) -> bool:
    """Tell whether somebody else is said to have said what begins at `start`."""
    before = sentence.plain[:start]
    told_before = _REPORTED.search(before) or _REPORTED_AS.search(before)
    return told_before is not None or _REPORTED_AFTER.search(sentence.plain, start) is not None
