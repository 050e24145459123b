"""A chat model that has its whole reply at once: what the two without weights share."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterator
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

from habitus.memory.tokens import estimate_tokens

_PIECE = re.compile(r"\s*\S+|\s+$")


class WholeReplyChat(BaseChatModel):
    """Gives a reply as a whole, or streams it word by word; counts tokens without a tokenizer."""

    @abstractmethod
    def reply_to(self, messages: list[BaseMessage]) -> str:
        """Return the reply to a conversation, whose last one of the `messages` is the user's."""

    def get_num_tokens(self, text: str) -> int:
        return estimate_tokens(text)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=AIMessage(self.reply_to(messages)))])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        for piece in _PIECE.findall(self.reply_to(messages)):
            chunk = ChatGenerationChunk(message=AIMessageChunk(content=piece))
            if run_manager:
                run_manager.on_llm_new_token(piece, chunk=chunk)
            yield chunk
