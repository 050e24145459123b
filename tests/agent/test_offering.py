"""A question back on what is to be deleted, and the answer to it in the next message."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from habitus.agent import Agent, Reply, ScriptedChat
from habitus.agent.offering import answer_to, meta_of, question_of
from habitus.memory.records import Turn
from habitus.retrievers.encoder import HashingEncoder

MONDAY = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ASKS = "Forget that my van is a Ford Transit."


def reply_with(*offered: str) -> Turn:
    return Turn(
        user_id="u", session_id="s", index=1, role="assistant", text="?", at=MONDAY, meta=meta_of(offered)
    )


def said(*offered: str, text: str) -> tuple[str, tuple[str, ...]] | None:
    answer = answer_to(reply_with(*offered), text)
    return (answer.kind, answer.said) if answer is not None else None


@pytest.mark.parametrize(
    "text",
    ["yes", "Yes, please.", "yep", "yeah, delete it", "Right.", "That's the one!", "ok, go ahead", "do it"],
)
def test_yes_to_the_one_that_was_offered(text: str) -> None:
    assert said("A.", text=text) == ("forget", ("A.",))


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("the second", ("B.",)),
        ("Yes, the second one please", ("B.",)),
        ("2", ("B.",)),
        ("number 3", ("C.",)),
        ("the first of those", ("A.",)),
        ("the last one", ("C.",)),
        ("all of them", ("A.", "B.", "C.")),
    ],
)
def test_one_of_several_is_named_by_its_place(text: str, meant: tuple[str, ...]) -> None:
    assert said("A.", "B.", "C.", text=text) == ("forget", meant)


@pytest.mark.parametrize("text", ["no", "No, thanks.", "nope", "none of them", "never mind", "don't"])
def test_no_keeps_everything(text: str) -> None:
    assert said("A.", "B.", text=text) == ("keep", ())


@pytest.mark.parametrize(
    "text",
    [
        "Yes, and what's the weather?",
        "What did I say?",
        "I said yes to the job.",
        "the fourth",
        "the second law",
        "4",
    ],
)
def test_whatever_else_is_said_is_no_yes(text: str) -> None:
    assert said("A.", "B.", "C.", text=text) is None


def test_a_bare_yes_chooses_none_of_several() -> None:
    assert said("A.", "B.", text="yes") is None


def test_without_an_offer_yes_is_a_message_like_any_other() -> None:
    assert said(text="yes") is None
    assert answer_to(None, "yes") is None


def test_of_several_each_is_shown_with_its_number() -> None:
    assert question_of(["A.", "B."]).endswith("1. “A.”\n2. “B.”")


@pytest.fixture
def asked(tmp_path: Path) -> Agent:
    chat = ScriptedChat(script=["A script."])
    agent = Agent.open(tmp_path / "data", encoder=HashingEncoder(), generator=chat)
    agent.chat("maya", "My van is a Renault Master.", at=MONDAY)
    agent.chat("maya", "My father drives a Volvo.", at=MONDAY + MINUTE)
    reply = agent.chat("maya", ASKS, at=MONDAY + 2 * MINUTE)
    assert reply.outcome is not None
    assert reply.outcome.offered == ("My van is a Renault Master.",)
    assert "Renault" in agent.export("maya").model_dump_json(), "nothing is deleted before the yes"
    return agent


def test_yes_deletes_what_was_offered_and_nothing_else(asked: Agent) -> None:
    with asked as agent:
        reply = agent.chat("maya", "Yes, please.", at=MONDAY + 3 * MINUTE)
        assert reply.text.startswith("Forgotten: ")
        left = agent.export("maya").model_dump_json()
        assert "Renault" not in left
        assert "Volvo" in left


@pytest.mark.parametrize("sentence", ['I drive a "blue" Volvo van.', "I drive a van, C:\\cars\\volvo."])
def test_nothing_of_what_was_offered_stays_however_it_is_spelt(tmp_path: Path, sentence: str) -> None:
    with Agent.open(
        tmp_path, encoder=HashingEncoder(), generator=ScriptedChat(script=["A script."])
    ) as agent:
        agent.chat("maya", sentence, at=MONDAY)
        offered = agent.chat("maya", ASKS, at=MONDAY + MINUTE).outcome
        assert offered is not None
        assert offered.offered == (sentence,)
        agent.chat("maya", "yes", at=MONDAY + 2 * MINUTE)
        assert "olvo" not in agent.export("maya").model_dump_json()


def test_no_deletes_nothing_and_the_offer_is_over(asked: Agent) -> None:
    with asked as agent:
        assert agent.chat("maya", "no", at=MONDAY + 3 * MINUTE).text == "I deleted nothing."
        assert agent.chat("maya", "yes", at=MONDAY + 4 * MINUTE).text == "A script."
        assert "Renault" in agent.export("maya").model_dump_json()


def test_anything_else_means_no_and_is_answered(asked: Agent) -> None:
    with asked as agent:
        assert agent.chat("maya", "Is it raining?", at=MONDAY + 3 * MINUTE).text == "A script."
        assert agent.chat("maya", "yes", at=MONDAY + 4 * MINUTE).text == "A script."
        assert "Renault" in agent.export("maya").model_dump_json()


def test_the_offer_does_not_outlast_the_session(asked: Agent) -> None:
    with asked as agent:
        agent.chat("maya", "yes", at=MONDAY + timedelta(days=2))
        assert "Renault" in agent.export("maya").model_dump_json()


def test_the_offer_is_the_users_own(asked: Agent) -> None:
    with asked as agent:
        agent.chat("noor", "yes", at=MONDAY + 3 * MINUTE)
        assert "Renault" in agent.export("maya").model_dump_json()


def test_the_offer_holds_after_a_restart(asked: Agent, tmp_path: Path) -> None:
    asked.close()
    chat = ScriptedChat(script=["A script."])
    with Agent.open(tmp_path / "data", encoder=HashingEncoder(), generator=chat) as agent:
        agent.chat("maya", "yes", at=MONDAY + 3 * MINUTE)
        assert "Renault" not in agent.export("maya").model_dump_json()


def test_a_stream_does_it_too(asked: Agent) -> None:
    with asked as agent:
        *pieces, reply = agent.stream("maya", "yes", at=MONDAY + 3 * MINUTE)
        assert isinstance(reply, Reply)
        assert "".join(map(str, pieces)).strip() == reply.text
        assert "Renault" not in agent.export("maya").model_dump_json()


def test_to_prepare_an_answer_deletes_nothing(asked: Agent) -> None:
    with asked as agent:
        assert agent.prepare("maya", "yes", at=MONDAY + 3 * MINUTE).is_command
        assert "Renault" in agent.export("maya").model_dump_json()
