"""Searches what was said before, in this session and in all earlier ones, and packs the evidence."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from itertools import chain, islice
from typing import Literal

import numpy as np
from langgraph.runtime import Runtime

from habitus.agent.prompting.leaning import leaning
from habitus.agent.state import Context, Recall, State
from habitus.agent.upkeep.retaining import recalled, still_held
from habitus.memory.index.products import dots
from habitus.memory.index.units import units
from habitus.memory.retrieval.packing import is_longer, limit, pack
from habitus.memory.retrieval.question import Question, read_question
from habitus.memory.retrieval.recall import Memory, Ranking, instant, without
from habitus.memory.retrieval.searching import Found, search_memory
from habitus.memory.retrieval.shortterm import ShortTermMemory
from habitus.memory.store import Candidates, MemoryStore
from habitus.retrievers.encoder import Vectors

_TOKENS_PER_LINE = 16
"""A packed line is seldom shorter: so many of the best turns are read as might fit the budget."""

_N_FOCUSED = 60
"""How many of the best turns are cut by meaning, not by words alone, where they are long."""


def query_vector(vectors: Vectors) -> Vectors:
    """Return one vector of length 1 for a message of several passages: their mean direction."""
    mean = np.asarray(vectors.mean(axis=0), dtype=np.float32)
    norm = float(np.linalg.norm(mean))
    return mean / norm if norm > 0 else vectors[0]


def recall(state: State, runtime: Runtime[Context]) -> State:
    context, turn = runtime.context, state["turn"]
    question = read_question(turn.text, turn.at)
    pieces = units(turn.role, turn.text)
    asked = [] if question.meaning == turn.text else [question.meaning]
    encoded = context.store.encoder.encode([*pieces, *asked])
    vectors = encoded[: len(pieces)]
    update: State = {"vectors": vectors, "query_vector": query_vector(vectors)}
    if state["routes"] == {"command"} and state["mode"] != "recall":
        return {**update, "recall": Recall(routes=state["routes"])}

    vector = encoded[-1] if asked else update["query_vector"]
    window = {said.id for said in context.session.window(context.settings.window_tokens)}
    in_session = _earlier_in_session(context.session, question, vector, window)
    # All sessions are searched, this one too, but for what stands in the window anyway.
    found = search_memory(context.store, turn.user_id, question, vector, at=turn.at, leave_out=window)
    long_term = found.candidates
    ranking = still_held(found.ranking, long_term, question, context, turn)
    ranking = leaning(ranking, long_term, context, turn, update["query_vector"])
    budget = state.get("context_tokens", context.settings.context_tokens)
    n_read = budget // _TOKENS_PER_LINE + 1
    sure = {memory.turn_id for memory in in_session}
    ranked = _with_text(context.store, turn.user_id, found, ranking, n_read)
    # Those that come after a full budget are never made.
    remembered = (memory for memory in ranked if memory.turn_id not in sure)
    focused = list(islice(remembered, _N_FOCUSED))
    users = [memory for memory in focused if memory.role == "user"]
    marked = _marks(long_term, found.replacing, context.session)
    packed = pack(
        map(marked, chain(in_session, focused, remembered)),
        question=question,
        budget=budget,
        count_tokens=context.count_tokens,
        cosines=_unit_cosines(
            context.store,
            turn.user_id,
            found,
            users,
            vector,
            is_long=lambda memory: is_longer(
                memory.text, limit(memory, question, budget), context.count_tokens
            ),
        ),
    )
    done = Recall(routes=state["routes"], ranking=ranking, packed=packed)
    return {**update, "recall": done, "accesses": recalled(packed, long_term, context, turn)}


def after_recall(state: State) -> Literal["profile", "__end__"]:
    return "__end__" if state["mode"] == "recall" else "profile"


def _memory(candidates: Candidates, row: int, score: float, text: str) -> Memory:
    return Memory(
        turn_id=candidates.turn_ids[row],
        session_id=candidates.session_ids[row],
        role="user" if candidates.is_user[row] else "assistant",
        text=text,
        at=instant(float(candidates.at[row])),
        score=score,
        arms={name: float(scores[row]) for name, scores in candidates.arms.items()},
    )


def _marks(
    found: Candidates, replacing: Mapping[str, str], session: ShortTermMemory
) -> Callable[[Memory], Memory]:
    """Return what notes on a replaced memory when what replaces it was said, if only just now."""
    said_at = {turn.id: turn.at.timestamp() for turn in session.turns} if replacing else {}
    said_at |= {turn_id: float(found.at[row]) for turn_id, row in found.rows_of(set(replacing.values()))}
    newer = {old: instant(said_at[new]) for old, new in replacing.items() if new in said_at}
    return lambda one: replace(one, newer_at=newer[one.turn_id]) if one.turn_id in newer else one


def _with_text(store: MemoryStore, user_id: str, found: Found, ranking: Ranking, n: int) -> Iterator[Memory]:
    candidates = found.candidates
    best = [(row, candidates.turn_ids[row]) for row in ranking.rows[:n].tolist()]
    texts = {turn_id: message.text for turn_id, message in found.said.items()}
    unread = [turn_id for _, turn_id in best if turn_id not in texts]
    texts |= store.texts(user_id, unread)
    return (
        _memory(candidates, row, float(score), texts[turn_id])
        for (row, turn_id), score in zip(best, ranking.scores, strict=False)
        if turn_id in texts
    )


def _unit_cosines(
    store: MemoryStore,
    user_id: str,
    found: Found,
    memories: Sequence[Memory],
    vector: Vectors,
    *,
    is_long: Callable[[Memory], bool],
) -> dict[str, list[float]]:
    """Return how near each sentence of the user's messages comes to the question, at least of long ones."""
    vectors = {one.turn_id: found.said[one.turn_id].vectors for one in memories if one.turn_id in found.said}
    unread = [one.turn_id for one in memories if one.turn_id not in vectors and is_long(one)]
    if unread:
        vectors |= store.turn_vectors(user_id, unread)
    return {turn_id: dots(rows, vector).tolist() for turn_id, rows in vectors.items()}


def _earlier_in_session(
    session: ShortTermMemory, question: Question, vector: Vectors, window: Set[str]
) -> list[Memory]:
    """Return the few turns of this session that bear most on the message and are not in the window."""
    found = without(session.search(question.words, vector), window)
    texts = {turn.id: turn.text for turn in session.turns}
    score = found.arms["cosine"] + found.arms["bm25"] / (1.0 + found.arms["bm25"])
    best = [int(row) for row in np.argsort(-score, kind="stable") if score[row] > _IN_SESSION_FLOOR]
    return [
        _memory(found, row, float(score[row]), texts[found.turn_ids[row]]) for row in best[:_N_IN_SESSION]
    ]


_IN_SESSION_FLOOR = 0.5
_N_IN_SESSION = 3
"""So many turns of this session are sure of their place: a large user's best candidates may be of others
alone. The rest of the session is ranked among everything. When short-term memory alone brought up this
session, its six best by these scores held all evidence for .758 of LongMemEval's questions asked after 300
turns; ranked among everything .983 (n=120), with or without these three."""
