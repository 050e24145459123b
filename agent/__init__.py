"""The agent: a LangGraph state machine that knows its user.

From Python:

    from habitus.agent import Agent

    with Agent.open("my-data") as agent:
        reply = agent.chat("maya", "I can't stand crowded places. What could I do on Sunday?")
        print(reply.text)
        print(reply.why())
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from habitus.retrievers.exports import lazy_exports

if TYPE_CHECKING:
    from habitus.agent.agent import Agent
    from habitus.agent.errors import AgentError, ClosedError, GeneratorError, PromptTooLongError
    from habitus.agent.generators.extractive import ExtractiveChat
    from habitus.agent.generators.scripted import ScriptedChat
    from habitus.agent.generators.transformers.chat import TransformersChat
    from habitus.agent.graph import build_graph
    from habitus.agent.reply import Reply
    from habitus.agent.settings import Settings
    from habitus.agent.state import Context, Recall, State
    from habitus.agent.upkeep.metering import ModelUsage
    from habitus.memory.records import Conversation, Message
    from habitus.memory.usage import Price

__all__ = [
    "Agent",
    "AgentError",
    "ClosedError",
    "Context",
    "Conversation",
    "ExtractiveChat",
    "GeneratorError",
    "Message",
    "ModelUsage",
    "Price",
    "PromptTooLongError",
    "Recall",
    "Reply",
    "ScriptedChat",
    "Settings",
    "State",
    "TransformersChat",
    "build_graph",
]

_HOMES = {
    "habitus.agent.agent": ("Agent",),
    "habitus.agent.errors": (
        "AgentError",
        "ClosedError",
        "GeneratorError",
        "PromptTooLongError",
    ),
    "habitus.agent.generators.extractive": ("ExtractiveChat",),
    "habitus.agent.generators.scripted": ("ScriptedChat",),
    "habitus.agent.generators.transformers.chat": ("TransformersChat",),
    "habitus.agent.graph": ("build_graph",),
    "habitus.agent.upkeep.metering": ("ModelUsage",),
    "habitus.agent.reply": ("Reply",),
    "habitus.agent.settings": ("Settings",),
    "habitus.agent.state": (
        "Context",
        "Recall",
        "State",
    ),
    "habitus.memory.records": (
        "Conversation",
        "Message",
    ),
    "habitus.memory.usage": ("Price",),
}
__getattr__, __dir__ = lazy_exports(__name__, _HOMES)
