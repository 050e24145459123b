"""Writes the turn: once this returned, a crash loses nothing."""

from __future__ import annotations

from langgraph.runtime import Runtime

from habitus.agent.asking import as_asked
from habitus.agent.nodes.command import FORGOTTEN_REQUEST
from habitus.agent.offering import meta_of
from habitus.agent.state import Context, State
from habitus.memory.index.units import units
from habitus.memory.masking import mask
from habitus.memory.records import Turn
from habitus.retrievers.encoder import Vectors


def commit(state: State, runtime: Runtime[Context]) -> State:
    context, changes = runtime.context, state["standing"].changes
    if state["mode"] == "feedback":
        unread = _feedback_to_be_read(state, context)
        context.store.commit(state["user_id"], changes.model_copy(update={"unread": unread}))
        return {}
    turn, vectors = _kept(state, context)
    reply = Turn(
        user_id=turn.user_id,
        session_id=turn.session_id,
        index=turn.index + 1,
        role="assistant",
        text=mask(state["reply_text"], context.settings.masking).text,
        at=turn.at,
        meta=meta_of(outcome.offered) if (outcome := state.get("outcome")) is not None else {},
    )
    by_turn = {turn.id: vectors, reply.id: context.store.encoder.encode(units(reply.role, reply.text))}
    question = state["standing"].question
    asked = (as_asked(question, reply),) if question is not None else ()
    written = {
        "turns": (turn, reply),
        "accesses": state.get("accesses", ()),
        "questions": (*changes.questions, *asked),
        "unread": (turn.id,) if _is_to_be_read(state, context) else (),
    }
    context.store.commit(turn.user_id, changes.model_copy(update=written), vectors=by_turn)
    for said in (turn, reply):
        context.session.add(said, by_turn[said.id])
    return {"reply_turn": reply, "questions": asked}


def _feedback_to_be_read(state: State, context: Context) -> tuple[str, ...]:
    """Return the reply whose edit or comment a chat model is to read later."""
    given = state.get("feedback")
    if context.settings.extraction == "rules" or given is None or given.undone_at is not None:
        return ()
    return (given.turn_id,) if given.edit is not None or given.comment is not None else ()


def _is_to_be_read(state: State, context: Context) -> bool:
    """Tell whether a chat model is to read the message later."""
    outcome = state.get("outcome")
    is_secret = outcome is not None and outcome.kind in ("forget", "forget_all")
    is_told = "extraction" in state and not is_secret
    return context.settings.extraction != "rules" and is_told and state.get("reading") is None


def _kept(state: State, context: Context) -> tuple[Turn, Vectors]:
    """Return the user's message as it is stored: verbatim, unless it names what is to be forgotten."""
    outcome = state.get("outcome")
    if outcome is None or outcome.kind not in ("forget", "forget_all"):
        return state["turn"], state["vectors"]
    turn = state["turn"].model_copy(update={"text": FORGOTTEN_REQUEST})
    return turn, context.store.encoder.encode([FORGOTTEN_REQUEST])
