"""What is masked reaches nothing that reads, stores or tells, whichever way it comes in; users are told."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from habitus.agent import Agent, ScriptedChat, Settings
from habitus.agent.importing.run import bring_in
from habitus.agent.server.app import create_app
from habitus.memory.masking import MASKED
from habitus.memory.records import Conversation, Message
from habitus.retrievers.encoder import HashingEncoder
from habitus.tools import HabitusStore, memory_tools

CARD = "4242 4242 4242 4242"
KEY = "ghp_" + "a1B2" * 9
SAID = f"I love noodles, my card is {CARD}, and I never eat fish."
SECRETS = (CARD, KEY, CARD.replace(" ", ""), "sw0rdfish")
ALL = Settings(masking=("cards", "keys", "passwords"))


@pytest.fixture
def model() -> ScriptedChat:
    return ScriptedChat(script=lambda messages: f"Noted. Your new key is {KEY}.")


@pytest.fixture
def masking(tmp_path: Path, model: ScriptedChat, caplog: pytest.LogCaptureFixture) -> Iterator[Agent]:
    caplog.set_level(logging.DEBUG)
    with Agent.open(tmp_path / "data", encoder=HashingEncoder(), generator=model, settings=ALL) as agent:
        yield agent


def written(folder: Path) -> list[str]:
    """Name the files that hold a secret."""
    return [
        str(path)
        for path in folder.rglob("*")
        if path.is_file()
        for content in [path.read_bytes()]
        if any(secret.encode() in content for secret in SECRETS)
    ]


def test_nothing_stored_derived_or_asked_of_a_model_holds_it(
    masking: Agent, model: ScriptedChat, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    agent = masking
    reply = agent.chat("maya", SAID)
    assert reply.masked == ("cards",)
    assert "I have masked a card number" in reply.text
    agent.chat("maya", f"My password is sw0rdfish. What is my key {KEY} for?")
    assert agent.prepare("maya", f"Is {CARD} a card?").masked == ("cards",)
    assert agent.observe("maya", f"Keep {KEY} for me.", f"I keep {KEY}.").masked == ("keys",)
    agent.feedback("maya", reply.turn_id, comment=f"Never name {CARD}.")
    agent.feedback("maya", reply.turn_id, edit=f"Your card is {CARD}.")
    agent.feedback("maya", reply.turn_id, choice=(f"It is {CARD}.", [f"It is {KEY}."]))
    agent.edit("maya", agent.preferences("maya")[0].id, statement=f"I love to pay with {CARD}.")
    said = (Message(role="user", text=f"I like {CARD}.", meta={"raw": [KEY]}),)
    agent.ingest("maya", [Conversation(at=datetime(2025, 5, 1, tzinfo=UTC), messages=said)])
    HabitusStore(agent.store).put(("maya", "cards"), "visa", {"number": CARD, "deep": [{"key": KEY}]})
    (remember,) = (tool for tool in memory_tools(agent, "maya") if tool.name == "remember")
    remember.invoke({"words": f"My other card is {CARD}."})
    agent.settle()
    agent.store.flush()
    stored = agent.export("maya").model_dump_json()
    assert MASKED["cards"] in stored and MASKED["keys"] in stored
    for told in (stored, str(model.prompts), caplog.text):
        assert not any(secret in told for secret in SECRETS)
    assert written(tmp_path) == []


def test_quotations_stand_in_the_masked_message(masking: Agent) -> None:
    masking.chat("maya", SAID)
    told = {turn.id: turn.text for turn in masking.memories("maya")}
    quotes = [(told[one.turn_id], one.quote) for p in masking.preferences("maya") for one in p.evidence]
    assert {p.stance for p in masking.preferences("maya")} >= {"like"}
    assert quotes and all(quote in text and MASKED["cards"] in text for text, quote in quotes)


def test_verbatim_where_nothing_is_to_be_masked(tmp_path: Path) -> None:
    settings = Settings(masking=())
    with Agent.open(tmp_path / "data", encoder=HashingEncoder(), settings=settings) as agent:
        reply = agent.chat("maya", SAID)
        assert reply.masked == () and "masked" not in reply.text
        assert agent.memories("maya")[0].text == SAID


def test_by_default_a_pin_is_kept_and_a_card_is_not(agent: Agent) -> None:
    agent.chat("maya", f"My PIN is 4711 and my card {CARD}.")
    assert agent.memories("maya")[0].text == f"My PIN is 4711 and my card {MASKED['cards']}."


def test_over_http_the_reply_says_so(masking: Agent) -> None:
    with TestClient(create_app(masking), base_url="http://127.0.0.1") as client:
        asked: dict[str, Any] = {"messages": [{"role": "user", "content": SAID}], "user": "maya"}
        answer = client.post("/v1/chat/completions", json=asked).json()
    assert answer["habitus"]["masked"] == ["cards"]
    assert "I have masked a card number" in answer["choices"][0]["message"]["content"]
    assert CARD not in json.dumps(answer)


def test_importers_mask_and_count(masking: Agent, tmp_path: Path) -> None:
    file = tmp_path / "talks.jsonl"
    talk = {"session": "t", "at": "2025-05-01T10:00:00Z", "role": "user", "text": SAID}
    file.write_text(json.dumps(talk) + "\n", encoding="utf-8")
    made = bring_in(masking, "maya", file)
    file.unlink()
    assert (made.n_new, made.n_masked) == (1, 1)
    assert written(tmp_path) == []


def test_the_command_line_knows_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    from habitus.agent.commands.app import app

    monkeypatch.setenv("HABITUS_SETTINGS__MASKING", '["passwords"]')
    shown = json.loads(CliRunner().invoke(app, ["config", "show", "--json"]).stdout)
    assert shown["settings"]["masking"] == ["passwords"]
    monkeypatch.setenv("HABITUS_SETTINGS__MASKING", '["everything"]')
    assert "settings.masking" in str(CliRunner().invoke(app, ["config", "show"]).exception)
