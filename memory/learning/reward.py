"""How well a reply honours what a user prefers, with no language model: the user's reward.

A small encoder puts a text that offers something beside one that leaves it out. So what a preference
wants and what it rejects are kept apart, and so is what a reply offers from what it excludes ("without
nuts", "gluten-free").
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from habitus.memory.extraction.comparisons import rejected_in
from habitus.memory.index.phrases import vectors_of
from habitus.memory.learning.honouring import style_kept
from habitus.memory.learning.weights import worth
from habitus.memory.records import Preference, RewardWeights
from habitus.retrievers.analysis import analyze
from habitus.retrievers.encoder import Encoder, Vectors
from habitus.retrievers.passages import sentences as split_sentences

MAX_SENTENCES = 60
SPOKEN_OF = 0.5
"""Presence from which a reason names what is honoured or crossed."""

_END = r"(?=\s{0,8}(?:[.,;:!?)]|$|\b(?:and|or|in|for|with|to|while|on|from|at|that)\b))"
_EXCLUDED = re.compile(
    r"\b(?P<free>\w+)-free\b"
    r"|\b(?:without|no|non|not|never|avoid(?:s|ing)?|free\s+(?:of|from)|instead\s+of|rather\s+than|excluding"
    r"|minus|skip(?:s|ping)?|lacks?|lacking|zero|(?:do|does)\s+not|don't|doesn't)[\s-]{1,8}"
    rf"(?P<named>(?:[\w'-]{{1,60}}\s{{1,8}}){{0,4}}?[\w'-]{{1,60}}){_END}",
    re.IGNORECASE,
)
_PARTS = re.compile(r", ?(?:or|and|including)? ?| (?:or|and|including|like|such as) ", re.IGNORECASE)
_FUNCTION_WORDS = frozenset(
    analyze(
        "a an the of to in on at for with and or any all that which is are be i me my very really some most"
        " kind type sort thing things stuff you your can what would find has have it its as by from using"
        " eating wearing watching playing going recommend suggest great good"
    )
)


@dataclass(frozen=True, kw_only=True)
class Reward:
    """The worth of one reply to one user.

    Attributes:
        score: -1 crosses every preference that it touches, 1 honours them all, 0 touches none. The
            preferences count by their strength.
        honours: what is wanted and offered, or rejected and left out, in words of the preferences.
        violates: what is rejected and offered, or wanted and left out.
    """

    score: float
    honours: tuple[str, ...] = ()
    violates: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Facet:
    words: str
    sign: int
    """1 is wanted, -1 is rejected."""
    weight: float


@dataclass(frozen=True)
class _Read:
    offered: frozenset[str]
    excluded: frozenset[str]
    vectors: Vectors


def rewards(
    preferences: Sequence[Preference], replies: Sequence[str], *, encoder: Encoder, request: str = ""
) -> list[Reward]:
    """Return the reward of each reply, in their order.

    What a reply offers is found by words (stems) and by meaning (cosine of its nearest sentence); what
    it leaves out by words alone. Styles of reply do not count: they say nothing of its content.

    Args:
        preferences: those that matter for the request, see `applicable`; only active ones count.
        replies: candidates.
        encoder: compares what shares no words.
        request: what the replies answer; its words tell no reply from another.
    """
    facets = [facet for preference in preferences for facet in _facets(preference)]
    if not facets:
        return [Reward(score=0.0) for _ in replies]
    wanted = vectors_of([facet.words for facet in facets], encoder)
    asked = _content(request)
    return [_reward(facets, wanted, _read(reply, encoder), asked) for reply in replies]


def _reward(facets: Sequence[_Facet], wanted: Vectors, read: _Read, asked: frozenset[str]) -> Reward:
    near = (wanted @ read.vectors.T).max(axis=1) if len(read.vectors) else np.zeros(len(facets))
    presences = [
        _presence(facet, float(cosine), read, asked) for facet, cosine in zip(facets, near, strict=True)
    ]
    worth = [facet.sign * presence for facet, presence in zip(facets, presences, strict=True)]
    total = sum(facet.weight for facet in facets)
    score = sum(facet.weight * one for facet, one in zip(facets, worth, strict=True)) / total
    return Reward(
        score=score,
        honours=tuple(f.words for f, one in zip(facets, worth, strict=True) if one >= SPOKEN_OF),
        violates=tuple(f.words for f, one in zip(facets, worth, strict=True) if one <= -SPOKEN_OF),
    )


def _presence(facet: _Facet, cosine: float, read: _Read, asked: frozenset[str]) -> float:
    """Return how far a reply holds something: 1 offers it, 0 is silent, -1 leaves it out by name."""
    parts = [part for part in _PARTS.split(" ".join(facet.words.split())) if part and _content(part)] or [
        facet.words
    ]
    excluded = max(_overlap(part, read.excluded, asked) for part in parts)
    if excluded >= SPOKEN_OF:
        return -excluded
    offered = max(_overlap(part, read.offered, asked) for part in parts)
    return (offered + max(0.0, min(cosine, 1.0))) / 2.0


def _overlap(part: str, stems: frozenset[str], asked: frozenset[str]) -> float:
    terms = _content(part) - asked or _content(part)
    return len(terms & stems) / len(terms) if terms else 0.0


def _facets(preference: Preference) -> list[_Facet]:
    if (
        preference.status != "active"
        or preference.stance == "neutral"
        or preference.topic.startswith("style.")
    ):
        return []
    sign = 1 if preference.stance in ("like", "require") else -1
    rest, left_out = _without_excluded(preference.target)
    found = [(words, -sign) for words in left_out]
    if _content(rest):
        found.append((rest, sign))
    rejected = rejected_in(preference.statement)
    if rejected is not None and sign > 0:
        found.append((rejected, -1))
    return [_Facet(words, its, max(preference.strength, 0.05)) for words, its in found]


def _read(reply: str, encoder: Encoder) -> _Read:
    offered, left_out = _without_excluded(reply)
    pieces = split_sentences(reply)[:MAX_SENTENCES]
    return _Read(
        offered=_content(offered),
        excluded=frozenset().union(*(_content(words) for words in left_out)),
        vectors=vectors_of(pieces, encoder),
    )


def _without_excluded(text: str) -> tuple[str, list[str]]:
    """Split a text into what it offers and what it says to leave out."""
    left_out = [match["free"] or match["named"] for match in _EXCLUDED.finditer(text)]
    return " ".join(_EXCLUDED.sub(" ", text).split()), left_out


def _content(words: str) -> frozenset[str]:
    return frozenset(analyze(words)) - _FUNCTION_WORDS


def personal_rewards(
    preferences: Sequence[Preference],
    replies: Sequence[str],
    *,
    encoder: Encoder,
    request: str = "",
    weights: RewardWeights | None = None,
) -> list[Reward]:
    """Return what each reply is worth to the user in content and form, in their order.

    The score is the mean of up to three parts, each within -1..1: the content, see `rewards`; how far the
    preferences of style are kept; and what comparisons of earlier replies taught of the form, as tanh of
    half the log odds against the mean of the candidates. A part of which nothing is known is left out.

    Args:
        preferences: those that matter for the request; only active ones count.
        replies: candidates.
        encoder: compares what shares no words.
        request: what the replies answer.
        weights: learnt from edits, choices and ratings, see `habitus.memory.learning.weights`.
    """
    content = rewards(preferences, replies, encoder=encoder, request=request)
    forms = [style_kept(reply, preferences) for reply in replies]
    odds = [worth(weights, reply, preferences) if weights is not None else 0.0 for reply in replies]
    mean = sum(odds) / max(1, len(odds))
    found = []
    for one, (kept, honoured, broken), odd in zip(content, forms, odds, strict=True):
        parts = [one.score] if any(_facets(p) for p in preferences) else []
        parts += [kept] if honoured or broken else []
        parts += [math.tanh((odd - mean) / 2.0)] if weights is not None and weights.values else []
        found.append(
            Reward(
                score=sum(parts) / len(parts) if parts else 0.0,
                honours=(*one.honours, *(p.statement for p in honoured)),
                violates=(*one.violates, *(p.statement for p in broken)),
            )
        )
    return found
