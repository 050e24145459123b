"""What each arm of recall says of every session of one question, before the arms are weighted.

The columns are those that `habitus.memory.retrieval.recall.session_arms` makes, with what
`habitus.memory.retrieval.reranking` reads: with the shipped weights the sessions come in the agent's own
order, which `Columns.agrees` records.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from habitus.agent.agent import Agent
from habitus.agent.nodes.recall import query_vector
from habitus.evals.evaluated import USER_ID
from habitus.evals.longmemeval.files import Sample
from habitus.evals.longmemeval.retrieval import Aliases, ask_at
from habitus.memory.index.units import units
from habitus.memory.retrieval.question import Question, read_question
from habitus.memory.retrieval.recall import SESSION_WEIGHTS, rank, session_arms
from habitus.memory.retrieval.reranking import FIRST_WEIGHTS, REST_WEIGHTS, Reading, read, to_read
from habitus.memory.retrieval.searching import read_best
from habitus.memory.store import Candidates, Query
from habitus.retrievers.encoder import Vectors

Column = npt.NDArray[np.float64]
Weights = Mapping[str, float]
"""By column."""

ALWAYS = "always_reply_bm25"
"""The column of the assistant's best reply whether the question asks for replies or not."""
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
        reading: of the best sessions by the shipped weights; None where nothing was stated in them.
        agrees: whether the shipped weights give the agent's own order.
    """

    question_id: str
    question_type: str
    session_ids: tuple[str, ...]
    relevant: frozenset[str]
    newest: Column
    columns: Mapping[str, Column]
    reading: Reading | None
    agrees: bool

    def ranked(self, weights: Weights) -> tuple[str, ...]:
        """Return the sessions by the weighted sum of their columns, best first; ties go to the newer."""
        scores = sum((weight * self.columns[name] for name, weight in weights.items()), np.zeros(1))
        return self._named(np.lexsort((-self.newest, -np.broadcast_to(scores, self.newest.shape))))

    def reranked(self, first: Weights = FIRST_WEIGHTS, rest: Weights = REST_WEIGHTS) -> tuple[str, ...]:
        """Return the sessions after the second look, the shipped weights on the arms."""
        if self.reading is None:
            return self.ranked(SESSION_WEIGHTS)
        by_arms = self.by_arms
        scores = self.reading.scores(first, rest)
        order = np.argsort(-scores, kind="stable")
        return self._named(np.concatenate([by_arms[order], by_arms[len(order) :]]))

    @property
    def by_arms(self) -> npt.NDArray[np.int64]:
        """Shape `(n,)`, the places of the sessions by the shipped weights on the arms, best first."""
        scores = sum((weight * self.columns[name] for name, weight in SESSION_WEIGHTS.items()), np.zeros(1))
        return np.lexsort((-self.newest, -np.broadcast_to(scores, self.newest.shape)))

    def _named(self, order: npt.NDArray[np.int64]) -> tuple[str, ...]:
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
    found, vector = _search(agent, question, sample.question)
    arms = session_arms(found, question)
    always = session_arms(found, replace(question, about_replies=True)).columns["reply_bm25"]
    unread = session_arms(_search(agent, plain, sample.question)[0], plain).columns
    ranking = rank(found, question)
    said = read_best(agent.store, USER_ID, to_read(found, ranking))
    made = Columns(
        question_id=sample.id,
        question_type=sample.type,
        session_ids=tuple(aliases.official_sessions([name])[0] for name in arms.session_ids),
        relevant=sample.evidence_session_ids,
        newest=arms.newest,
        columns={
            **arms.columns,
            ALWAYS: always,
            **{f"{RAW}{name}": column for name, column in unread.items()},
        },
        reading=read(found, ranking, question, vector, said),
        agrees=True,
    )
    own = aliases.official_sessions(agent.recall(USER_ID, sample.question, at=asked_at).ranked_session_ids)
    return replace(made, agrees=made.reranked() == own)


def _search(agent: Agent, question: Question, text: str) -> tuple[Candidates, Vectors]:
    encode = agent.store.encoder.encode
    # As the recall node does: what is left of a question is one passage, a whole message may be several.
    whole = question.meaning == text
    vector = query_vector(encode(units("user", text))) if whole else encode([question.meaning])[0]
    return agent.store.search(USER_ID, Query(text=question.words, vector=vector)), vector
