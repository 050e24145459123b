"""How the setting `taste_weight` acts on a turn: memories near what the user likes or shuns are ranked up."""

from __future__ import annotations

import numpy as np

from habitus.agent.state import Context
from habitus.memory.index.phrases import vectors_of
from habitus.memory.known.applying import applicable
from habitus.memory.records import Turn
from habitus.memory.retrieval.recall import Ranking
from habitus.memory.retrieval.retention import ranked_anew
from habitus.memory.store import Candidates
from habitus.retrievers.encoder import Vectors

_N_COMPARED = 200
"""So many of the best turns are compared with the preferences; of very many, the others stay behind them."""


def leaning(
    ranking: Ranking, candidates: Candidates, context: Context, turn: Turn, vector: Vectors
) -> Ranking:
    """Return the ranking with each memory's cosine to the nearest preference that matters added.

    After PersonaRAG (Zerhoudi and Granitzer 2024), where an agent reorders documents by the user's profile.

    Args:
        ranking: of the candidates.
        candidates: of the user.
        context: settings and store.
        turn: the message.
        vector: of the message, shape `(dim,)`.
    """
    weight, store = context.settings.taste_weight, context.store
    if not weight or not len(ranking.rows):
        return ranking
    applied = applicable(
        store.preferences(turn.user_id),
        turn.text,
        vector,
        encoder=store.encoder,
        at=turn.at,
        limit=context.settings.n_applied,
    )
    tastes = [one.preference.statement for one in applied if not one.preference.topic.startswith("style.")]
    if not tastes:
        return ranking
    wanted = vectors_of(tastes, store.encoder)
    compared = ranking.rows[:_N_COMPARED].tolist()
    said = store.turn_vectors(turn.user_id, [candidates.turn_ids[row] for row in compared])
    scores = np.full(len(candidates), -np.inf)
    scores[ranking.rows] = ranking.scores
    for row in compared:
        rows = said.get(candidates.turn_ids[row])
        if rows is not None and len(rows):
            scores[row] += weight * max(0.0, float((rows @ wanted.T).max()))
    return ranked_anew(ranking, candidates, scores, np.isfinite(scores))
