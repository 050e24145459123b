"""Choosing the preferences that matter for a request, and saying why.

A small encoder puts "I avoid X" and "I prefer Y" near each other because both are frames of taste, and
"what would you recommend" near every other request. So the part of a vector that only tells that it is
a taste, or a request, is taken out before they are compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

import numpy as np

from habitus.memory.extraction.targets import scope_of
from habitus.memory.index.phrases import vectors_of
from habitus.memory.known.eating import EATEN, NOT_EATEN, REQUESTS, bears_on_eating, is_about_eating
from habitus.memory.known.lasting import in_force, until
from habitus.memory.records import Preference
from habitus.retrievers.analysis import analyze
from habitus.retrievers.encoder import Encoder, Vectors

FLOOR = 0.11
"""Below this nothing applies. `MARGIN`: how far behind the best the second and third may lie; later ones
must lie within `CLOSE`. Chosen on PrefEval's one preference per topic by leaving topics out (right one in
the top 3: .984 of 310, .70 others applied) and on 600 questions of LongMemEval's filler (1.5 of 12
applied). A larger bonus for constraints brings them to requests that they hardly bear on, ahead of what
matters: .1 instead of .03 gave .968, 1.4 and 2.3.
"""
MARGIN = 0.18
CLOSE = 0.05
CONSTRAINT_BONUS = 0.03
SEVERE = 0.95
SEVERE_FLOOR = 0.22
SCOPE_NAMED, SCOPE_OTHER, SCOPE_OPEN = 0.1, -0.2, -0.02

_TASTE_FRAMES = (
    "I prefer it.",
    "I dislike that.",
    "I avoid those things.",
    "I don't like it.",
    "I love that.",
    "I need it.",
    "I strongly prefer this.",
    "I am not a fan of it.",
)
_REQUEST_FRAMES = (
    "What would you recommend?",
    "Can you suggest some good options?",
    "What are some you'd recommend for me?",
    "Any ideas?",
    "I'm looking for something. What should I consider?",
    "Do you have any suggestions?",
)


@dataclass(frozen=True, kw_only=True)
class Applied:
    """A preference that matters for a request.

    Attributes:
        preference: the record.
        score: how much it matters, higher is more; comparable within one request only.
        reason: why it was chosen, in words.
    """

    preference: Preference
    score: float
    reason: str


def preference_matrix(preferences: Sequence[Preference], encoder: Encoder) -> Vectors:
    """Return a row per preference, shape `(n, dim)`: build it once, pass it to `applicable`.

    A row is the mean of the vectors of statement and target, without the frame of taste; its product
    with a request's vector is the mean of two cosines.
    """
    if not preferences:
        return np.zeros((0, encoder.dim), dtype=np.float32)
    statements = taste_vectors([preference.statement for preference in preferences], encoder)
    targets = taste_vectors(
        [preference.target or preference.statement for preference in preferences], encoder
    )
    rows: Vectors = (statements + targets) / np.float32(2.0)
    return rows


def taste_vectors(texts: Sequence[str], encoder: Encoder) -> Vectors:
    """Encode statements of taste without what they share as such, shape `(n, dim)`, rows of length 1."""
    return _without(vectors_of(texts, encoder), _frame(_TASTE_FRAMES, encoder))


def request_vector(vector: Vectors, encoder: Encoder) -> Vectors:
    """Take out of a request's vector what it shares with other requests, shape `(dim,)`, length 1."""
    bare: Vectors = _without(vector[np.newaxis, :], _frame(_REQUEST_FRAMES, encoder))[0]
    return bare


def _frame(frames: Sequence[str], encoder: Encoder) -> Vectors:
    mean = vectors_of(frames, encoder).mean(axis=0)
    norm = float(np.linalg.norm(mean))
    direction: Vectors = mean / norm if norm > 0 else mean
    return direction


def _without(vectors: Vectors, direction: Vectors) -> Vectors:
    """Take a direction out of the rows of `vectors` and bring them back to length 1."""
    rest = vectors - np.outer(vectors @ direction, direction)
    lengths = np.linalg.norm(rest, axis=1, keepdims=True)
    made: Vectors = (rest / np.maximum(lengths, 1e-6)).astype(np.float32)
    return made


