"""From candidates to a ranking: which sessions, and which turns in them, answer a question.

Sessions are ranked first, by a weighted sum of arms; a turn is ranked by its own arms plus a
share of its session's score, because evidence sits in sessions that are on the topic.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from habitus.memory.records import Role
from habitus.memory.retrieval.question import Question
from habitus.memory.retrieval.timing import nearness
from habitus.memory.store import Candidates
from habitus.retrievers.fusion import Scores, standardise, weighted_sum

SESSION_WEIGHTS: Mapping[str, float] = {
    "turn_cosine": 0.82,
    "turn_bm25": 0.43,
    "session_cosine": 0.52,
    "reply_bm25": 0.9,
    "time": 2.0,
}
"""Weights of a session's arms, described at `session_arms`. Those of the first three are the coefficients of
a logistic choice model over the sessions of each question, fitted to the development half of LongMemEval (MIT
licence). That of `time` is what a session on the very day that the question points to is ranked up by."""

PART_WEIGHTS: Mapping[str, float] = {
    "turn_cosine": 7.4,
    "turn_bm25": 0.18,
    "reply_bm25": 0.26,
    "time": 2.0,
}
"""The same where the candidates are the best few of very many, by the arms as they are: among the best alone
the deviation of an arm tells nothing of how much a difference is worth. Fitted alike, to the pooled sessions
of all those questions. Whole sessions do not pay there: many are on the topic, few answer."""

TURN_WEIGHTS: Mapping[str, float] = {"cosine": 1.0, "bm25": 0.3, "session": 0.6}
"""With .3 for words LongMemEval's evidence turns are ranked at NDCG@10 .789, with .5 at .779 (n=234). Weights
of the words and the session chosen anew without each fifth of the questions gain [.003, .026]."""

REPLY_HANDICAP = 1.5
"""What a reply is ranked down by, in standard deviations, unless the question is about replies: replies
repeat the words of a question without holding facts about the user."""


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """Turns and sessions in the order in which they answer a question, best first.

    Attributes:
        session_ids: every session among the candidates.
        session_scores: shape `(n_sessions,)`, falling.
        turn_ids: of the candidates, in their own order.
        rows: shape `(n,)`, rows of the candidates, best turn first.
        scores: shape `(n,)`, the score of each of these rows, falling.
    """

    session_ids: tuple[str, ...]
    session_scores: Scores
    turn_ids: list[str]
    rows: npt.NDArray[np.int64]
    scores: Scores

    @property
    def ranked_turn_ids(self) -> tuple[str, ...]:
        """Every turn among the candidates, best first."""
        return tuple(self.turn_ids[row] for row in self.rows)


@dataclass(frozen=True, kw_only=True)
class Memory:
    """One remembered turn, as it goes into the prompt.

    Attributes:
        text: the turn's words, or the sentences of it that matter.
        score: the fused score, higher is better, comparable within one recall only.
        arms: the raw score of each arm.
        shortened: whether `text` is less than the whole message.
        newer_at: when the user said what replaces it; None while it holds.
    """

    turn_id: str
    session_id: str
    role: Role
    text: str
    at: datetime
    score: float
    arms: Mapping[str, float] = field(default_factory=dict)
    shortened: bool = False
    newer_at: datetime | None = None

    @property
    def why(self) -> str:
        """Which arms found it, in words."""
        names = {
            "cosine": "meaning",
            "bm25": "words",
            "session_cosine": "session",
        }
        found = [f"{name} {self.arms[arm]:.2f}" for arm, name in names.items() if self.arms.get(arm, 0.0) > 0]
        return ", ".join(found) or "recent"


CLOCKS_DIFFER = timedelta(days=1)
"""How far ahead of the asker's clock a message may be dated and still have been said before."""


def known_at(candidates: Candidates, at: datetime) -> Candidates:
    """Leave out what was said after `at`: whoever asks then cannot know it.

    Among the pooled sessions of all questions of LongMemEval's development half, 28 % are dated after a
    question; leaving them out lifts R@1 from .342 to .423 (n=234).
    """
    known = candidates.at <= (at + CLOCKS_DIFFER).timestamp()
    return candidates if known.all() else candidates.kept(known)


def without(candidates: Candidates, turn_ids: Collection[str]) -> Candidates:
    """Leave out some turns, such as those that short-term memory holds."""
    gone = [row for _, row in candidates.rows_of(turn_ids)] if turn_ids else []
    if not gone:
        return candidates
    if gone[0] == len(candidates) - len(gone):
        return candidates.first(gone[0])
    kept = np.ones(len(candidates), dtype=np.bool_)
    kept[gone] = False
    return candidates.kept(kept)


@dataclass(frozen=True, kw_only=True)
class SessionArms:
    """What each arm says of every session among some candidates.

    Attributes:
        turn_scores: shape `(n_candidates,)`, what the turns' own arms say of each.
        session_ids: n distinct ids.
        group: shape `(n_candidates,)`, for each candidate the place of its session among them.
        newest: shape `(n,)`, seconds since 1970 of each session's last candidate.
        columns: by arm, shape `(n,)`, higher is better.
    """

    turn_scores: Scores
    session_ids: tuple[str, ...]
    group: npt.NDArray[np.int64]
    newest: Scores
    columns: Mapping[str, Scores]


