"""A chat model that says what it is told to: for tests and for trying an integration."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from threading import Lock
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import PrivateAttr

from habitus.memory.tokens import estimate_tokens

_PIECE = re.compile(r"\s*\S+|\s+$")

Script = Sequence[str] | Callable[[Sequence[BaseMessage]], str]


def word_pieces(text: str) -> list[str]:
    """Cut a text into words with the blanks before them; joined they are the text."""
    return _PIECE.findall(text)


class ScriptedChat(BaseChatModel):
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

    def get_num_tokens(self, text: str) -> int:
        return estimate_tokens(text)

    def _next(self, messages: list[BaseMessage]) -> str:
        with self._lock:
            self._prompts.append(messages)
            if callable(self.script):
                return self.script(messages)
            return self.script[(len(self._prompts) - 1) % len(self.script)]

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=AIMessage(self._next(messages)))])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        for piece in word_pieces(self._next(messages)):
            chunk = ChatGenerationChunk(message=AIMessageChunk(content=piece))
            if run_manager:
                run_manager.on_llm_new_token(piece, chunk=chunk)
            yield chunk
