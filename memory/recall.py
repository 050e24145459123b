"""From candidates to a ranking: which sessions, and which turns in them, answer a question.

Sessions are ranked first, by a sum of standardised arms; a turn is ranked by its own arms plus a
share of its session's score, because evidence sits in sessions that are on the topic.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from habitus.memory.records import Role
from habitus.memory.store import Candidates
from habitus.retrievers.fusion import Scores, standardise, weighted_sum

SESSION_WEIGHTS: Mapping[str, float] = {
    "turn_cosine": 0.86,
    "turn_bm25": 0.33,
    "session_cosine": 0.44,
    "reply_bm25": 0.16,
}
"""Weights of a session's arms: its best turn of the user by meaning and by words, the whole session by
meaning, and the best reply of the assistant by words, for what it once said. They are the coefficients of a
logistic choice model over the sessions of each question, fitted to the development half of LongMemEval
(MIT licence); five-fold cross-validation over questions gives R@1 .921, any@5 .988, all@5 .928. Words over
the whole session add nothing to these (coefficient -.01)."""

TURN_WEIGHTS: Mapping[str, float] = {"cosine": 1.0, "bm25": 0.5, "session": 0.6}

REPLY_HANDICAP = 1.5
"""What a reply of the assistant is ranked down by, in standard deviations: replies repeat the words
of a question without holding facts about the user."""


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """Turns and sessions in the order in which they answer a question, best first.

    Attributes:
        session_ids: every session among the candidates.
        session_scores: shape `(n_sessions,)`, falling.
        rows: shape `(n,)`, rows of the candidates, best turn first.
        scores: shape `(n,)`, the score of each of these rows, falling.
    """

    session_ids: tuple[str, ...]
    session_scores: Scores
    rows: npt.NDArray[np.int64]
    scores: Scores


@dataclass(frozen=True, kw_only=True)
class Memory:
    """One remembered turn, as it goes into the prompt.

    Attributes:
        text: the turn's words, or the sentences of it that matter.
        score: the fused score, higher is better, comparable within one recall only.
        arms: the raw score of each arm.
        superseded_by: the turn that tells a newer state of the same thing, if any.
    """

    turn_id: str
    session_id: str
    role: Role
    text: str
    at: datetime
    score: float
    arms: Mapping[str, float] = field(default_factory=dict)
    shortened: bool = False

    @property
    def why(self) -> str:
        """Which arms found it, in words."""
        names = {
            "cosine": "meaning",
            "bm25": "words",
            "session_cosine": "session",
            "session_bm25": "session words",
        }
        found = [f"{names.get(arm, arm)} {score:.2f}" for arm, score in self.arms.items() if score > 0]
        return ", ".join(found) or "recent"


def _best_per_session(
    scores: npt.NDArray[np.float32], group: npt.NDArray[np.int64], n_sessions: int, *, floor: float
) -> npt.NDArray[np.float64]:
    best = np.full(n_sessions, floor)
    np.maximum.at(best, group, scores)
    return best


def rank(
    candidates: Candidates,
    *,
    session_weights: Mapping[str, float] = SESSION_WEIGHTS,
    turn_weights: Mapping[str, float] = TURN_WEIGHTS,
) -> Ranking:
    """Rank sessions and turns; ties go to the newer."""
    n = len(candidates)
    if n == 0:
        empty = np.zeros(0)
        return Ranking(session_ids=(), session_scores=empty, rows=np.zeros(0, dtype=np.int64), scores=empty)
    names, first, group = np.unique(
        np.asarray(candidates.session_ids), return_index=True, return_inverse=True
    )
    arms, users = candidates.arms, candidates.is_user
    cosine, bm25 = arms["cosine"], arms["bm25"]
    session_arms: dict[str, npt.ArrayLike] = {
        "turn_cosine": _best_per_session(cosine[users], group[users], len(names), floor=-1.0),
        "turn_bm25": _best_per_session(bm25[users], group[users], len(names), floor=0.0),
        "reply_bm25": _best_per_session(bm25[~users], group[~users], len(names), floor=0.0),
        "session_cosine": arms["session_cosine"][first],
    }
    session_scores = weighted_sum(session_arms, session_weights)
    newest = np.zeros(len(names))
    np.maximum.at(newest, group, candidates.at)
    by_score = np.lexsort((-newest, -session_scores))

    turn_scores = weighted_sum(
        {"cosine": cosine, "bm25": bm25, "session": standardise(session_scores)[group]}, turn_weights
    )
    turn_scores[~users] -= REPLY_HANDICAP
    rows = np.lexsort((candidates.index, -candidates.at, -turn_scores))
    return Ranking(
        session_ids=tuple(names[by_score].tolist()),
        session_scores=session_scores[by_score],
        rows=rows,
        scores=turn_scores[rows],
    )


def instant(seconds: float) -> datetime:
    """Return seconds since 1970 as an aware UTC datetime."""
    return datetime.fromtimestamp(seconds, tz=UTC)
