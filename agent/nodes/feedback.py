"""Turns what the user makes of a reply into changes of what is known, or takes such changes back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from langgraph.runtime import Runtime

from habitus.agent.state import Context, State
from habitus.memory.extraction import extract
from habitus.memory.learning.feedback import FeedbackEffect, apply_feedback
from habitus.memory.learning.log import read_log
from habitus.memory.learning.undo import last_feedback, said_in, take_back
from habitus.memory.records import Feedback, Preference, Turn
from habitus.memory.store import MemoryStore

_CONTEXT_TURNS = 4


def feedback(state: State, runtime: Runtime[Context]) -> State:
    store, user_id = runtime.context.store, state["user_id"]
    taken_back = _to_take_back(state, store)
    if taken_back is not None:
        undone = taken_back.model_copy(update={"undone_at": state["at"]})
        return {"feedback": undone, "feedback_effect": _undo(state, taken_back, runtime.context)}
    given = state.get("feedback")
    if given is None:
        return {"feedback_effect": None}
    reply, request = _exchange(store, given)
    if reply is None:
        # It was forgotten meanwhile, and what is said of it with it.
        return {"feedback": None, "feedback_effect": None}
    given = given.model_copy(update={"request_id": request.id if request is not None else None})
    effect = apply_feedback(
        given,
        reply,
        request,
        log=read_log(store, user_id),
        earlier=[
            one for one in store.feedback(user_id) if one.turn_id == given.turn_id and one.undone_at is None
        ],
        stored=store.preferences(user_id),
        at=state["at"],
        edits=runtime.context.settings.edits,
    )
    return {"feedback": given.model_copy(update={"nudged": dict(effect.nudges)}), "feedback_effect": effect}


def after_feedback(state: State) -> Literal["recall", "profile"]:
    return "profile" if state["mode"] == "feedback" else "recall"


def _to_take_back(state: State, store: MemoryStore) -> Feedback | None:
    """Return the feedback to be undone: the one named, or the last where the user says “undo that”."""
    user_id, command = state["user_id"], state.get("command")
    if (named := state.get("undo")) is not None:
        return next(one for one in store.feedback(user_id) if one.id == named)
    if command is not None and command.kind == "undo":
        return last_feedback(store.feedback(user_id))
    return None


def _undo(state: State, given: Feedback, context: Context) -> FeedbackEffect:
    store, user_id = context.store, state["user_id"]
    reply, request = _exchange(store, given)
    return take_back(
        given,
        reply,
        request,
        log=read_log(store, user_id),
        stored=store.preferences(user_id),
        corrections=store.corrections(user_id),
        read_again=_reader(store, user_id),
        encoder=store.encoder,
        norms=context.norms,
        at=state["at"],
    )


def _reader(store: MemoryStore, user_id: str) -> Callable[[str], Sequence[Preference]]:
    """Return what reads the statements of a turn or a comment once more from its own words."""
    comments = {one.id: one for one in store.feedback(user_id) if one.comment is not None}

    def read(source_id: str) -> Sequence[Preference]:
        said: list[Preference] = []
        if source_id in comments:
            reply, request = _exchange(store, comments[source_id])
            said += said_in(comments[source_id], reply, request) if reply is not None else ()
        for turn in store.turns(user_id, ids=[source_id]):
            earlier = [
                one for one in store.turns(user_id, session_id=turn.session_id) if one.index < turn.index
            ]
            said += extract(turn, context=earlier[-_CONTEXT_TURNS:]).preferences
        return said

    return read


def _exchange(store: MemoryStore, given: Feedback) -> tuple[Turn | None, Turn | None]:
    """Return the reply that the feedback is about, if it is stored, and the message it answered."""
    found = store.turns(given.user_id, ids=[given.turn_id])
    if not found:
        return None, None
    [reply] = found
    before = [
        turn for turn in store.turns(given.user_id, session_id=reply.session_id) if turn.index < reply.index
    ]
    return reply, before[-1] if before and before[-1].role == "user" else None
