"""The profile in a chat model's words, after the reply."""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

from langchain_core.messages import BaseMessage

from habitus.agent import Agent, Conversation, Message, ScriptedChat, Settings
from habitus.memory.usage import Price
from habitus.retrievers.encoder import HashingEncoder

MONDAY = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)
LIKES = ("I love strong coffee.", "I love green tea.", "I love jazz.")


def summing_up(messages: Sequence[BaseMessage]) -> str:
    """Word every record of a section, the first one in words of its own."""
    records = re.findall(r"^(r\d+): “I love (.*)\.”$", str(messages[-1].content), re.MULTILINE)
    told = ", ".join(what for _, what in records)
    text = f"The user is fond of {told}."
    return json.dumps({"sentences": [{"text": text, "records": [number for number, _ in records]}]})


@contextmanager
def opened(folder: Path, script: object) -> Iterator[tuple[Agent, ScriptedChat]]:
    model = ScriptedChat.model_validate({"script": script})
    settings = Settings(profile="model", price=Price(input_per_million=1.0, output_per_million=1.0))
    with Agent.open(
        folder,
        encoder=HashingEncoder(),
        generator=ScriptedChat(script=["ok"]),
        extractor=model,
        settings=settings,
    ) as agent:
        yield agent, model


def test_the_profile_is_worded_after_the_reply_and_only_where_it_changed(tmp_path: Path) -> None:
    with opened(tmp_path, summing_up) as (agent, model):
        agent.chat("maya", " ".join(LIKES), at=MONDAY)
        agent.settle()
        first = agent.profile("maya")
        assert first is not None
        assert "Likes: The user is fond of" in first.text
        assert all(what in first.text for what in ("strong coffee", "green tea", "jazz"))
        assert len(model.prompts) == 1
        agent.chat("maya", "I hate crowds.", at=MONDAY)
        agent.settle()
        assert len(model.prompts) == 1
        second = agent.profile("maya")
        assert second is not None
        assert "is fond of" in second.text
        assert "crowds" in second.text
        assert agent.usage().profile.n_calls == 1
        assert agent.usage().outcomes["worded"] == 1
        assert agent.usage().cost is not None


def test_a_section_that_could_not_be_worded_is_not_asked_for_at_every_turn(tmp_path: Path) -> None:
    with opened(tmp_path, ["no json"]) as (agent, model):
        agent.chat("maya", " ".join(LIKES), at=MONDAY)
        agent.settle()
        agent.chat("maya", "I hate crowds.", at=MONDAY)
        agent.settle()
        assert len(model.prompts) == 2  # asked once, and once to mend it
        profile = agent.profile("maya")
        assert profile is not None
        assert "“I love strong coffee.”" in profile.text
        assert agent.usage().outcomes["not worded"] == 1


def test_a_provider_that_fails_leaves_the_rules_words_and_is_asked_at_the_next_change(tmp_path: Path) -> None:
    failures = iter([ConnectionError("down")])

    def shaky(messages: Sequence[BaseMessage]) -> str:
        for error in failures:
            raise error
        return summing_up(messages)

    with opened(tmp_path, shaky) as (agent, _):
        agent.chat("maya", " ".join(LIKES), at=MONDAY)
        agent.settle()
        assert "is fond of" not in str(agent.profile("maya"))
        assert agent.usage().outcomes == {"failed": 1}
        agent.chat("maya", "I hate crowds.", at=MONDAY)
        agent.settle()
        assert "is fond of" in str(agent.profile("maya"))


def test_what_is_forgotten_while_it_is_worded_does_not_come_back(tmp_path: Path) -> None:
    asked, go_on = Event(), Event()

    def wait(messages: Sequence[BaseMessage]) -> str:
        asked.set()
        go_on.wait(30)
        return summing_up(messages)

    with opened(tmp_path, wait) as (agent, _):
        agent.chat("maya", " ".join(LIKES), at=MONDAY)
        asked.wait(30)
        [jazz] = [p for p in agent.preferences("maya") if p.target == "jazz"]
        agent.forget("maya", preference_ids=[jazz.id])
        go_on.set()
        agent.settle()
        profile = agent.profile("maya")
        assert profile is not None
        assert "jazz" not in profile.text
        assert "green tea" in profile.text


def test_forgetting_a_record_takes_the_words_made_from_it(tmp_path: Path) -> None:
    with opened(tmp_path, summing_up) as (agent, _):
        agent.chat("maya", " ".join(LIKES), at=MONDAY)
        agent.settle()
        [jazz] = [p for p in agent.preferences("maya") if p.target == "jazz"]
        agent.forget("maya", preference_ids=[jazz.id])
        stored = agent.store.profile("maya")
        assert stored is not None
        assert "jazz" not in stored.text
        assert "green tea" in str(agent.profile("maya"))


def test_closing_does_not_wait_for_the_model(tmp_path: Path) -> None:
    asked, never = Event(), Event()

    def hang(messages: Sequence[BaseMessage]) -> str:
        asked.set()
        never.wait(60)
        return ""

    with opened(tmp_path, hang) as (agent, _):
        agent.chat("maya", " ".join(LIKES), at=MONDAY)
        asked.wait(30)
    assert not never.is_set()
    never.set()


def test_conversations_brought_in_are_worded_too(tmp_path: Path) -> None:
    said = Conversation(id="old", at=MONDAY, messages=(Message(role="user", text=" ".join(LIKES)),))
    with opened(tmp_path, summing_up) as (agent, _):
        agent.ingest("maya", [said])
        agent.settle()
        assert "is fond of" in str(agent.store.profile("maya"))
