"""The agent: a LangGraph state machine that knows its user.

    from habitus.agent import Agent

    with Agent.open("my-data") as agent:
        reply = agent.chat("maya", "I can't stand crowded places. What could I do on Sunday?")
        print(reply.text)
        print(reply.why())

Names are loaded when first used, so importing this package is cheap.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from habitus.agent.agent import Agent
    from habitus.agent.errors import AgentError, ClosedError, GeneratorError
    from habitus.agent.generators.extractive import ExtractiveChat
    from habitus.agent.generators.scripted import ScriptedChat
    from habitus.agent.graph import build_graph
    from habitus.agent.reply import Reply
    from habitus.agent.settings import Settings
    from habitus.agent.state import Context, Recall, State
    from habitus.memory.records import Conversation, Message

__all__ = [
    "Agent",
    "AgentError",
    "ClosedError",
    "Context",
    "Conversation",
    "ExtractiveChat",
    "GeneratorError",
    "Message",
    "Recall",
    "Reply",
    "ScriptedChat",
    "Settings",
    "State",
    "build_graph",
]

_HOMES = {
    "Agent": "habitus.agent.agent",
    "AgentError": "habitus.agent.errors",
    "ClosedError": "habitus.agent.errors",
    "Context": "habitus.agent.state",
    "Conversation": "habitus.memory.records",
    "ExtractiveChat": "habitus.agent.generators.extractive",
    "GeneratorError": "habitus.agent.errors",
    "Message": "habitus.memory.records",
    "Recall": "habitus.agent.state",
    "Reply": "habitus.agent.reply",
    "ScriptedChat": "habitus.agent.generators.scripted",
    "Settings": "habitus.agent.settings",
    "State": "habitus.agent.state",
    "build_graph": "habitus.agent.graph",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
