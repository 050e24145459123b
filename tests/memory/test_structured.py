from collections.abc import Sequence
from concurrent.futures import Future
from threading import Event
from typing import Any

import pytest
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import BaseModel

from habitus.agent import ScriptedChat
from habitus.memory.errors import ChatModelError
from habitus.memory.structured import MAX_OBJECTS, StructuredChat, read
from habitus.memory.usage import Usage


class Point(BaseModel):
    x: int
    name: str = ""


def asked(*answers: str) -> tuple[StructuredChat, ScriptedChat]:
    model = ScriptedChat(script=answers)
    return StructuredChat(model), model


@pytest.mark.parametrize(
    "text",
    [
        '{"x": 3}',
        '```json\n{"x": 3}\n```',
        'Sure! Here it is:\n```\n{"x": 3}\n```\nAnything else?',
        '<think>maybe {"x": 1}? or {"y": 2} no</think>\n{"x": 3}',
        '{"x": "3", "unasked": [1, 2]}',
        'so { is a brace, and {"x": 3} the answer }',
        '{"x": 3, "name": "two\nlines"}',
    ],
)
def test_an_object_is_found_whatever_stands_around_it(text: str) -> None:
    value, _ = read(text, Point)
    assert value is not None
    assert value.x == 3


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "no JSON object"),
        ("I cannot help with that.", "no JSON object"),
        ("[1, 2]", "no JSON object"),
        ('{"x": 3', "no JSON object"),
        ('{"x": "three"}', "x: Input should be a valid integer"),
        ('{"name": "a"}', "x: Field required"),
        ("{" * 5_000, "no JSON object"),
        ('{"x":' * 5_000, "no JSON object"),
    ],
)
def test_what_is_wrong_is_said_in_words(text: str, problem: str) -> None:
    value, said = read(text, Point)
    assert value is None
    assert problem in said


def test_no_more_objects_are_tried_than_the_bound() -> None:
    value, _ = read("{" * MAX_OBJECTS + '{"x": 3}', Point)
    assert value is None
    value, _ = read("{" * (MAX_OBJECTS - 1) + '{"x": 3}', Point)
    assert value is not None


def test_a_wrong_answer_is_mended_once_with_what_was_wrong() -> None:
    chat, model = asked('{"x": "three"}', '{"x": 3}')
    answer = chat.ask("Give x.", "the data", Point)
    assert answer.value == Point(x=3)
    assert answer.repaired
    assert answer.usage.n_calls == len(model.prompts) == 2
    again = str(model.prompts[1][-1].content)
    assert "the data" in again
    assert '{"x": "three"}' in again
    assert "x: Input should be a valid integer" in again
    assert [message.type for message in model.prompts[1]] == ["system", "human"]


def test_twice_wrong_is_no_answer() -> None:
    chat, model = asked("", "I'd rather not.", '{"x": 3}')
    answer = chat.ask("Give x.", "the data", Point)
    assert answer.value is None
    assert not answer.repaired
    assert len(model.prompts) == 2


def test_tokens_are_counted_where_the_provider_does_not_tell() -> None:
    chat, _ = asked('{"x": 3}')
    usage = chat.ask("one two", "three", Point).usage
    assert usage == Usage(n_calls=1, input_tokens=3, output_tokens=7, n_estimated=1)


class Metered(BaseChatModel):
    """A provider that tells how many tokens it used; fails from the second call on."""

    seen: list[Sequence[BaseMessage]] = []

    @property
    def _llm_type(self) -> str:
        return "metered"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        self.seen.append(messages)
        if len(self.seen) > 1:
            raise ConnectionError("the words of the user: I love figs")
        told = {"input_tokens": 40, "output_tokens": 2, "total_tokens": 42}
        message = AIMessage("what?", usage_metadata=told)
        return ChatResult(generations=[ChatGeneration(message=message)])


def test_a_failing_provider_is_named_without_its_words_and_with_what_was_used() -> None:
    with pytest.raises(ChatModelError, match=r"^Metered failed: ConnectionError$") as caught:
        StructuredChat(Metered()).ask("Give x.", "the data", Point)
    assert caught.value.usage == Usage(n_calls=1, input_tokens=40, output_tokens=2)


def hanging(go_on: Event) -> ScriptedChat:
    def wait(messages: Sequence[BaseMessage]) -> str:
        go_on.wait(30)
        return '{"x": 3}'

    return ScriptedChat(script=wait)


def test_a_call_that_takes_too_long_is_given_up() -> None:
    go_on = Event()
    chat = StructuredChat(hanging(go_on), timeout_seconds=0.05)
    with pytest.raises(ChatModelError, match="took too long"):
        chat.ask("Give x.", "the data", Point)
    go_on.set()


def test_a_call_can_be_given_up_from_outside() -> None:
    go_on, stopped = Event(), Future[None]()
    stopped.set_result(None)
    with pytest.raises(ChatModelError, match="given up"):
        StructuredChat(hanging(go_on), timeout_seconds=None).ask("Give x.", "", Point, stopped=stopped)
    go_on.set()


def test_a_conversation_is_put_as_it_is() -> None:
    model = ScriptedChat(script=["Fine."])
    said = [HumanMessage("Tea?"), AIMessage("Yes."), HumanMessage("Green?")]
    text, usage = StructuredChat(model).converse(said)
    assert (text, usage.n_calls, usage.n_estimated) == ("Fine.", 1, 1)
    assert [message.content for message in model.prompts[0]] == ["Tea?", "Yes.", "Green?"]
