"""Agents to compare with: what each tells its model, and that every arm can be found."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from langchain_core.messages import BaseMessage

from habitus.agent.generators.scripted import ScriptedChat
from habitus.agent.settings import Settings
from habitus.evals.adapters.arms import ARMS, WITHOUT, check_without
from habitus.evals.adapters.habitus import HabitusAgent, habitus, habitus_with, without
from habitus.evals.adapters.history import HistoryChat, full_history
from habitus.evals.adapters.peers import langmem_verbatim, mem0_verbatim
from habitus.evals.harness.agents import Answer, Parts, load_agent
from habitus.evals.running import UsageError
from habitus.memory.records import Conversation, Message
from habitus.retrievers.encoder import HashingEncoder

ASKED = datetime(2024, 5, 9, 12, tzinfo=UTC)


def session(day: int, *texts: str) -> Conversation:
    messages = tuple(
        Message(role="assistant" if n % 2 else "user", text=text) for n, text in enumerate(texts)
    )
    return Conversation(id=f"s{day}", at=datetime(2024, 5, day, 9, tzinfo=UTC), messages=messages)


SESSIONS = [session(2, "My violin teacher is called Ines.", "Nice."), session(5, "I bought pears.", "Enjoy!")]


def parts_with(chat: ScriptedChat, **more: object) -> Parts:
    return Parts(generator=lambda: chat, encoder=lambda: HashingEncoder(64), **more)  # type: ignore[arg-type]


def prompt(chat: ScriptedChat) -> str:
    return "\n".join(str(one.content) for one in chat.prompts[-1])


@pytest.mark.parametrize("name", sorted(ARMS))
def test_every_arm_has_a_factory(name: str) -> None:
    assert callable(ARMS[name].load())


def test_a_preset_is_an_agent(tmp_path: Path) -> None:
    agent = load_agent("preset:fermi")(tmp_path, parts_with(ScriptedChat(script=["Ines"])))
    assert isinstance(agent, HabitusAgent)
    with closing(agent):
        assert agent.agent.settings.contrasts
    with pytest.raises(UsageError, match="there is no preset 'fermy'; did you mean 'fermi'"):
        load_agent("preset:fermy")


def test_a_history_is_told_in_order_with_its_dates_and_the_instructions() -> None:
    chat = ScriptedChat(script=["Ines"])
    agent = HistoryChat(parts_with(chat, instructions="Be brief."), 10_000)
    agent.ingest("ann", SESSIONS[::-1])
    assert agent.answer("ann", "Who teaches me?", ASKED) == Answer(text="Ines")
    told = prompt(chat)
    assert (
        told.index("Thursday, 02 May 2024")
        < told.index("violin")
        < told.index("05 May")
        < told.index("pears")
    )
    assert "Be brief." in told
    assert told.endswith("It is Thursday, 09 May 2024, 12:00.\n\nWho teaches me?")


@pytest.mark.parametrize(
    ("tokens", "kept", "there"),
    [
        (10_000, None, ["violin", "Nice.", "pears", "Enjoy!"]),
        (46, 3, ["Nice.", "pears", "Enjoy!"]),
        (1, 0, []),
    ],
)
def test_whole_messages_are_left_out_the_oldest_first(
    tokens: int, kept: int | None, there: list[str]
) -> None:
    chat = ScriptedChat(script=["?"])
    agent = HistoryChat(parts_with(chat), tokens)
    agent.ingest("ann", SESSIONS)
    cut = agent.answer("ann", "Who?", ASKED).cut
    assert [(one.part, one.kept, one.of) for one in cut] == ([] if kept is None else [("history", kept, 4)])
    assert [word for word in ("violin", "Nice.", "pears", "Enjoy!") if word in prompt(chat)] == there


def test_the_window_is_the_models_own_if_it_tells(tmp_path: Path) -> None:
    told = ScriptedChat(script=["?"], profile={"max_input_tokens": 5_000})
    agent = full_history(tmp_path, parts_with(told))
    agent.ingest("ann", SESSIONS)
    assert agent.answer("ann", "Who?", ASKED).cut == ()
    with pytest.raises(UsageError, match="give --generator-window"):
        full_history(tmp_path, parts_with(ScriptedChat(script=["?"])))


def test_habitus_answers_from_its_memory(tmp_path: Path) -> None:
    chat = ScriptedChat(script=["Ines"])
    agent = habitus(tmp_path, parts_with(chat, instructions="Be brief."))
    agent.ingest("ann", SESSIONS)
    assert agent.answer("ann", "What is my violin teacher called?", ASKED).text == "Ines"
    agent.close()
    assert "My violin teacher is called Ines." in prompt(chat)
    assert "Be brief." in prompt(chat)


def test_habitus_without_a_generator_quotes(tmp_path: Path) -> None:
    agent = habitus(tmp_path, Parts(generator=None, encoder=lambda: HashingEncoder(64)))
    agent.ingest("ann", SESSIONS)
    assert "Ines" in agent.answer("ann", "What is my violin teacher called?", ASKED).text
    agent.close()


SAID = [session(2, "I love ginger. I am vegetarian. I work as a nurse in Lisbon.", "Noted.")]
LOST = {
    "evidence": "I love ginger. I am vegetarian",
    "preferences": "<preferences>",
    "persona": "<persona>",
    "profile": "<profile>",
}


@pytest.mark.parametrize("part", sorted(LOST))
def test_leaving_a_part_out_takes_it_out_of_the_prompt(tmp_path: Path, part: str) -> None:
    seen = []
    for name in ("whole", "part"):
        chat = ScriptedChat(script=["Well."])
        settings = Settings() if name == "whole" else without(Settings(), [part])
        (tmp_path / name).mkdir()
        agent: HabitusAgent = habitus_with(settings)(tmp_path / name, parts_with(chat))
        agent.ingest("ann", SAID)
        agent.answer("ann", "What could I cook with ginger tonight?", ASKED)
        agent.close()
        seen.append(prompt(chat))
    assert LOST[part] in seen[0]
    assert LOST[part] not in seen[1]


def test_parts_that_there_are_not_are_refused() -> None:
    check_without(WITHOUT)
    with pytest.raises(UsageError, match="there is no part 'soul'"):
        check_without(["soul"])


@pytest.mark.parametrize(
    ("module", "factory", "package"),
    [("mem0", mem0_verbatim, "mem0ai"), ("langmem", langmem_verbatim, "langmem")],
)
def test_a_peer_that_is_not_installed_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, module: str, factory: object, package: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    assert callable(factory)
    with pytest.raises(UsageError, match=f"pip install {package}"):
        factory(tmp_path, parts_with(ScriptedChat(script=["?"])))


@pytest.mark.parametrize(("module", "name"), [("mem0", "mem0-verbatim"), ("langmem", "langmem-verbatim")])
def test_a_peer_that_is_installed_finds_what_was_said(tmp_path: Path, module: str, name: str) -> None:
    pytest.importorskip(module, reason=f"{module} is not installed")

    def answered(messages: Sequence[BaseMessage]) -> str:
        return "Ines" if "violin teacher is called Ines" in str(messages[-1].content) else "?"

    agent = ARMS[name].load()(tmp_path, parts_with(ScriptedChat(script=answered)))
    agent.ingest("ann", SESSIONS)
    answer = agent.answer("ann", "What is my violin teacher called?", ASKED)
    assert isinstance(answer, Answer)
    assert answer.text == "Ines"
    if (close := getattr(agent, "close", None)) is not None:
        close()
