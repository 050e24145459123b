"""What each arm puts to its model, and what agents are told before they are asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest
from langchain_core.messages import BaseMessage

from habitus.agent import Agent, ScriptedChat
from habitus.evals.adherence.arms import SYSTEM, AgentArm, ChatArm, HabitusArm, Nearest, ask_at
from habitus.evals.adherence.options import Form
from habitus.evals.adherence.prompts import OWN_PROMPTS
from habitus.evals.adherence.samples import AdherenceSample
from habitus.evals.harness.agents import EvaluatedAgent, Parts
from habitus.memory.records import Conversation
from habitus.retrievers.encoder import HashingEncoder

Make = Callable[..., list[AdherenceSample]]


def answer(messages: Sequence[BaseMessage]) -> str:
    return f"Answer {len(messages)}."


def chat_arm(arm: str) -> tuple[ChatArm, ScriptedChat]:
    model = ScriptedChat(script=answer)
    return ChatArm(model, arm, OWN_PROMPTS, HashingEncoder), model


def said(prompt: Sequence[BaseMessage]) -> list[tuple[str, str]]:
    return [(message.type, str(message.content)) for message in prompt]


def test_zero_shot_reads_the_whole_conversation_in_order(made: Make) -> None:
    arm, model = chat_arm("zero-shot")
    sample = made(distances=(2,))[0]
    result = arm(sample)
    acknowledging, asking = map(said, model.prompts)
    assert acknowledging == [("system", SYSTEM), ("human", "I avoid noisy speedboats.")]
    assert asking[:3] == [*acknowledging, ("ai", "Answer 2.")]
    between = [text for conversation in sample.others for _, text in conversation]
    assert [text for _, text in asking[3:-1]] == between
    assert asking[-1] == ("human", "Which boat should we rent? (At most 300 words, please.)")
    assert result.reply == "Answer 8."
    assert result.usage is not None and result.usage.n_calls == 2


def test_the_models_answer_to_the_preference_is_asked_once(made: Make) -> None:
    arm, model = chat_arm("zero-shot")
    for sample in made(distances=(0, 1, 2))[:3]:
        arm(sample)
    assert len(model.prompts) == 4


def test_a_conversation_that_holds_its_answers_is_taken_as_it_is(made: Make) -> None:
    arm, model = chat_arm("zero-shot")
    arm(made(form="choice", distances=(0,))[0])
    assert len(model.prompts) == 1
    assert [kind for kind, _ in said(model.prompts[0])] == ["system", "human", "ai", "human", "ai", "human"]


@pytest.mark.parametrize(
    ("arm", "told"), [("reminder", "told you earlier"), ("chain-of-thought", "step by step")]
)
def test_the_question_carries_the_words_of_the_arm(made: Make, arm: str, told: str) -> None:
    solver, model = chat_arm(arm)
    solver(made()[0])
    question = said(model.prompts[-1])[-1][1]
    assert told in question
    assert "Which boat should we rent?" in question


def test_self_critique_answers_twice(made: Make) -> None:
    arm, model = chat_arm("self-critique")
    result = arm(made(distances=(0,))[0])
    _, first, critique, second = map(said, model.prompts)
    assert (result.first_reply, result.critique, result.reply) == ("Answer 4.", "Answer 6.", "Answer 8.")
    assert critique[: len(first)] == first
    assert critique[-1][1] == OWN_PROMPTS.critique
    assert second[-2:] == [("ai", "Answer 6."), ("human", OWN_PROMPTS.revise(first[-1][1]))]


def test_rag_repeats_the_nearest_messages_before_the_question(made: Make) -> None:
    arm, model = chat_arm("rag")
    arm(made(distances=(3,))[0])
    question = said(model.prompts[-1])[-1][1]
    assert question.count("\n- ") == 5
    assert question.endswith("Which boat should we rent? (At most 300 words, please.)")


def test_the_nearest_message_comes_first() -> None:
    messages = [("user", "rain today"), ("assistant", "a small boat to rent"), ("user", "rent a boat")]
    found = Nearest(HashingEncoder, k=2)(messages, "rent a boat")  # type: ignore[arg-type]
    assert [text for _, text in found] == ["rent a boat", "a small boat to rent"]


def test_options_stand_behind_the_question(made: Make) -> None:
    arm, model = chat_arm("zero-shot")
    sample = made(task="classification")[0]
    arm(sample)
    question = said(model.prompts[-1])[-1][1]
    assert question.startswith("Which boat should we rent?")
    assert [line for line in question.splitlines() if line[1:3] == ". "] == [
        f"{letter}. {option}" for letter, option in zip("ABCD", sample.options, strict=True)
    ]
    assert "words" not in question


def test_anybodys_agent_gets_sessions_in_order_and_is_asked_a_day_later(tmp_path: Path, made: Make) -> None:
    told: list[Conversation] = []

    class Listener:
        def ingest(self, user_id: str, sessions: Sequence[Conversation]) -> None:
            told.extend(sessions)

        def answer(self, user_id: str, question: str, at: datetime) -> str:
            return f"{question} {at:%d}"

    def listener(folder: Path, parts: Parts) -> EvaluatedAgent:
        return Listener()

    sample = made(distances=(3,))[0]
    arm = AgentArm(listener, Parts(generator=None, encoder=HashingEncoder), tmp_path, OWN_PROMPTS)
    assert arm(sample).reply == f"Which boat should we rent? {ask_at(sample):%d}"
    assert [message.text for message in told[0].messages] == ["I avoid noisy speedboats."]
    assert [one.at for one in told] == sorted(one.at for one in told)
    assert sum(len(one.messages) for one in told) == 7
    assert ask_at(sample) > told[-1].at


@pytest.mark.parametrize(("form", "n_answers"), [("explicit", 2), ("persona", 1)])
def test_habitus_hears_the_preference_in_a_turn_of_its_own(
    tmp_path: Path, made: Make, form: Form, n_answers: int
) -> None:
    model = ScriptedChat(script=["A boat."])
    known: list[str] = []

    @contextmanager
    def open_agent(folder: Path) -> Iterator[Agent]:
        with Agent.open(folder, encoder=HashingEncoder(), generator=model) as agent:
            yield agent
            known.extend(one.statement for one in agent.preferences("user"))
            known.append(str(agent.store.stats("user").n_turns))

    sample = made(form=form, distances=(3,))[0]
    result = HabitusArm(open_agent, tmp_path, OWN_PROMPTS)(sample)
    assert result.reply == "A boat."
    # Answers that the file holds are not asked of the generator.
    assert len(model.prompts) == n_answers
    assert any("speedboats" in statement for statement in known)
    n_told = 2 if form == "explicit" else len(sample.told)
    assert known[-1] == str(n_told + 6 + 2)
