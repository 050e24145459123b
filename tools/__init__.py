"""What a model or another program may call: tools, middleware, and a store for LangGraph programs.

In a LangChain agent:

    from habitus.tools import memory_tools

    create_agent(model, tools=memory_tools(agent, "maya"))
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from habitus.retrievers.exports import lazy_exports

if TYPE_CHECKING:
    from habitus.tools.access import PersonalMemory, UserMissingError
    from habitus.tools.langchain_tools import memory_tools
    from habitus.tools.langgraph_store import HabitusStore
    from habitus.tools.middleware import HabitusMiddleware

_HOMES = {
    "habitus.tools.access": ("PersonalMemory", "UserMissingError"),
    "habitus.tools.langgraph_store": ("HabitusStore",),
    "habitus.tools.langchain_tools": ("memory_tools",),
    "habitus.tools.middleware": ("HabitusMiddleware",),
}

__all__ = [
    "HabitusMiddleware",
    "HabitusStore",
    "PersonalMemory",
    "UserMissingError",
    "memory_tools",
]

__getattr__, __dir__ = lazy_exports(__name__, _HOMES)
