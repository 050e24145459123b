"""Turns what the user makes of a reply into changes of preferences."""

from __future__ import annotations

from typing import Literal

from langgraph.runtime import Runtime

from habitus.agent.state import Context, State
from habitus.memory.feedback import apply_feedback
from habitus.memory.records import Feedback, Turn
from habitus.memory.store import MemoryStore


def feedback(state: State, runtime: Runtime[Context]) -> State:
    given = state.get("feedback")
    if given is None:
        return {"feedback_effect": None}
    store, user_id = runtime.context.store, state["user_id"]
    reply, request = _exchange(store, given)
    stored = store.preferences(user_id)
    return {"feedback_effect": apply_feedback(given, reply, request, stored=stored, at=state["at"])}


def after_feedback(state: State) -> Literal["recall", "profile"]:
    return "profile" if state["mode"] == "feedback" else "recall"


def _exchange(store: MemoryStore, given: Feedback) -> tuple[Turn, Turn | None]:
    """Return the reply that the feedback is about, and the message it answered."""
    [reply] = store.turns(given.user_id, ids=[given.turn_id])
    before = [
        turn for turn in store.turns(given.user_id, session_id=reply.session_id) if turn.index < reply.index
    ]
    return reply, before[-1] if before and before[-1].role == "user" else None
