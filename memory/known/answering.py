"""What a user's answer to a question of the agent tells: "no nuts", "short please", "yes", "nothing"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from habitus.memory.extraction import extract
from habitus.memory.extraction.outcome import record_id
from habitus.memory.index.phrases import vectors_of
from habitus.memory.known.coldstart import Dimension, dimension_of
from habitus.memory.records import AskedQuestion, Evidence, Preference, Stance, Turn
from habitus.retrievers.analysis import analyze
from habitus.retrievers.encoder import Encoder

MAX_WORDS = 15
"""A longer message is taken for something else than an answer, unless its words tell a preference."""
MAX_REQUEST_CHARS = 80
CONFIDENCE, STRENGTH = 0.85, 0.8
OPTION_NEAR = 0.3
"""Cosine (MiniLM) to the nearest option from which words that share none of its own choose it: "peace and
calm" has .37 to quiet places, "buzzing with people" .34 to lively ones, requests and nonsense .29 at most."""

_LEAD = re.compile(
    r"^(?:(?:yes|yeah|yep|ok(?:ay)?|sure|well|oh|hm+|mostly|usually|just|only|i(?:'d)?\s+(?:say|think|guess)|please"
    r"|thanks?|thank\s+you)\b[\s,.!:;-]*)+",
    re.IGNORECASE,
)
_TAIL = re.compile(r"(?<![ ,])[ ,]*(?:please|thanks?(?: you)?|if possible)?$", re.IGNORECASE)
_YES = re.compile(
    r"^\W*(?:yes|yeah|yep|yup|right|correct|exactly|true|indeed|it\s+is|that(?:'s|\s+is)\s+(?:right|correct|true)"
    r"|you\s+(?:do|have\s+it\s+right))\b",
    re.IGNORECASE,
)
_NO = re.compile(
    r"^\W*(?:no|nope|nah|not\s+(?:really|at\s+all|any\s?more)|wrong|that(?:'s|\s+is)\s+(?:not|wrong))\b", re.I
)
_REQUEST = re.compile(
    r"^\W*(?:please\s+)?(?:suggest|recommend|plan|find|show|write|tell|help|explain|book|translate|summari[sz]e"
    r"|compare|create|draft|remind|forget|ignore|disregard|remember|search|let's)\b",
    re.IGNORECASE,
)
_NONE = re.compile(
    r"^\W*(?:(?:no|nope|nah|none|nothing|nobody|not\s+really|no\s+idea)\b[\s,.!-]*)+"
    r"(?:(?:i\s+(?:eat|like|do)\s+(?:everything|anything|both)|special|in\s+particular|really|at\s+all|thanks?"
    r"|thank\s+you|preferences?|limits?|restrictions?|budget|matter)\b[\s,.!-]*)*$"
    r"|^\W*(?:(?:it\s+)?(?:doesn't|does\s+not)\s+matter|i\s+don't\s+(?:mind|care)|either(?:\s+is\s+fine)?|both"
    r"|whatever|any(?:thing)?(?:\s+(?:goes|is\s+fine))?|i\s+(?:eat|like)\s+(?:everything|anything|both)"
    r"|all\s+(?:of\s+them|kinds))\W*$",
    re.IGNORECASE,
)
_NEGATED = re.compile(
    r"^(?:no|not|without|never|avoid(?:ing)?|nothing\s+with|anything\s+but|(?:i\s+)?(?:don't|do\s+not|can't|cannot)\s+"
    r"(?:eat|have|like|want|do|use))\s+(?:any\s+)?(?P<what>.+)$",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a turn says to a question.

    Attributes:
        question: answered by the turn.
        preferences: what the user was found to prefer, to be merged like everything else that is learnt.
        confirms: whether the preference that the question was about is right; None if it was about none.
    """

    question: AskedQuestion
    preferences: tuple[Preference, ...] = ()
    confirms: bool | None = None


def read_answer(
    question: AskedQuestion,
    turn: Turn,
    *,
    request: str,
    told: Sequence[Preference],
    encoder: Encoder,
) -> Answer | None:
    """Return what a turn says to the question that the reply before it asked; None if it is no answer.

    Args:
        question: still open.
        turn: the user's next.
        request: the message that the question was asked about.
        told: the preferences that extraction found in the turn.
        encoder: chooses between options.
    """
    answered = question.model_copy(update={"answer_id": turn.id})
    words = " ".join(turn.text.replace("’", "'").split())
    if question.preference_id is not None:
        confirms = bool(_YES.search(words)) or (False if _NO.search(words) else None)
        return None if confirms is None else Answer(question=answered, confirms=confirms)
    if told:
        return Answer(question=answered)
    dimension = dimension_of(question.topic)
    if dimension is None or len(words.split()) > MAX_WORDS or "?" in words or _REQUEST.search(words):
        return None
    return Answer(question=answered, preferences=tuple(_learnt(dimension, turn, words, request, encoder)))


def _learnt(dimension: Dimension, turn: Turn, words: str, request: str, encoder: Encoder) -> list[Preference]:
    if _NONE.search(words):
        return [_preference(dimension, turn, dimension.label.lower(), "neutral", request, strength=0.3)]
    bare = _TAIL.sub("", _LEAD.sub("", words).rstrip(" .!")).strip()
    if not bare:
        return []
    if dimension.options:
        chosen = _nearest(bare, dimension.options, encoder)
        return [_preference(dimension, turn, chosen, dimension.stance, request)] if chosen else []
    spelt = extract(turn.model_copy(update={"text": f"I'm {bare}."})).preferences
    if spelt:
        evidence = (Evidence(turn_id=turn.id, quote=turn.text.strip()),)
        return [p.model_copy(update={"evidence": evidence, "topic": dimension.topic}) for p in spelt]
    negated = _NEGATED.match(bare)
    if negated is not None:
        return [_preference(dimension, turn, negated["what"], "avoid", request)]
    return [_preference(dimension, turn, bare, dimension.stance, request)]


def _nearest(words: str, options: Sequence[str], encoder: Encoder) -> str | None:
    """Return the option that shares most words with an answer, or else is near in meaning."""
    said = set(analyze(words))
    shared = [len(said & set(analyze(option))) for option in options]
    if max(shared) > 0 and shared.count(max(shared)) == 1:
        return options[shared.index(max(shared))]
    vectors = vectors_of([words, *options], encoder)
    cosines = vectors[1:] @ vectors[0]
    return options[int(cosines.argmax())] if cosines.max() >= OPTION_NEAR else None


def _preference(
    dimension: Dimension,
    turn: Turn,
    target: str,
    stance: Stance,
    request: str,
    strength: float = STRENGTH,
) -> Preference:
    quote = turn.text.strip()
    about = f" (asked: {_shortened(request)})" if dimension.per_request else ""
    target = " ".join(target.lower().split())
    said = " ".join(quote.split())
    if stance == "neutral":
        said = "nothing in particular"
    elif stance == "avoid":
        said = f"no {target}"
    return Preference(
        id=record_id(turn.user_id, turn.id, dimension.topic, target, stance),
        user_id=turn.user_id,
        statement=f"{dimension.label}: {said}{about}",
        topic=dimension.topic,
        target=f"{target}{about}",
        stance=stance,
        strength=strength,
        confidence=CONFIDENCE,
        evidence=(Evidence(turn_id=turn.id, quote=quote),),
        valid_from=turn.at,
        learnt_at=turn.at,
    )


def _shortened(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= MAX_REQUEST_CHARS else flat[:MAX_REQUEST_CHARS].rsplit(" ", 1)[0] + " …"
