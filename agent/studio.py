"""The agent as LangGraph's own dev server and Studio open it; `langgraph.json` names `graph`.

`langgraph dev` in the root of the repository serves it. Whose memory is used is `user_id` in the run's
`configurable`, by default `me`; a thread is a conversation.
"""

from __future__ import annotations

import atexit
from functools import cache
from typing import Any

from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.graph import END, START, MessagesState, StateGraph

from habitus.agent.agent import Agent
from habitus.agent.configuration import load


@cache
def _agent() -> Agent:
    """Open the agent once for all runs: one process owns its folder."""
    opened = Agent.open(key=load().encryption_key())
    atexit.register(opened.close)
    return opened


def graph() -> Any:
    """Return a graph over messages, of one step: a turn of the agent on its default data folder."""
    builder = StateGraph(MessagesState)
    builder.add_node("turn", turn)
    builder.add_edge(START, "turn")
    builder.add_edge("turn", END)
    return builder.compile()


def turn(state: MessagesState, config: RunnableConfig) -> dict[str, list[AIMessage]]:
    """Answer the last message of the user, and remember it.

    Raises:
        ValueError: the last message is not the user's.
    """
    last = state["messages"][-1] if state["messages"] else None
    if not isinstance(last, HumanMessage):
        raise ValueError("the last message must be the user's")
    configurable = config.get("configurable", {})
    reply = _agent().chat(
        configurable.get("user_id", "me"), last.text, session_id=configurable.get("thread_id")
    )
    return {"messages": [AIMessage(reply.text, id=reply.turn_id, response_metadata={"why": reply.why()})]}
