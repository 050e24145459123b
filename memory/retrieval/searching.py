"""The whole way from a question to ranked memories: search, first ranking, second look, what was replaced.

This is what the agent's recall does; whoever else looks something up (a LangGraph store, a comparison with
other systems) calls it too, so that there is one ranking and not several.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from habitus.memory.retrieval.question import Question
from habitus.memory.retrieval.recall import Ranking, instant, known_at, rank, session_arms, without
from habitus.memory.retrieval.reranking import SESSIONS_READ, Said, rerank, to_read
from habitus.memory.retrieval.updates import Statement, glance, newer_first, replaced, restated, superseded
from habitus.memory.store import Candidates, MemoryStore, Query
from habitus.retrievers.encoder import Vectors


@dataclass(frozen=True, kw_only=True)
class Found:
    """What memory holds on a question.

    Attributes:
        candidates: the turns that were scored.
        ranking: of these.
        said: by turn id, the messages that were read for the second look.
        replacing: by the id of each message whose statement was replaced, that of the one which replaces it.
    """

    candidates: Candidates
    ranking: Ranking
    said: Mapping[str, Said]
    replacing: Mapping[str, str]


def search_memory(
    store: MemoryStore,
    user_id: str,
    question: Question,
    vector: Vectors,
    *,
    at: datetime,
    limit: int = Query.limit,
    leave_out: Collection[str] = (),
) -> Found:
    """Rank the user's messages by how they answer a question.

    Args:
        store: where they are.
        user_id: whose.
        question: as `read_question` read it.
        vector: of its meaning, shape `(dim,)`, length 1.
        at: when it is asked; what was said later is not known to it.
        limit: how many candidates are wanted at least from each arm, where there are so many.
        leave_out: ids of turns that are not wanted, such as those that stand in the prompt anyway.
    """
    query = Query(text=question.words, vector=vector, limit=limit + len(leave_out))
    candidates = known_at(without(store.search(user_id, query), leave_out), at)
    arms = session_arms(candidates, question)
    # The second look ranks all turns anew; before it, only what it reads has to be in order.
    ranking = rank(candidates, question, arms=arms, n_sessions=SESSIONS_READ)
    said = read_best(store, user_id, to_read(candidates, ranking))
    replacing = {**_superseded(store, user_id), **replaced(_statements(candidates, said))}
    ranking = rerank(candidates, ranking, question, vector, said, arms=arms)
    ranking = newer_first(ranking, restated(ranking, candidates, said, vector))
    return Found(
        candidates=candidates, ranking=newer_first(ranking, replacing), said=said, replacing=replacing
    )


def read_best(store: MemoryStore, user_id: str, turn_ids: Sequence[str]) -> dict[str, Said]:
    """Return messages with their vectors, by turn id; one that was deleted meanwhile is left out."""
    vectors = store.turn_vectors(user_id, turn_ids)
    return {
        turn_id: Said(text=text, vectors=vectors[turn_id])
        for turn_id, text in store.texts(user_id, turn_ids).items()
        if turn_id in vectors
    }


def _superseded(store: MemoryStore, user_id: str) -> dict[str, str]:
    found: dict[str, str] = {}
    # Most users have few superseded records or none; then the others need not be read.
    if store.preferences(user_id, status="superseded"):
        found |= superseded(store.preferences(user_id))
    if store.facts(user_id, status="superseded"):
        found |= superseded(store.facts(user_id))
    return found


def _statements(candidates: Candidates, said: Mapping[str, Said]) -> list[Statement]:
    """Return the statements that may replace one another."""
    found: list[Statement] = []
    for turn_id, row in candidates.rows_of(said):
        message = said[turn_id]
        states = [(place, text) for place, text in message.statements if glance(text).is_state]
        if states:
            at = instant(float(candidates.at[row]))
            found += [
                Statement(turn_id=turn_id, at=at, text=text, vector=message.vectors[place])
                for place, text in states
            ]
    return found
