"""A chat model that streams at a steady pace and tells when it began."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult


class PacedChat(BaseChatModel):
    """Says the instant of its first piece, then word after word, `pause` seconds apart."""

    n_pieces: int = 20
    pause: float = 0.05

    @property
    def _llm_type(self) -> str:
        return "habitus-paced"

    def _generate(self, messages: list[BaseMessage], *rest: Any, **more: Any) -> ChatResult:
        text = "".join(str(chunk.message.content) for chunk in self._stream(messages))
        return ChatResult(generations=[ChatGeneration(message=AIMessage(text))])

    def _stream(self, messages: list[BaseMessage], *rest: Any, **more: Any) -> Iterator[ChatGenerationChunk]:
        yield ChatGenerationChunk(message=AIMessageChunk(content=f"{time.monotonic():.6f} "))
        for _ in range(self.n_pieces - 1):
            time.sleep(self.pause)
            yield ChatGenerationChunk(message=AIMessageChunk(content="word "))

    async def _astream(
        self, messages: list[BaseMessage], *rest: Any, **more: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        yield ChatGenerationChunk(message=AIMessageChunk(content=f"{time.monotonic():.6f} "))
        for _ in range(self.n_pieces - 1):
            await asyncio.sleep(self.pause)
            yield ChatGenerationChunk(message=AIMessageChunk(content="word "))
