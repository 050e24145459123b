"""The second look at the best sessions: what the user stated in them, and what goes with the first finds.

The arms compare whole messages; the best messages of the best sessions are read sentence by sentence. Only
statements in the first person count: a question, or a document that was pasted, comes near the words of a
question to memory without telling anything of the user.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from habitus.memory.index.products import dots
from habitus.memory.index.remembering import remembered
from habitus.memory.index.units import units
from habitus.memory.retrieval.question import Question
from habitus.memory.retrieval.recall import Ranking, SessionArms, ranked_by, session_arms
from habitus.memory.store import Candidates
from habitus.retrievers.encoder import Vectors
from habitus.retrievers.fusion import Scores, standardise

SESSIONS_READ = 40
TURNS_READ = 3
"""How much is read: of so many sessions the user's best messages."""

MAX_TALK = 16
"""Sentences; a longer message is a document, and what it says in the first person seldom the user's life."""

FIRST_WEIGHTS: Mapping[str, float] = {"arms": 0.8, "told": 0.4, "recent": 0.15}
"""By them the first session is chosen: what the arms said, its nearest statement, and its nearest one with an
expression of time, where the question asks when. Coefficients of a logistic choice model, fitted to the
development half of LongMemEval (MIT licence), as the following ones."""

REST_WEIGHTS: Mapping[str, float] = {"arms": 0.85, "recent": 0.1, "kin": 0.65}
"""By them the others are ranked: `kin` is how near a session comes to the statements found first, for what
answers a question in several sessions is alike. It says nothing about which comes first: there it costs
R@1 .01."""

N_SEEDS = 5
"""Sessions whose nearest statements are what the others are compared with."""

_FLOOR = -0.2
"""Counted for a session without a statement; cosines are seldom lower."""

_STEP = 1e-6

_FIRST_PERSON = re.compile(
    r"\b(?:i|i['’](?:m|ve|d|ll)|my|me|mine|myself|we|we['’](?:re|ve|d|ll)|our|ours|us)\b", re.I
)
_TIME = re.compile(
    r"\b(?:today|yesterday|tonight|just|recently|ago|earlier|since|"
    r"this (?:morning|afternoon|evening|week|weekend|month|year)|"
    r"last (?:night|week|weekend|month|year|(?:mon|tues|wednes|thurs|fri|satur|sun)day))\b",
    re.IGNORECASE,
)


def is_statement(sentence: str) -> bool:
    """Return whether a sentence tells something in the first person."""
    return not sentence.rstrip().endswith("?") and bool(_FIRST_PERSON.search(sentence))


@dataclass(frozen=True, kw_only=True)
class Said:
    """A message of the user.

    Attributes:
        text: its words.
        vectors: shape `(n_units, dim)`, of its `units`.
    """

    text: str
    vectors: Vectors

    @property
    def statements(self) -> tuple[tuple[int, str], ...]:
        """Its statements, each with its place among the units; a document has none."""
        # There is a vector for each unit, so a document needs no cutting to be known as one.
        return () if len(self.vectors) > MAX_TALK else _statements(self.text)


def _stated(text: str) -> tuple[tuple[int, str], ...]:
    return tuple((place, piece) for place, piece in enumerate(units("user", text)) if is_statement(piece))


_statements = remembered(_stated, n=4_096)
_is_dated = remembered(lambda piece: bool(_TIME.search(piece)), n=16_384)


def to_read(candidates: Candidates, ranking: Ranking) -> list[str]:
    """Return the ids of the messages that `rerank` reads, best first."""
    left = dict.fromkeys(ranking.session_ids[:SESSIONS_READ], TURNS_READ)
    names, group = candidates.grouping
    is_read = np.array([name in left for name in names], dtype=np.bool_)
    wanted = candidates.is_user & is_read[group]
    found: list[str] = []
    for row in ranking.rows[wanted[ranking.rows]].tolist():
        session_id = candidates.session_ids[row]
        if left[session_id]:
            left[session_id] -= 1
            found.append(candidates.turn_ids[row])
    return found


