"""A local model as a LangChain chat model; concurrent calls share one batch."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from queue import SimpleQueue
from threading import Lock
from typing import TYPE_CHECKING, Any, ClassVar, Self

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.chat_models import agenerate_from_stream, generate_from_stream
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from pydantic import Field, PrivateAttr

from habitus.agent.errors import CancelledError, ClosedError
from habitus.agent.generators.capabilities import Capability

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from habitus.agent.generators.transformers.encoding import Encoded
    from habitus.agent.generators.transformers.hosted import Hosted
    from habitus.agent.generators.transformers.loading import Loaded
    from habitus.agent.generators.transformers.turn import GeneratedTurn, Piece

_log = logging.getLogger(__name__)


class TransformersChat(BaseChatModel):
    """Any causal model of transformers with a chat template, in this process.

    Concurrent calls, from threads or from an event loop, are generated in one batch. The model is loaded
    at the first call or by `load`; one instance holds one copy of it, and one thread that runs it.

    A call may set `max_tokens`, `temperature`, `top_p`, `top_k`, `seed` and `user_id` as keywords, and
    `stop` as usual. What is read of a user's prompt is kept for their next turn if the call says who
    they are.

    Attributes:
        model: a folder, or an id on the Hugging Face hub.
        device: by default a GPU if there is one, else the CPU.
        dtype: by default bfloat16 on a GPU and float32 on the CPU.
        max_tokens: of a reply.
        temperature: 0 is greedy.
        top_p: see `Sampling`.
        top_k: see `Sampling`.
        seed: of every call; None draws anew.
        stop: strings that end a reply.
        template_options: handed to the chat template, such as `{"enable_thinking": False}`.
        max_batch: turns generated together, at most.
        queue_size: turns that may wait.
        queue_timeout: seconds after which a turn that finds no place in the queue is refused.
        prefill_tokens: prompt tokens read between two tokens of running replies.
        prefix_bytes: of what is kept of users' prompts; by default 10 % of the device's free memory, on
            the CPU 256 MiB.
        cache_bytes: of the keys and values of the running batch; by default 70 % of the device's free
            memory once the model is loaded, on the CPU 2 GiB.
    """

    model: str = Field(min_length=1)
    device: str | None = None
    dtype: str | None = None
    max_tokens: int = Field(default=512, ge=1)
    temperature: float = Field(default=0.0, ge=0.0)
    top_p: float = Field(default=1.0, gt=0.0, le=1.0)
    top_k: int = Field(default=0, ge=0)
    seed: int | None = None
    stop: list[str] = Field(default_factory=list)
    template_options: dict[str, Any] = Field(default_factory=dict)
    max_batch: int = Field(default=32, ge=1)
    queue_size: int = Field(default=256, ge=1)
    queue_timeout: float = Field(default=60.0, ge=0.0)
    prefill_tokens: int = Field(default=2_048, ge=1)
    prefix_bytes: int | None = Field(default=None, ge=0)
    cache_bytes: int | None = Field(default=None, ge=1)

    capabilities: ClassVar[frozenset[Capability]] = frozenset({"logits", "sampling", "prefixes"})

    _hosted: Hosted | None = PrivateAttr(default=None)
    _lock: Lock = PrivateAttr(default_factory=Lock)
    _closed: bool = PrivateAttr(default=False)

    @classmethod
    def of(cls, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, **settings: Any) -> Self:
        """Take a model that is loaded already, such as a quantised one or one with adapters.

        Args:
            model: as transformers loads it.
            tokenizer: the model's own, with a chat template.
            settings: any of the attributes but `model` and `device`.

        Raises:
            ModelLoadError: it has no chat template or cannot be batched.
        """
        from habitus.agent.generators.transformers.loading import Loaded

        name = model.name_or_path or type(model).__name__
        made = cls(model=name, device=str(model.device), **settings)
        made._start(Loaded.of(name, model, tokenizer))
        return made

    def load(self) -> Self:
        """Load the model now rather than at the first call.

        Raises:
            ModelLoadError: it is missing, gated, has no chat template or cannot be batched.
        """
        self.hosted  # noqa: B018
        return self

    @property
    def hosted(self) -> Hosted:
        """The loaded model with its engine."""
        from habitus.agent.generators.transformers.loading import load

        with self._lock:
            if self._closed:
                raise ClosedError("the generator was closed; make another")
            if self._hosted is None:
                return self._start(load(self.model, device=self.device, dtype=self.dtype))
            return self._hosted

    def _start(self, loaded: Loaded) -> Hosted:
        from habitus.agent.generators.transformers.hosted import Hosted

        self._hosted = hosted = Hosted.of(loaded, self)
        room = loaded.window - self.max_tokens
        self.profile = {
            "max_input_tokens": room,
            "max_output_tokens": self.max_tokens,
            **(self.profile or {}),
        }
        return hosted

    def forget_user(self, user_id: str) -> None:
        """Drop what is kept of a user's prompts."""
        if self._hosted is not None:
            self._hosted.engine.prefixes.forget(user_id)

    def close(self) -> None:
        """End the engine; turns that have not ended fail. May be called twice."""
        with self._lock:
            hosted, self._hosted, self._closed = self._hosted, None, True
        if hosted is not None:
            hosted.engine.close()

    @property
    def _llm_type(self) -> str:
        return "habitus-transformers"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model": self.model, "temperature": self.temperature, "max_tokens": self.max_tokens}

    def get_token_ids(self, text: str) -> list[int]:
        return self.hosted.token_ids(text)

    # -- LangChain's four ways in

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        hosted = self.hosted
        items: SimpleQueue[Piece | Exception] = SimpleQueue()
        turn, encoded = hosted.turn(messages, items.put, stop=stop, **kwargs)
        try:
            hosted.engine.submit(turn, self.queue_timeout)
            while (piece := _checked(items.get())).finish is None:
                if piece.text:
                    chunk = _chunk(piece.text)
                    if run_manager:
                        run_manager.on_llm_new_token(piece.text, chunk=chunk)
                    yield chunk
            yield self._last(piece, turn, encoded)
        finally:
            # Whoever leaves early, by an error or by closing the iterator, frees the place in the batch.
            hosted.engine.cancel(turn)

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        loop = asyncio.get_running_loop()
        items: asyncio.Queue[Piece | Exception] = asyncio.Queue()

        def put(item: Piece | Exception) -> None:
            loop.call_soon_threadsafe(items.put_nowait, item)

        hosted = await asyncio.to_thread(lambda: self.hosted)
        turn, encoded = await asyncio.to_thread(hosted.turn, messages, put, stop=stop, **kwargs)
        try:
            await hosted.engine.asubmit(turn, self.queue_timeout)
            while (piece := _checked(await items.get())).finish is None:
                if piece.text:
                    chunk = _chunk(piece.text)
                    if run_manager:
                        await run_manager.on_llm_new_token(piece.text, chunk=chunk)
                    yield chunk
            yield self._last(piece, turn, encoded)
        finally:
            hosted.engine.cancel(turn)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return generate_from_stream(self._stream(messages, stop, run_manager, **kwargs))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return await agenerate_from_stream(self._astream(messages, stop, run_manager, **kwargs))

    def _last(self, piece: Piece, turn: GeneratedTurn, encoded: Encoded) -> ChatGenerationChunk:
        """Return the last chunk: the rest of the text, why it ended, and what it took."""
        n_read = len(encoded.tokens)
        usage = UsageMetadata(
            input_tokens=n_read,
            output_tokens=turn.n_generated,
            total_tokens=n_read + turn.n_generated,
            input_token_details={"cache_read": turn.n_reused},
        )
        about: dict[str, Any] = {"finish_reason": piece.finish, "model_name": self.model}
        if encoded.n_cut_memories or encoded.n_cut_messages:
            about["cut"] = {"memories": encoded.n_cut_memories, "messages": encoded.n_cut_messages}
            _log.warning(
                "the model's window was too small: %d dated memories and %d messages were left out",
                encoded.n_cut_memories,
                encoded.n_cut_messages,
            )
        message = AIMessageChunk(
            content=piece.text, response_metadata=about, usage_metadata=usage, chunk_position="last"
        )
        return ChatGenerationChunk(message=message, generation_info={"finish_reason": piece.finish})


def _checked(item: Piece | Exception) -> Piece:
    if isinstance(item, Exception):
        raise item
    if item.finish == "cancelled":
        raise CancelledError("the turn was cancelled before its reply was complete")
    return item


def _chunk(text: str) -> ChatGenerationChunk:
    return ChatGenerationChunk(message=AIMessageChunk(content=text))
