from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import BaseMessage

from habitus.agent import Agent, ScriptedChat, Settings
from habitus.agent.prompting.prompt import PromptParts, parse
from habitus.retrievers.encoder import HashingEncoder

MONDAY = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)

Opened = Callable[..., Agent]


@pytest.fixture
def opened(tmp_path: Path, request: pytest.FixtureRequest) -> Opened:
    """Open an agent with a memory of its own, under a preset or (None) the defaults."""
    number = count()

    def opening(name: str | None, **parts: Any) -> Agent:
        settings = Settings.preset(name) if name else Settings()
        if settings.extraction == settings.profile == "rules":
            parts.pop("extractor", None)
        agent = Agent.open(
            tmp_path / f"data{next(number)}",
            **{"encoder": HashingEncoder(), "generator": ScriptedChat(script=["Fine."]), **parts},
            settings=settings,
        )
        request.addfinalizer(agent.close)
        return agent

    return opening


@pytest.fixture
def prompted() -> Callable[..., PromptParts]:
    """Read the prompt that a message would get, by section."""

    def prompt(agent: Agent, text: str, at: datetime = MONDAY) -> PromptParts:
        return parse(agent.prepare("maya", text, at=at).messages)

    return prompt


@pytest.fixture
def reader() -> Callable[..., ScriptedChat]:
    """Script a model that reads: it finds nothing in messages, in edits one answer after the other, and words
    a profile as it is told."""

    def make(*edits: tuple[str, str], profile: str = "") -> ScriptedChat:
        left = iter(edits)

        def reply(messages: Sequence[BaseMessage]) -> str:
            asked = str(messages[-1].content)
            if "<before>" in asked:
                statement, quote = next(left)
                found = [{"statement": statement, "quote": quote, "about": "form"}]
                return json.dumps({"preferences": found, "known": []})
            if "<records>" in asked:
                return json.dumps({"sentences": [{"text": profile, "records": ["r1", "r2", "r3"]}]})
            return json.dumps({"preferences": [], "facts": []})

        return ScriptedChat(script=reply)

    return make
