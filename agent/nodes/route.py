"""Decides what the turn is."""

from __future__ import annotations

from typing import Literal

from langgraph.runtime import Runtime

from habitus.agent.offering import answer_to
from habitus.agent.routing import find_command, find_routes
from habitus.agent.state import Context, State
from habitus.memory.learning.implicit import implicit_feedback
from habitus.memory.records import Turn

Next = Literal["feedback", "extract", "command", "recall"]


def route(state: State, runtime: Runtime[Context]) -> State:
    if state["mode"] == "feedback":
        return {"routes": frozenset({"feedback"})}
    turn, reply = state["turn"], state.get("previous_reply")
    command = find_command(turn.text)
    answer = answer_to(reply, turn.text)
    if answer is not None:
        return {"routes": frozenset({"command"}), "command": answer, "feedback": None}
    feedback = None
    if reply is not None and (command is None or command.kind != "undo"):
        asked = _answered(reply, runtime.context) if command is None and _asks(turn.text) else None
        feedback = implicit_feedback(turn, reply, request=asked, encoder=runtime.context.store.encoder)
    routes = find_routes(turn.text, command=command, is_feedback=feedback is not None)
    return {"routes": routes, "command": command, "feedback": feedback}


def _asks(text: str) -> bool:
    routes = find_routes(text, command=None, is_feedback=False)
    return not routes.isdisjoint(("extraction", "abstraction", "generalization"))


def _answered(reply: Turn, context: Context) -> Turn | None:
    """Return the question or request that a reply answered."""
    held = context.session.turns
    if not any(turn.index < reply.index for turn in held):
        held = context.store.turns(reply.user_id, session_id=reply.session_id)
    before = [turn for turn in held if turn.index < reply.index]
    is_asked = bool(before) and before[-1].role == "user" and _asks(before[-1].text)
    return before[-1] if is_asked else None


def after_route(state: State) -> list[Next]:
    """Send the turn to every node that has work in it; a mere look-up goes straight to recall."""
    if state["mode"] == "recall":
        return ["recall"]
    if state["mode"] == "prepare" and state["routes"] == {"command"}:
        # Commands act; what is only prepared must not.
        return ["recall"]
    if state["mode"] == "feedback":
        return ["feedback"]
    routes, command = state["routes"], state.get("command")
    chosen: list[Next] = []
    if "feedback" in routes or (command is not None and command.kind == "undo"):
        chosen.append("feedback")
    if "command" in routes and state["mode"] != "prepare":
        chosen.append("command")
    if routes - {"command"} or not chosen:
        chosen.append("extract")
    return chosen
