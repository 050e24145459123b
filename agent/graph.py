"""The state machine of a turn.

    input ──> route ──┬─> feedback ──┐
                      ├─> extract ───┼─> recall ─> profile ─> respond ─> commit ─> reply
                      └─> command ───┘

A mere look-up ends after recall, a prompt for somebody else's generator after respond; feedback given
outside the conversation goes route, feedback, profile, commit.
"""

from __future__ import annotations

from time import perf_counter
from typing import Any, Protocol

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime

from habitus.agent.nodes.command import command
from habitus.agent.nodes.commit import commit
from habitus.agent.nodes.extract import extract
from habitus.agent.nodes.feedback import after_feedback, feedback
from habitus.agent.nodes.profile import after_profile, profile
from habitus.agent.nodes.recall import after_recall, recall
from habitus.agent.nodes.respond import after_respond, respond
from habitus.agent.nodes.route import after_route, route
from habitus.agent.state import Context, State


class Node(Protocol):
    """A step of the turn: reads the state, returns what it adds."""

    __name__: str

    def __call__(self, state: State, runtime: Runtime[Context]) -> State: ...


Graph = CompiledStateGraph[State, Context, State, State]

NODES: tuple[Node, ...] = (route, feedback, extract, command, recall, profile, respond, commit)


def _timed(node: Node) -> Node:
    name = node.__name__

    def timed(state: State, runtime: Runtime[Context]) -> State:
        start = perf_counter()
        with runtime.context.span(f"habitus.node.{name}"):
            update = node(state, runtime)
        return {**update, "timings_ms": {name: (perf_counter() - start) * 1e3}}

    timed.__name__ = name
    return timed


def build_graph(checkpointer: Any = None) -> Graph:
    """Compile the graph. It needs a `Context` at each call: `graph.invoke(state, context=...)`.

    Args:
        checkpointer: a LangGraph checkpointer, for use inside a larger graph; an `Agent` needs none.
    """
    builder = StateGraph(State, context_schema=Context)
    for node in NODES:
        builder.add_node(node.__name__, _timed(node))
    builder.add_edge(START, "route")
    builder.add_conditional_edges("route", after_route, ["feedback", "extract", "command", "recall"])
    builder.add_conditional_edges("feedback", after_feedback, ["recall", "profile"])
    builder.add_edge("extract", "recall")
    builder.add_edge("command", "recall")
    builder.add_conditional_edges("recall", after_recall, ["profile", END])
    builder.add_conditional_edges("profile", after_profile, ["respond", "commit"])
    builder.add_conditional_edges("respond", after_respond, ["commit", END])
    builder.add_edge("commit", END)
    return builder.compile(checkpointer=checkpointer)
