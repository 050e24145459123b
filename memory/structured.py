"""Asking a chat model for data of a given shape: JSON, checked against a schema, repaired once.

Works with any LangChain chat model: nothing is asked of the provider but text, because small local
models have neither tool calls nor a JSON mode. What comes back is searched for a JSON object, as such
models put fences, thoughts and remarks around it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextvars import copy_context
from dataclasses import dataclass
from threading import Thread
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from habitus.memory.errors import ChatModelError
from habitus.memory.tokens import CountTokens, estimate_tokens
from habitus.memory.usage import Usage

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessage, BaseMessage

Shape = TypeVar("Shape", bound=BaseModel)

MAX_ANSWER_CHARS = 100_000
MAX_OBJECTS = 64
"""How many opening braces of an answer are tried: bounded work on whatever comes back."""
_MAX_PROBLEMS = 6
_MAX_SHOWN_CHARS = 6_000

_REPAIR = (
    "Your answer to this could not be used.\n\n<answer>\n{answer}\n</answer>\n\n"
    "What is wrong with it: {problem}\n"
    "Give the corrected answer: one JSON object of the shape described above, and nothing else."
)


@dataclass(frozen=True, kw_only=True)
class Answer(Generic[Shape]):
    """What came of asking.

    Attributes:
        value: the data; None if the answer did not have the shape, not even when it was asked to mend it.
        repaired: whether it took the second call.
        usage: of all calls.
    """

    value: Shape | None
    repaired: bool
    usage: Usage


class StructuredChat:
    """Asks a chat model for data.

    Args:
        model: any LangChain chat model.
        timeout_seconds: a call that takes longer is given up, even where the provider would wait on; None
            waits for ever.
        tracing: whether LangSmith may trace the calls when its own environment variables ask for it.
        count_tokens: counts where the provider does not tell.
    """

    def __init__(
        self,
        model: BaseChatModel,
        *,
        timeout_seconds: float | None = 60.0,
        tracing: bool = False,
        count_tokens: CountTokens = estimate_tokens,
    ) -> None:
        self._model = model
        self._timeout = timeout_seconds
        self._tracing = tracing
        self._count_tokens = count_tokens

    def ask(
        self, instructions: str, data: str, shape: type[Shape], *, stopped: Future[None] | None = None
    ) -> Answer[Shape]:
        """Ask, and if the answer does not have the shape, once more with what is wrong with it.

        Args:
            instructions: the system message; describes the shape.
            data: the user message.
            shape: what the answer is checked against.
            stopped: when this is done, the call is given up.

        Raises:
            ChatModelError: the provider failed, took too long, or was given up; says how many tokens were
                used before.
        """
        text, usage = self._call(_prompt(instructions, data), Usage(), stopped)
        value, problem = read(text, shape)
        if value is not None:
            return Answer(value=value, repaired=False, usage=usage)
        mend = _REPAIR.format(answer=text[:_MAX_SHOWN_CHARS], problem=problem)
        text, usage = self._call(_prompt(instructions, f"{data}\n\n{mend}"), usage, stopped)
        value, _ = read(text, shape)
        return Answer(value=value, repaired=value is not None, usage=usage)

    def converse(
        self, messages: Sequence[BaseMessage], *, stopped: Future[None] | None = None
    ) -> tuple[str, Usage]:
        """Put messages as they are; return the words of the answer and what the call took.

        Raises:
            ChatModelError: the provider failed, took too long, or was given up.
        """
        return self._call(messages, Usage(), stopped)

    def _call(
        self, messages: Sequence[BaseMessage], before: Usage, stopped: Future[None] | None
    ) -> tuple[str, Usage]:
        call: Future[AIMessage] = Future()
        # A thread of its own, that nothing waits for: a provider that hangs must not hang the agent.
        context = copy_context()
        Thread(target=context.run, args=(self._invoke, list(messages), call), daemon=True).start()
        waited: list[Future[Any]] = [call] if stopped is None else [call, stopped]
        wait(waited, self._timeout, return_when=FIRST_COMPLETED)
        if not call.done():
            why = "it was given up" if stopped is not None and stopped.done() else "it took too long"
            raise ChatModelError(self._model, why, before)
        error = call.exception()
        if error is not None:
            raise ChatModelError(self._model, type(error).__name__, before) from error
        reply = call.result()
        text = str(reply.text)[:MAX_ANSWER_CHARS]
        asked = "\n".join(str(message.text) for message in messages)
        return text, before + self._usage(reply, asked, text)

    def _invoke(self, messages: list[Any], call: Future[AIMessage]) -> None:
        from langsmith import tracing_context

        try:
            with tracing_context(enabled=None if self._tracing else False):
                call.set_result(self._model.invoke(messages))
        except BaseException as error:  # whatever it is, somebody waits for it
            call.set_exception(error)

    def _usage(self, reply: AIMessage, asked: str, answered: str) -> Usage:
        told = reply.usage_metadata
        if told is not None:
            return Usage(n_calls=1, input_tokens=told["input_tokens"], output_tokens=told["output_tokens"])
        read, written = self._count_tokens(asked), self._count_tokens(answered)
        return Usage(n_calls=1, input_tokens=read, output_tokens=written, n_estimated=1)


def _prompt(instructions: str, data: str) -> list[BaseMessage]:
    from langchain_core.messages import HumanMessage, SystemMessage

    return [SystemMessage(instructions), HumanMessage(data)]


def read(text: str, shape: type[Shape]) -> tuple[Shape | None, str]:
    """Return the data in an answer, or None and what is wrong with it, in words for the model.

    Of several JSON objects the last one that has the shape counts: models think before they answer.
    """
    value, problem = None, "it holds no JSON object"
    for found in _objects(text):
        if not _is_text(found):
            problem = "a string holds a NUL character or a lone surrogate, which is no text"
            continue
        try:
            value = shape.model_validate(found)
        except ValidationError as error:
            problem = _in_words(error)
    return value, problem


def _objects(text: str) -> Iterator[dict[str, Any]]:
    decoder = json.JSONDecoder(strict=False)
    place = text.find("{")
    for _ in range(MAX_OBJECTS):
        if place < 0:
            return
        try:
            found, end = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            end = place + 1
        else:
            yield found
        place = text.find("{", end)


def _is_text(value: Any) -> bool:
    """Tell whether all strings of a JSON value can be stored: JSON can spell what no text may hold."""
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            left += [*one.keys(), *one.values()]
        elif isinstance(one, list):
            left += one
        elif isinstance(one, str) and (
            "\x00" in one or any("\ud800" <= letter <= "\udfff" for letter in one)
        ):
            return False
    return True


def _in_words(error: ValidationError) -> str:
    problems: Sequence[Any] = error.errors(include_url=False, include_input=False)[:_MAX_PROBLEMS]
    return "; ".join(f"{'.'.join(map(str, one['loc'])) or 'the object'}: {one['msg']}" for one in problems)
