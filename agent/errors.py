"""What can go wrong in an agent. Each class is also the builtin a caller would expect.

AgentError
├── GeneratorError (RuntimeError)   the chat model failed; the turn was not stored, try again
├── PromptTooLongError (ValueError) norms and message do not fit the generator's window
├── CancelledError (RuntimeError)   the caller left before the turn was stored
├── ClosedError (RuntimeError)      the agent was closed
└── ExtraMissingError (ImportError) a package that is installed only on request
"""

from __future__ import annotations


class AgentError(Exception):
    """Base of the errors raised by `habitus.agent`."""


class GeneratorError(AgentError, RuntimeError):
    """The chat model failed; nothing of the turn was stored, it can be sent again."""

    def __init__(self, generator: object, cause: Exception) -> None:
        super().__init__(
            f"{type(generator).__name__} failed: {str(cause).rstrip('.')}. "
            "Neither message nor reply was stored; it can be sent again."
        )


class PromptTooLongError(AgentError, ValueError):
    """Norms and message alone are longer than the generator's window; nothing of the turn was stored."""

    def __init__(self, n_tokens: int, window: int) -> None:
        super().__init__(
            f"the message and the norms take {n_tokens:,} tokens, and the generator reads {window:,}; "
            "shorten the message, or use a model with a larger window (Settings.prompt_tokens)"
        )


class CancelledError(AgentError, RuntimeError):
    """The caller left while the reply was being made; nothing of the turn was stored."""


class ExtraMissingError(AgentError, ImportError):
    """A command needs packages that are installed only on request."""

    def __init__(self, extra: str, cause: ImportError) -> None:
        super().__init__(f"{cause.name} is not installed; run: pip install 'habitus[{extra}]'")


class ClosedError(AgentError, RuntimeError):
    """The agent was closed; open it again."""
