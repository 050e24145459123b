"""How the setting `retention` acts on a turn: what is still retrieved, and what was recalled by it."""

from __future__ import annotations

from collections.abc import Mapping

from habitus.agent.state import Context
from habitus.memory.records import Access, Turn
from habitus.memory.retrieval.packing import Packed
from habitus.memory.retrieval.question import Question
from habitus.memory.retrieval.recall import Ranking
from habitus.memory.retrieval.retention import Traces, retained, topic_overlap
from habitus.memory.store import Candidates, MemoryStore

SAID_AGAIN = 0.85
"""Cosine of the message to one of the user's own sentences from which it says the same once more."""

_N_COMPARED = 500
"""How many of the best turns are read to compare their words with the question's."""


def still_held(
    ranking: Ranking,
    candidates: Candidates,
    question: Question,
    context: Context,
    turn: Turn,
) -> Ranking:
    """Return the ranking of what the retention policy still holds; under `none` nothing is read for it."""
    policy, store, user_id = context.settings.retention, context.store, turn.user_id
    if policy == "none" or not len(candidates):
        return ranking
    traces = Traces.of(
        candidates,
        store.accesses(user_id),
        overlap=_overlap(store, user_id, candidates, ranking, question) if policy == "ld_agent" else {},
        importance=_importance(store, user_id) if policy in ("generative_agents", "conditional") else {},
    )
    return retained(ranking, candidates, traces, policy, at=turn.at, unit=context.settings.retention_unit)


def _overlap(
    store: MemoryStore, user_id: str, candidates: Candidates, ranking: Ranking, question: Question
) -> Mapping[str, float]:
    ids = [candidates.turn_ids[row] for row in ranking.rows[:_N_COMPARED]]
    return {turn.id: topic_overlap(question.words, turn.text) for turn in store.turns(user_id, ids=ids)}


def _importance(store: MemoryStore, user_id: str) -> Mapping[str, float]:
    """Return by turn id how much rests on it: the firmest preference or fact that has its evidence there.

    On a reply that was corrected rests the correction.
    """
    found = {one.turn_id: 1.0 for one in store.corrections(user_id) if one.turn_id is not None}
    rested = [(p.strength, p.evidence) for p in store.preferences(user_id)]
    rested += [(f.confidence, f.evidence) for f in store.facts(user_id)]
    for weight, evidence in rested:
        for one in evidence:
            found[one.turn_id] = max(found.get(one.turn_id, 0.0), weight)
    return found


def recalled(packed: Packed, candidates: Candidates, context: Context, turn: Turn) -> tuple[Access, ...]:
    """Return what is to be stored of the memories that this turn recalls: in its prompt, or said again.

    A dormant memory is in no prompt: saying it again is how it comes back.
    """
    if context.settings.retention == "none":
        return ()
    in_prompt = {memory.turn_id for memory in packed.memories}
    again = candidates.is_user & (candidates.arms["cosine"] >= SAID_AGAIN)
    touched = [
        turn_id
        for turn_id, is_again in zip(candidates.turn_ids, again.tolist(), strict=True)
        if is_again or turn_id in in_prompt
    ]
    known = {access.turn_id: access for access in context.store.accesses(turn.user_id)} if touched else {}
    return tuple(_once_more(known.get(turn_id), turn_id, turn) for turn_id in touched)


def _once_more(before: Access | None, turn_id: str, turn: Turn) -> Access:
    if before is None:
        return Access(user_id=turn.user_id, turn_id=turn_id, at=turn.at, n=1)
    return before.model_copy(update={"at": max(before.at, turn.at), "n": before.n + 1})
