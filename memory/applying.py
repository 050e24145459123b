"""Choosing the preferences that matter for a request, and saying why."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

import numpy as np

from habitus.memory.extraction.targets import scope_of
from habitus.memory.records import Preference
from habitus.retrievers.analysis import analyze
from habitus.retrievers.encoder import Encoder, Vectors

MAX_CACHED_VECTORS = 50_000

_cache: OrderedDict[tuple[str, str], Vectors] = OrderedDict()
_lock = Lock()


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


def vectors_of(texts: Sequence[str], encoder: Encoder) -> Vectors:
    """Encode texts, shape `(n, dim)`, remembering vectors by encoder and text (least recently used go)."""
    keys = [(encoder.fingerprint, text) for text in texts]
    with _lock:
        known = {key: _cache[key] for key in keys if key in _cache}
        for key in known:
            _cache.move_to_end(key)
    missing = [key for key in dict.fromkeys(keys) if key not in known]
    if missing:
        made = encoder.encode([text for _, text in missing])
        known.update(zip(missing, made, strict=True))
        with _lock:
            _cache.update((key, known[key]) for key in missing)
            while len(_cache) > MAX_CACHED_VECTORS:
                _cache.popitem(last=False)
    if not keys:
        return np.zeros((0, encoder.dim), dtype=np.float32)
    return np.stack([known[key] for key in keys])


def describe(preference: Preference) -> str:
    """Return the text whose vector stands for a preference."""
    return preference.statement


def preference_matrix(preferences: Sequence[Preference], encoder: Encoder) -> Vectors:
    """Return the vectors of preferences, shape `(n, dim)`: build it once, pass it to `applicable`."""
    return vectors_of([describe(preference) for preference in preferences], encoder)


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

    Only active preferences that hold at `at` count. How the user wants to be answered always matters;
    of the rest, those near in meaning, a need or aversion at a lower bar than a liking.

    Args:
        preferences: of one user, any status.
        request: the user's words.
        vector: of the request, shape `(dim,)`, in the encoder's space.
        encoder: encodes preferences not met before.
        at: now.
        limit: how many at most, not counting reply styles.
        matrix: vectors of `preferences` from `preference_matrix`, row by row, when the caller keeps them.
    """
    rows = [row for row, preference in enumerate(preferences) if _holds(preference, at)]
    styles = [preferences[row] for row in rows if preferences[row].topic.startswith("style.")]
    rows = [row for row in rows if not preferences[row].topic.startswith("style.")]
    chosen = [preferences[row] for row in rows]
    found = [
        Applied(preference=style, score=1.0, reason="how the user wants to be answered")
        for style in styles
        if _in_scope(style, request)
    ]
    if not chosen:
        return found
    vectors = matrix[rows] if matrix is not None else preference_matrix(chosen, encoder)
    return found + _ranked(chosen, vectors @ vector, request, limit)


def _holds(preference: Preference, at: datetime) -> bool:
    if preference.status != "active":
        return False
    return preference.valid_to is None or preference.valid_to > at


def _in_scope(preference: Preference, request: str) -> bool:
    return preference.scope is None or _touches(preference.scope, request) or scope_of(request) is None


def _touches(words: str, request: str) -> bool:
    return bool(set(analyze(words)) & set(analyze(request)))


def _ranked(chosen: list[Preference], cosines: Vectors, request: str, limit: int) -> list[Applied]:
    scores = np.array([_score(p, float(c), request) for p, c in zip(chosen, cosines, strict=True)])
    order = np.argsort(-scores, kind="stable")[:limit]
    best = float(scores[order[0]])
    kept = [int(row) for rank, row in enumerate(order) if rank == 0 or scores[row] >= max(0.1, best - 0.1)]
    return [
        Applied(
            preference=chosen[row], score=float(scores[row]), reason=_reason(chosen[row], float(cosines[row]))
        )
        for row in kept
    ]


def _score(preference: Preference, cosine: float, request: str) -> float:
    score = cosine
    if preference.stance in ("require", "avoid"):
        score += 0.02
    if preference.scope is not None and _touches(preference.scope, request):
        score += 0.05
    return score


def _reason(preference: Preference, cosine: float) -> str:
    nearness = f"near in meaning ({cosine:.2f})"
    if preference.stance in ("require", "avoid"):
        return f"a constraint, {nearness}"
    return nearness if preference.scope is None else f"{nearness}, holds {preference.scope}"
