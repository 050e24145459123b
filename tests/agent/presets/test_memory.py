"""Presets on what is kept, ranked and recalled: each does something that the defaults do not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from habitus.agent import Agent, Settings
from habitus.retrievers.encoder import HashingEncoder

MONDAY = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)
DAY = timedelta(days=1)
Opened = Callable[[str | None], Agent]
WHERE = "Where is my bicycle parked?"
PARKED = "My bicycle is parked behind the library."


@pytest.fixture
def opened(tmp_path: Path, request: pytest.FixtureRequest) -> Opened:
    """Open an agent with a memory of its own, under a preset or (None) the defaults."""

    def opening(name: str | None) -> Agent:
        settings = Settings.preset(name) if name else Settings()
        agent = Agent.open(tmp_path / (name or "none"), encoder=HashingEncoder(), settings=settings)
        request.addfinalizer(agent.close)
        return agent

    return opening


def ranked(agent: Agent, question: str, at: datetime) -> list[str]:
    """Return the user's own messages that are retrieved, best first."""
    texts = {turn.id: turn.text for turn in agent.memories("maya") if turn.role == "user"}
    found = agent.recall("maya", question, at=at)
    return [texts[one] for one in found.ranked_turn_ids if one in texts]


def test_memorybank_lets_go_of_what_is_not_recalled(opened: Opened) -> None:
    found = {}
    for name in (None, "memorybank"):
        agent = opened(name)
        agent.chat("maya", PARKED, at=MONDAY)
        found[name] = PARKED in ranked(agent, WHERE, MONDAY + 4 * DAY)
    assert found == {None: True, "memorybank": False}


def test_generative_agents_puts_what_is_newer_and_weighs_more_above_what_fits_better(opened: Opened) -> None:
    allergy, stall = "I'm allergic to shellfish.", "The shellfish stall sells shellfish."
    found = {}
    for name in (None, "generative-agents"):
        agent = opened(name)
        agent.chat("maya", stall, at=MONDAY)
        agent.chat("maya", allergy, at=MONDAY + DAY)
        found[name] = ranked(agent, "shellfish stall", MONDAY + 2 * DAY)
    assert found == {None: [stall, allergy], "generative-agents": [allergy, stall]}
