from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from habitus.agent import Agent, Settings
from habitus.memory.retrieval.retention import Retention
from habitus.retrievers.encoder import HashingEncoder

MONDAY = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)
DAY = timedelta(days=1)
TOLD = "My bicycle is parked behind the library."
ASKED = "Where is my bicycle parked?"

Opened = Callable[[Retention], Agent]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    """Open the same folder under one policy after another."""
    agents: list[Agent] = []

    def opening(retention: Retention) -> Agent:
        for agent in agents:
            agent.close()
        agents.append(
            Agent.open(tmp_path / "data", encoder=HashingEncoder(), settings=Settings(retention=retention))
        )
        return agents[-1]

    yield opening
    for agent in agents:
        agent.close()


def recalled(agent: Agent, days: float) -> bool:
    """Look up the question without leaving a trace."""
    found = agent.recall("maya", ASKED, at=MONDAY + days * DAY)
    return any(memory.text == TOLD for memory in found.evidence)


def test_under_memorybank_a_memory_lapses_and_comes_back_when_it_is_said_again(opened: Opened) -> None:
    agent = opened("memorybank")
    agent.chat("maya", TOLD, at=MONDAY)
    assert recalled(agent, 2)
    assert not recalled(agent, 4)
    agent.chat("maya", TOLD, at=MONDAY + 5 * DAY)
    [first] = [turn.id for turn in agent.memories("maya") if turn.text == TOLD and turn.at == MONDAY]
    assert first in agent.recall("maya", ASKED, at=MONDAY + 6 * DAY).ranked_turn_ids
    assert [access.turn_id for access in agent.store.accesses("maya")] == [first]


def test_under_memorybank_a_memory_that_is_recalled_lasts_longer(opened: Opened) -> None:
    agent = opened("memorybank")
    agent.chat("maya", TOLD, at=MONDAY)
    agent.chat("maya", ASKED, at=MONDAY + 2 * DAY)
    assert recalled(agent, 7)  # five days at strength 2
    assert not recalled(agent, 9)


def test_what_lapsed_is_not_lost(opened: Opened) -> None:
    agent = opened("memorybank")
    agent.chat("maya", TOLD, at=MONDAY)
    assert not recalled(agent, 40)
    assert TOLD in [turn.text for turn in agent.memories("maya")]
    assert recalled(opened("none"), 40)


def test_a_look_up_leaves_no_trace(opened: Opened) -> None:
    agent = opened("memorybank")
    agent.chat("maya", TOLD, at=MONDAY)
    agent.recall("maya", ASKED, at=MONDAY + DAY)
    assert agent.store.accesses("maya") == []


def test_each_turn_counts_a_recall_once(opened: Opened) -> None:
    agent = opened("malp")
    agent.chat("maya", TOLD, at=MONDAY)
    for day in (1, 2):
        agent.chat("maya", ASKED, at=MONDAY + day * DAY)
    [told] = [turn.id for turn in agent.memories("maya") if turn.text == TOLD]
    [access] = [one for one in agent.store.accesses("maya") if one.turn_id == told]
    assert (access.n, access.at) == (2, MONDAY + 2 * DAY)


def test_none_stores_no_accesses(opened: Opened) -> None:
    agent = opened("none")
    agent.chat("maya", TOLD, at=MONDAY)
    agent.chat("maya", ASKED, at=MONDAY + 2 * DAY)
    assert agent.store.accesses("maya") == []


def test_ld_agent_retrieves_nothing_that_shares_no_word(opened: Opened) -> None:
    agent = opened("ld_agent")
    agent.chat("maya", TOLD, at=MONDAY)
    agent.chat("maya", "It rains in Antwerp.", at=MONDAY + DAY)
    found = agent.recall("maya", ASKED, at=MONDAY + 2 * DAY)
    assert [m.text for m in found.evidence if m.role == "user"] == [TOLD]


def test_generative_agents_weighs_what_a_preference_rests_on(opened: Opened) -> None:
    agent = opened("generative_agents")
    agent.chat("maya", "I'm allergic to shellfish.", at=MONDAY)
    agent.chat("maya", "The shellfish stall was painted green.", at=MONDAY + timedelta(minutes=1))
    agent.end_session("maya", agent.memories("maya")[0].session_id)
    best = agent.recall("maya", "shellfish", at=MONDAY + DAY).ranking
    assert best is not None
    texts = {turn.id: turn.text for turn in agent.memories("maya")}
    assert texts[best.ranked_turn_ids[0]] == "I'm allergic to shellfish."


def test_accesses_go_when_the_user_goes(opened: Opened) -> None:
    agent = opened("memorybank")
    agent.chat("maya", TOLD, at=MONDAY)
    agent.chat("maya", ASKED, at=MONDAY + DAY)
    assert agent.export("maya").accesses
    agent.delete_user("maya")
    assert agent.store.accesses("maya") == []


def test_an_unknown_policy_is_refused() -> None:
    with pytest.raises(ValueError, match="memorybank"):
        Settings(retention="forever")  # type: ignore[arg-type]
