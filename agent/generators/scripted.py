"""A chat model that says what it is told to: for tests and for trying an integration."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock

from langchain_core.messages import BaseMessage
from pydantic import PrivateAttr

from habitus.agent.generators.whole import WholeReplyChat

Script = Sequence[str] | Callable[[Sequence[BaseMessage]], str]


class ScriptedChat(WholeReplyChat):
    """Replies from a list, in order and around again, or from a function of the messages.

    Every prompt is kept in `prompts`, so a test can see what the model saw.
    """

    script: Script
    _prompts: list[list[BaseMessage]] = PrivateAttr(default_factory=list)
    _lock: Lock = PrivateAttr(default_factory=Lock)

    @property
    def prompts(self) -> list[list[BaseMessage]]:
        """The messages of every call so far, oldest first."""
        return self._prompts

    @property
    def _llm_type(self) -> str:
        return "habitus-scripted"

    def reply_to(self, messages: list[BaseMessage]) -> str:
        with self._lock:
            self._prompts.append(messages)
            place = len(self._prompts) - 1
        if callable(self.script):
            return self.script(messages)
        return self.script[place % len(self.script)]