def applicable(
    preferences: Sequence[Preference],
    request: str,
    vector: Vectors,
    *,
    encoder: Encoder,
    at: datetime,
    limit: int = 8,
    matrix: Vectors | None = None,
) -> list[Applied]:
    """Return the preferences that matter for a request, best first.

    Only active preferences that hold at `at` and have not faded count. How the user wants to be
    answered always matters. Of the rest, up to three near the best in meaning, further ones only when
    as near, and severe constraints (an allergy) at a lower bar. Where the request is about eating, severe
    constraints on what is eaten always matter, and take their places first. A preference for another
    occasion than the request's falls back, one for its very occasion comes forward.

    Args:
        preferences: of one user, any status.
        request: the user's words.
        vector: of the request, shape `(dim,)`, in the encoder's space.
        encoder: encodes preferences not met before.
        at: now.
        limit: how many at most, not counting reply styles. Severe constraints that matter are never left
            out for it: they take the places of others, and more than that if they must.
        matrix: rows of `preference_matrix(preferences, encoder)`, when the caller keeps them.
    """
    held = {preference.id for preference in in_force(preferences, at)}
    rows = [row for row, preference in enumerate(preferences) if preference.id in held]
    styles = [preferences[row] for row in rows if preferences[row].topic.startswith("style.")]
    rows = [row for row in rows if not preferences[row].topic.startswith("style.")]
    found = [
        Applied(preference=style, score=1.0, reason="how the user wants to be answered")
        for style in styles
        if _scope_fit(style, request) != SCOPE_OTHER
    ]
    if not rows or limit < 1:
        return found
    chosen = [preferences[row] for row in rows]
    vectors = preference_matrix(chosen, encoder) if matrix is None else matrix[rows]
    asked = request_vector(vector, encoder)
    always = _always(chosen, asked, request, encoder)
    return found + _ranked(chosen, vectors @ asked, request, limit, always)


def _always(chosen: list[Preference], asked: Vectors, request: str, encoder: Encoder) -> frozenset[int]:
    """Return the rows of the severe constraints on food, if food is asked about."""
    severe = [
        row
        for row, preference in enumerate(chosen)
        if _is_severe(preference) and _scope_fit(preference, request) != SCOPE_OTHER
    ]
    if not severe:
        return frozenset()
    examples = _without(vectors_of(REQUESTS, encoder), _frame(_REQUEST_FRAMES, encoder))
    if not is_about_eating(asked, examples):
        return frozenset()
    constraints = [chosen[row] for row in severe]
    targets = vectors_of([one.target or one.statement for one in constraints], encoder)
    bears = bears_on_eating(constraints, targets, vectors_of(EATEN, encoder), vectors_of(NOT_EATEN, encoder))
    return frozenset(row for row, its in zip(severe, bears.tolist(), strict=True) if its)


def _ranked(
    chosen: list[Preference], cosines: Vectors, request: str, limit: int, always: frozenset[int]
) -> list[Applied]:
    bonus = np.array([_bonus(preference, request) for preference in chosen])
    scores = cosines.astype(np.float64) + bonus
    order = np.argsort(-scores, kind="stable")
    best = float(scores[order[0]])
    matters = [
        row
        for rank, row in enumerate(order.tolist())
        if row in always or _matters(chosen[row], float(scores[row]), best, rank)
    ]
    needed = [row for row in matters if row in always or _is_severe(chosen[row])]
    near = [row for row in matters if row not in needed]
    places = {*needed, *near[: max(0, limit - len(needed))]}
    kept = [row for row in order.tolist() if row in places]
    return [
        Applied(
            preference=chosen[row],
            score=float(scores[row]),
            reason=_reason(chosen[row], float(cosines[row]), request, always=row in always),
        )
        for row in kept
    ]


def _matters(preference: Preference, score: float, best: float, rank: int) -> bool:
    if score < FLOOR:
        return False
    if score >= best - (MARGIN if rank < 3 else CLOSE):
        return True
    return _is_severe(preference) and score >= SEVERE_FLOOR


def _is_constraint(preference: Preference) -> bool:
    return preference.stance in ("require", "avoid")


def _is_severe(preference: Preference) -> bool:
    return _is_constraint(preference) and preference.strength >= SEVERE


def _bonus(preference: Preference, request: str) -> float:
    return (CONSTRAINT_BONUS if _is_constraint(preference) else 0.0) + _scope_fit(preference, request)


def _scope_fit(preference: Preference, request: str) -> float:
    """Compare the occasion of a preference with that of the request."""
    if preference.scope is None:
        return 0.0
    if _content(preference.scope) & _content(request):
        return SCOPE_NAMED
    return SCOPE_OPEN if _asked_scope(request) is None else SCOPE_OTHER


@lru_cache(maxsize=64)
def _asked_scope(request: str) -> str | None:
    return scope_of(request)


@lru_cache(maxsize=4096)
def _content(words: str) -> frozenset[str]:
    return frozenset(analyze(words)) - _FUNCTION_WORDS


_FUNCTION_WORDS = frozenset(
    analyze(
        "a an the i i'm me my we our at in on with when while during for to of is am are be it if except"
        " unless and or"
    )
)


def _reason(preference: Preference, cosine: float, request: str, *, always: bool) -> str:
    parts = ["a constraint" if _is_constraint(preference) else f"a {preference.stance}"]
    if always:
        parts.append("it matters for whatever is eaten")
    parts.append(f"close to the request in meaning ({cosine:.2f})")
    shared = sorted(_content(preference.target) & _content(request))
    if shared:
        parts.append(f"both speak of {', '.join(shared[:3])}")
    if preference.scope is not None:
        parts.append(f"it holds {preference.scope}")
    if term := until(preference):
        parts.append(f"it holds {term}")
    return "; ".join(parts)
