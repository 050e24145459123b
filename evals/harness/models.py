"""Chat models as benchmarks use them: named on the command line, patient with servers, and metered.

What a server does wrong is first the business of its client: time limits, and up to `retries` further
tries after 408, 409, 429 (as its `Retry-After` says), 5xx and a connection that broke. What remains is an
exception.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock
from typing import TYPE_CHECKING, Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, LLMResult
from langchain_core.tracers.context import register_configure_hook

from habitus.evals.harness.options import ModelOptions
from habitus.evals.running import UsageError
from habitus.memory.tokens import estimate_tokens
from habitus.memory.usage import Usage

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

JUDGE_KEY = "HABITUS_JUDGE_KEY"
"""Environment variable with the key for a judge given by URL; a generator's is HABITUS_GENERATOR_KEY."""


def chat_model(name: str, options: ModelOptions, key_variable: str | None = None) -> BaseChatModel:
    """Make a chat model of a name, see `habitus.agent.generators.naming.generator_named`.

    Args:
        name: such as `openai:gpt-4.1` or `http://127.0.0.1:8000/v1#MODEL`.
        options: how it is called.
        key_variable: environment variable with the key for a server given by URL, if not the generator's.

    Raises:
        UsageError: no model can be made of it; says why.
    """
    from habitus.agent.generators.naming import GeneratorNameError, generator_named

    given: dict[str, Any] = {} if options.temperature is None else {"temperature": options.temperature}
    if not name.startswith("transformers:"):
        given |= {"timeout": options.timeout_seconds, "max_retries": options.retries}
    if name.startswith(("http://", "https://")):
        given["stream_usage"] = True
    try:
        return generator_named(name, os.environ.get(key_variable) if key_variable else None, **given)
    except GeneratorNameError as error:
        raise UsageError(str(error)) from error


class Meter(BaseCallbackHandler):
    """Counts the calls of LangChain chat models and their tokens; safe to use from several threads."""

    def __init__(self) -> None:
        self._usage = Usage()
        self._asked: dict[UUID, int] = {}
        self._lock = Lock()

    @property
    def usage(self) -> Usage:
        """Of the calls that came back so far."""
        return self._usage

    def on_chat_model_start(
        self, serialized: dict[str, Any], messages: list[list[BaseMessage]], *, run_id: UUID, **kwargs: Any
    ) -> None:
        with self._lock:
            self._asked[run_id] = sum(estimate_tokens(str(one.text)) for prompt in messages for one in prompt)

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **kwargs: Any) -> None:
        made = response.generations[0][0]
        told = _told(made)
        with self._lock:
            asked = self._asked.pop(run_id, 0)
            self._usage = self._usage + (
                Usage(n_calls=1, input_tokens=told["input_tokens"], output_tokens=told["output_tokens"])
                if told
                else Usage(
                    n_calls=1, input_tokens=asked, output_tokens=estimate_tokens(made.text), n_estimated=1
                )
            )

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        with self._lock:
            self._asked.pop(run_id, None)


def _told(made: object) -> UsageMetadata | None:
    """Return the tokens that the provider counted, if it did."""
    message = made.message if isinstance(made, ChatGeneration) else None
    return message.usage_metadata if isinstance(message, AIMessage) else None


_METER: ContextVar[Meter | None] = ContextVar("habitus_eval_meter", default=None)
# LangChain gives the handler in this variable every call made in its context, also in threads that copy it.
register_configure_hook(_METER, inheritable=True)


@contextmanager
def metered() -> Iterator[Meter]:
    """Count the calls of LangChain chat models made inside, and by what it starts."""
    meter = Meter()
    token = _METER.set(meter)
    try:
        yield meter
    finally:
        _METER.reset(token)
