"""The dial of a turn also rules what ranks, checks and exemplifies a reply, not its prompt alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from habitus.agent import Agent
from habitus.agent.generators.scripted import ScriptedChat
from habitus.agent.settings import Settings
from habitus.retrievers.encoder import HashingEncoder

MONDAY = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)
DAY = timedelta(days=1)
LONG = "The museum of the harbour is open until late, and its cafe looks over the whole of the old port. " * 4


def opened(folder: Path, settings: Settings, script: list[str]) -> tuple[Agent, ScriptedChat]:
    chat = ScriptedChat(script=script)
    return Agent.open(folder, encoder=HashingEncoder(), generator=chat, settings=settings), chat


def test_at_strength_nought_best_of_n_makes_the_plain_reply_alone(tmp_path: Path) -> None:
    settings = Settings(decoding="best-of-n", n_candidates=3)
    agent, chat = opened(tmp_path, settings, [LONG])
    with agent:
        agent.chat("maya", "Please keep your answers short.", at=MONDAY, strength=0.0)
        asked = len(chat.prompts)
        agent.chat("maya", "What is there to see?", at=MONDAY + DAY, strength=0.0)
        assert len(chat.prompts) - asked == 1
        agent.chat("maya", "What is there to see?", at=MONDAY + 2 * DAY)
        assert len(chat.prompts) - asked == 1 + 3, "and at full strength n of them"


def test_at_strength_nought_nothing_known_of_the_user_revises_the_reply(tmp_path: Path) -> None:
    agent, chat = opened(tmp_path, Settings(self_check=True), ["Order the shellfish platter."])
    with agent:
        agent.chat("maya", "I'm allergic to shellfish.", at=MONDAY, strength=0.0)
        asked = len(chat.prompts)
        reply = agent.chat("maya", "Is a shellfish platter a good dinner?", at=MONDAY + DAY, strength=0.0)
        assert (reply.text, len(chat.prompts) - asked) == ("Order the shellfish platter.", 1)
        agent.chat("maya", "Is a shellfish platter a good dinner?", at=MONDAY + 2 * DAY)
        assert len(chat.prompts) - asked == 1 + 2, "at full strength it is revised"


@pytest.mark.parametrize(("strength", "shown"), [(1.0, True), (0.5, False)])
def test_below_full_strength_examples_of_distant_requests_go(
    tmp_path: Path, strength: float, shown: bool
) -> None:
    agent, _ = opened(tmp_path, Settings(), ["Try the lighthouse at noon."])
    with agent:
        reply = agent.chat("maya", "What is there to see in Porto on a rainy Sunday?", at=MONDAY)
        agent.feedback("maya", reply.turn_id, rating=1.0, at=MONDAY)
        near = "What is there to see in Porto on a rainy Sunday?"
        far = "Which shoes shall I wear in Porto on a Monday in spring?"
        assert examples(agent, near, strength)
        assert examples(agent, far, strength) is shown


def test_below_full_strength_the_profile_tells_only_what_counts(tmp_path: Path) -> None:
    agent, _ = opened(tmp_path, Settings(), ["Fine."])
    with agent:
        agent.chat("maya", "I'm allergic to shellfish. I work as a nurse.", at=MONDAY)
        agent.chat("maya", "I kind of like jazz.", at=MONDAY + timedelta(minutes=1))
        agent.settle()

        def profile(strength: float) -> str:
            asked = agent.prepare("maya", "What shall I do tonight?", at=MONDAY + DAY, strength=strength)
            prompt = "".join(str(message.content) for message in asked.messages)
            return prompt.partition("<profile>")[2].partition("</profile>")[0]

        assert "jazz" in profile(1.0)
        narrow = profile(0.3)
        assert "jazz" not in narrow
        assert "Likes" not in narrow
        assert "shellfish" in narrow, "constraints count at every strength"
        assert "nurse" in narrow, "and what is a fact"


def examples(agent: Agent, asked: str, strength: float) -> bool:
    prompt = agent.prepare("maya", asked, at=MONDAY + DAY, strength=strength)
    return "<examples>" in "".join(str(message.content) for message in prompt.messages)


@pytest.mark.parametrize("strength", [0.0, 0.3])
def test_only_preferences_that_entered_the_prompt_are_named(tmp_path: Path, strength: float) -> None:
    agent, chat = opened(tmp_path, Settings(), ["It is open until nine."])
    with agent:
        agent.chat("maya", "I slightly prefer quiet museums.", at=MONDAY)
        reply = agent.chat("maya", "Which quiet museums are open?", at=MONDAY + DAY, strength=strength)
        assert reply.applied == ()
        assert "I kept in mind" not in reply.why()
        assert "prefer:" not in str(chat.prompts[-1])
        ready = agent.prepare("maya", "Which quiet museums are open?", at=MONDAY + DAY, strength=strength)
        assert ready.applied == ()
        reply = agent.chat("maya", "Which quiet museums are open?", at=MONDAY + DAY)
        assert [one.preference.target for one in reply.applied] == ["quiet museums"]


def test_at_strength_nought_no_memory_is_said_to_have_been_looked_at(tmp_path: Path) -> None:
    agent, _ = opened(tmp_path, Settings(), ["It is open until nine."])
    with agent:
        agent.chat("maya", "My sister runs a quiet museum in Ghent.", at=MONDAY)
        asked = "Where does my sister run a museum?"
        assert agent.chat("maya", asked, at=MONDAY + 2 * DAY).memories
        assert agent.chat("maya", asked, at=MONDAY + 4 * DAY, strength=0.0).memories == ()


def test_preferences_cut_from_the_prompt_are_not_named(tmp_path: Path) -> None:
    agent, chat = opened(tmp_path, Settings(preference_tokens=14), ["It is open until nine."])
    with agent:
        agent.chat("maya", "I never visit crowded museums. I prefer quiet museums with a garden.", at=MONDAY)
        reply = agent.chat("maya", "Which museums with a garden are quiet?", at=MONDAY + DAY)
        shown = [one.preference.statement for one in reply.applied]
        assert shown == ["I never visit crowded museums."]
        assert "prefer:" not in str(chat.prompts[-1])
        assert reply.cut


def test_a_command_applies_no_preference(tmp_path: Path) -> None:
    agent, _ = opened(tmp_path, Settings(), ["It is open until nine."])
    with agent:
        agent.chat("maya", "I prefer quiet museums.", at=MONDAY)
        assert agent.chat("maya", "What do you know about me?", at=MONDAY + DAY).applied == ()
