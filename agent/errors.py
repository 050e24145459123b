"""What can go wrong in an agent. Each class is also the builtin a caller would expect.

AgentError
├── GeneratorError (RuntimeError)   the chat model failed; the turn was not stored, try again
└── ClosedError (RuntimeError)      the agent was closed
"""

from __future__ import annotations


class AgentError(Exception):
    """Base of the errors raised by `habitus.agent`."""


class GeneratorError(AgentError, RuntimeError):
    """The chat model failed; nothing of the turn was stored, it can be sent again."""

    def __init__(self, generator: object, cause: Exception) -> None:
        super().__init__(
            f"{type(generator).__name__} failed: {cause}. "
            "Nothing of this turn was stored; it can be sent again."
        )


class ClosedError(AgentError, RuntimeError):
    """The agent was closed; open it again."""