_UNLIKE = -0.2
"""Cosines are seldom lower."""


def session_arms(candidates: Candidates, question: Question) -> SessionArms:
    """Score every session by each arm.

    `turn_cosine` and `turn_bm25` are its best message of the user by meaning and by words, `session_cosine`
    and `session_bm25` the whole session, `reply_bm25` its best reply of the assistant by words, 0 unless the
    question asks for what the assistant said: for other questions replies only repeat the words. These have
    mean 0 and deviation 1, and are as they are where the candidates are not complete. `time` is 1 on the days
    that the question points to and falls to 0 beside them.
    """
    names, group = candidates.grouping
    arms = candidates.arms
    users, everyone = np.flatnonzero(candidates.is_user), slice(None)

    def best(
        scores: npt.NDArray[np.floating[Any]], rows: npt.NDArray[np.int64] | slice, floor: float
    ) -> Scores:
        found = np.full(len(names), floor)
        np.maximum.at(found, group[rows], scores[rows].astype(np.float64, copy=False))
        return found

    # Of the best few a session without a message of the user is no worse than the others of very many.
    scaled, unlike = (standardise, -1.0) if candidates.complete else (np.asarray, _UNLIKE)
    columns = {
        "turn_cosine": scaled(best(arms["cosine"], users, unlike)),
        "turn_bm25": scaled(best(arms["bm25"], users, 0.0)),
        "session_cosine": scaled(best(arms["session_cosine"], everyone, unlike)),
        "session_bm25": scaled(best(arms["session_bm25"], everyone, 0.0)),
        "reply_bm25": np.zeros(len(names)),
        "time": np.zeros(len(names)),
    }
    if question.about_replies:
        columns["reply_bm25"] = scaled(best(arms["bm25"], np.flatnonzero(~candidates.is_user), 0.0))
    if question.spans:
        columns["time"] = best(nearness(question.spans, candidates.at), everyone, 0.0)
    own = {name: weight for name, weight in TURN_WEIGHTS.items() if name != "session"}
    return SessionArms(
        turn_scores=weighted_sum({name: arms[name] for name in own}, own),
        session_ids=names,
        group=group,
        newest=best(candidates.at, everyone, -np.inf),
        columns=columns,
    )


def rank(
    candidates: Candidates,
    question: Question,
    weights: Mapping[str, float] | None = None,
    *,
    arms: SessionArms | None = None,
    n_sessions: int | None = None,
) -> Ranking:
    """Rank sessions by the weighted sum of their arms, and turns; ties go to the newer.

    Args:
        candidates: turns.
        question: that they may answer.
        weights: by arm; None is those that are shipped for such candidates.
        arms: of the candidates, where the caller has them already.
        n_sessions: turns of so many of the best sessions alone are ranked; None is all.

    Raises:
        KeyError: a weight names no arm.
    """
    arms = arms or session_arms(candidates, question)
    if weights is None:
        weights = SESSION_WEIGHTS if candidates.complete else PART_WEIGHTS
    scores = sum(
        (weight * arms.columns[name] for name, weight in weights.items()), np.zeros(len(arms.newest))
    )
    return ranked_by(candidates, question, arms, scores, n_sessions=n_sessions)


def ranked_by(
    candidates: Candidates,
    question: Question,
    arms: SessionArms,
    session_scores: Scores,
    *,
    n_sessions: int | None = None,
) -> Ranking:
    """Rank sessions by given scores, and turns by their own arms and a share of their session's score.

    Args:
        candidates: turns.
        question: that they may answer.
        arms: of the candidates.
        session_scores: shape `(n,)`, in the order of `arms.session_ids`.
        n_sessions: turns of so many of the best sessions alone are ranked; None is all.
    """
    by_score = np.lexsort((-arms.newest, -session_scores))
    of_session = standardise(standardise(session_scores)[arms.group])
    turn_scores = arms.turn_scores + TURN_WEIGHTS["session"] * of_session
    if not question.about_replies:
        turn_scores[~candidates.is_user] -= REPLY_HANDICAP
    newest = candidates.newest_first
    if n_sessions is not None:
        is_best = np.zeros(len(by_score), dtype=np.bool_)
        is_best[by_score[:n_sessions]] = True
        newest = newest[is_best[arms.group[newest]]]
    rows = newest[np.argsort(-turn_scores[newest], kind="stable")]
    return Ranking(
        session_ids=tuple(arms.session_ids[place] for place in by_score.tolist()),
        session_scores=session_scores[by_score],
        turn_ids=candidates.turn_ids,
        rows=rows,
        scores=turn_scores[rows],
    )


def instant(seconds: float) -> datetime:
    """Return seconds since 1970 as an aware UTC datetime."""
    return datetime.fromtimestamp(seconds, tz=UTC)