def rerank(
    candidates: Candidates,
    ranking: Ranking,
    question: Question,
    vector: Vectors,
    said: Mapping[str, Said],
    *,
    arms: SessionArms | None = None,
) -> Ranking:
    """Rank the best sessions anew by what the user stated in them; the others follow as they were.

    Args:
        candidates: all turns.
        ranking: of these by their arms.
        question: what is asked.
        vector: of the question, shape `(dim,)`, length 1.
        said: by turn id, the messages that `to_read` names; one that is missing is passed over.
        arms: of the candidates, where the caller has them already.
    """
    found = read(candidates, ranking, question, vector, said)
    scores = ranking.session_scores if found is None else found.scores()
    rest = ranking.session_scores[len(scores) :] * REST_WEIGHTS["arms"]
    if len(rest):
        rest -= max(0.0, float(rest[0] - scores.min())) + _STEP
    arms = arms or session_arms(candidates, question)
    by_id = dict(zip(ranking.session_ids, np.concatenate([scores, rest]).tolist(), strict=True))
    return ranked_by(candidates, question, arms, np.array([by_id[name] for name in arms.session_ids]))


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What was read of the n best sessions, in the order of the ranking by arms.

    Attributes:
        columns: `arms`, `told` and `recent`, each of shape `(n,)`; see `FIRST_WEIGHTS`.
        place: shape `(m,)`, the session of each statement.
        vectors: shape `(m, dim)`, of the statements.
        cosine: shape `(m,)`, how near each comes to the question.
    """

    columns: Mapping[str, Scores]
    place: npt.NDArray[np.int64]
    vectors: Vectors
    cosine: Scores

    def scores(
        self, first: Mapping[str, float] = FIRST_WEIGHTS, rest: Mapping[str, float] = REST_WEIGHTS
    ) -> Scores:
        """Return shape `(n,)`: the best by the first weights stands first, the others by the second ones.

        Raises:
            KeyError: a weight names no column.
        """
        chosen = self.chosen(first)
        scores = _sum({**self.columns, "kin": self.kin(chosen)}, rest)
        scores[np.argmax(chosen)] = scores.max() + _STEP
        return scores

    def chosen(self, first: Mapping[str, float]) -> Scores:
        """Return shape `(n,)`, the scores by which the first session is chosen."""
        return _sum(self.columns, first)

    def kin(self, scores: Scores) -> Scores:
        """Return how near each session comes to the nearest statement of each of the best others, on average.

        Args:
            scores: shape `(n,)`, by which the best are chosen.
        """
        n = len(scores)
        likeness = np.full((n, N_SEEDS), np.nan)
        for column, place in enumerate(np.argsort(-scores, kind="stable")[:N_SEEDS]):
            own = np.flatnonzero(self.place == place)
            if len(own):
                seed = self.vectors[own[np.argmax(self.cosine[own])]]
                near = np.asarray(dots(self.vectors, seed), dtype=np.float64)
                likeness[:, column] = _best(self.place, near, n)
                likeness[place, column] = np.nan
        known = ~np.isnan(likeness)
        total = np.where(known, likeness, 0.0).sum(axis=1)
        return standardise(np.where(known.any(axis=1), total / np.maximum(known.sum(axis=1), 1), _FLOOR))


def read(
    candidates: Candidates,
    ranking: Ranking,
    question: Question,
    vector: Vectors,
    said: Mapping[str, Said],
) -> Reading | None:
    """Read the statements of the best sessions; None where there are none. See `rerank` for the arguments."""
    n = min(len(ranking.session_ids), SESSIONS_READ)
    places = {session_id: place for place, session_id in enumerate(ranking.session_ids[:n])}
    place: list[int] = []
    rows: list[Vectors] = []
    dated: list[bool] = []
    for turn_id, row in candidates.rows_of(said):
        session_id = candidates.session_ids[row]
        if session_id not in places:
            continue
        stated = said[turn_id].statements
        rows.append(said[turn_id].vectors[[i for i, _ in stated]])
        place += [places[session_id]] * len(stated)
        dated += [question.asks_when and _is_dated(piece) for _, piece in stated]
    if not place:
        return None
    groups, vectors = np.array(place, dtype=np.int64), np.concatenate(rows)
    cosine = np.asarray(dots(vectors, vector), dtype=np.float64)
    recent = np.where(dated, cosine, _FLOOR)
    columns = {
        "arms": ranking.session_scores[:n],
        "told": standardise(_best(groups, cosine, n)),
        "recent": standardise(_best(groups, recent, n)),
    }
    return Reading(columns=columns, place=groups, vectors=vectors, cosine=cosine)


def _best(place: npt.NDArray[np.int64], scores: Scores, n_sessions: int) -> Scores:
    found = np.full(n_sessions, _FLOOR)
    np.maximum.at(found, place, scores)
    return found


def _sum(columns: Mapping[str, Scores], weights: Mapping[str, float]) -> Scores:
    return np.asarray(np.sum([weight * columns[name] for name, weight in weights.items()], axis=0))
