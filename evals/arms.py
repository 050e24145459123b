"""What each arm of recall says of every session of one question, before the arms are weighted.

The columns are those that `habitus.memory.recall` adds up, made from the same candidates: with its weights
on them the sessions come in the agent's own order, which `Columns.agrees` records.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from habitus.agent.agent import Agent
from habitus.agent.nodes.recall import query_vector
from habitus.evals.evaluated import USER_ID
from habitus.evals.longmemeval import Sample
from habitus.evals.retrieval import Aliases, ask_at
from habitus.memory.question import Question, read_question
from habitus.memory.recall import REPLY_WEIGHTS, SESSION_WEIGHTS, TIME_WEIGHT
from habitus.memory.store import Candidates, Query
from habitus.memory.timing import nearness
from habitus.memory.units import units
from habitus.retrievers.fusion import standardise

Column = npt.NDArray[np.float64]
Weights = Mapping[str, float]
"""By column."""

CUED_REPLIES = {f"cued_{arm}": weight for arm, weight in REPLY_WEIGHTS.items()}
SHIPPED: Weights = {**SESSION_WEIGHTS, **CUED_REPLIES, "time": TIME_WEIGHT}
"""The weights of `habitus.memory.recall`; a cued column is zero unless the question asks for replies."""
RAW = "raw_"
"""Begins the columns of a question that was searched for as it stands, word by word."""


@dataclass(frozen=True, kw_only=True)
class Columns:
    """One question's sessions, n rows.

    Attributes:
        question_id, question_type: of the question.
        session_ids: n official ids; a session that the file repeats is there twice.
        relevant: the official ids of its evidence sessions.
        newest: shape `(n,)`, seconds since 1970 of each session's last message.
        columns: by name, shape `(n,)`, higher is better; all but `time` have mean 0 and deviation 1.
        agrees: whether the shipped weights give the agent's own order.
    """

    question_id: str
    question_type: str
    session_ids: tuple[str, ...]
    relevant: frozenset[str]
    newest: Column
    columns: Mapping[str, Column]
    agrees: bool

    def ranked(self, weights: Weights) -> tuple[str, ...]:
        """Return the sessions by the weighted sum of their columns, best first; ties go to the newer."""
        scores = sum((weight * self.columns[name] for name, weight in weights.items()), np.zeros(1))
        order = np.lexsort((-self.newest, -np.broadcast_to(scores, self.newest.shape)))
        return tuple(dict.fromkeys(self.session_ids[row] for row in order))

    def features(self, names: tuple[str, ...]) -> Column:
        """Return some columns side by side, shape `(n, len(names))`."""
        return np.stack([self.columns[name] for name in names], axis=1)


def collect(agent: Agent, sample: Sample) -> Columns:
    """Bring a question's history into a fresh agent and score its sessions by every arm."""
    aliases = Aliases(sample.sessions)
    agent.ingest(USER_ID, aliases.conversations, learn=False)
    asked_at = ask_at(sample)
    question = read_question(sample.question, asked_at)
    plain = Question(meaning=sample.question, words=sample.question)
    found = _search(agent, question, sample.question)
    names, group = _sessions(found)
    newest = _best(found.at, group, len(names), np.ones(len(found), dtype=np.bool_), -np.inf)
    columns = _columns(found, group, len(names), question)
    unread = _columns(_search(agent, plain, sample.question), group, len(names), plain)
    columns |= {f"{RAW}{name}": column for name, column in unread.items()}
    session_ids = tuple(aliases.official_sessions([name])[0] for name in names)
    made = Columns(
        question_id=sample.id,
        question_type=sample.type,
        session_ids=session_ids,
        relevant=sample.evidence_session_ids,
        newest=newest,
        columns=columns,
        agrees=True,
    )
    own = aliases.official_sessions(agent.recall(USER_ID, sample.question, at=asked_at).ranked_session_ids)
    return replace(made, agrees=made.ranked(SHIPPED) == own)


def _search(agent: Agent, question: Question, text: str) -> Candidates:
    encode = agent.store.encoder.encode
    # As the recall node does: what is left of a question is one passage, a whole message may be several.
    whole = question.meaning == text
    vector = query_vector(encode(units("user", text))) if whole else encode([question.meaning])[0]
    return agent.store.search(USER_ID, Query(text=question.words, vector=vector))


def _sessions(candidates: Candidates) -> tuple[list[str], npt.NDArray[np.int64]]:
    places: dict[str, int] = {}
    group = [places.setdefault(name, len(places)) for name in candidates.session_ids]
    return list(places), np.array(group, dtype=np.int64)


def _best(
    scores: npt.NDArray[np.floating],
    group: npt.NDArray[np.int64],
    n_sessions: int,
    rows: npt.NDArray[np.bool_],
    floor: float,
) -> Column:
    best = np.full(n_sessions, floor)
    np.maximum.at(best, group[rows], scores[rows])
    return best


def _columns(
    found: Candidates, group: npt.NDArray[np.int64], n_sessions: int, question: Question
) -> dict[str, Column]:
    users, everyone = found.is_user, np.ones(len(found), dtype=np.bool_)
    sources = {
        "turn_cosine": ("cosine", users, -1.0),
        "turn_bm25": ("bm25", users, 0.0),
        "session_cosine": ("session_cosine", everyone, -1.0),
        "session_bm25": ("session_bm25", everyone, 0.0),
        "reply_cosine": ("cosine", ~users, -1.0),
        "reply_bm25": ("bm25", ~users, 0.0),
    }
    columns = {
        name: standardise(_best(found.arms[arm], group, n_sessions, rows, floor))
        for name, (arm, rows, floor) in sources.items()
    }
    for arm in REPLY_WEIGHTS:
        columns[f"cued_{arm}"] = columns[arm] * float(question.about_replies)
    near = nearness(question.spans, found.at) if question.spans else np.zeros(len(found))
    columns["time"] = _best(near, group, n_sessions, everyone, 0.0)
    return columns
