"""Presets on what is kept, ranked and recalled: each does something that the defaults do not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from habitus.agent import Agent, Conversation, Message

MONDAY = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)
DAY = timedelta(days=1)
Opened = Callable[[str | None], Agent]
WHERE = "Where is my bicycle parked?"
PARKED = "My bicycle is parked behind the library."


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


def test_malp_holds_the_hundred_used_last(opened: Opened) -> None:
    said = [PARKED, *(f"The ferry number {number} was late." for number in range(100))]
    told = Conversation(at=MONDAY, messages=tuple(Message(role="user", text=text) for text in said))
    found = {}
    for name in (None, "malp"):
        agent = opened(name)
        agent.ingest("maya", [told], learn=False)
        found[name] = ranked(agent, WHERE, MONDAY + DAY)
    assert found[None][0] == PARKED
    assert set(found["malp"]) == set(said[1:])


def test_ld_agent_retrieves_nothing_that_shares_no_word(opened: Opened) -> None:
    found = {}
    for name in (None, "ld-agent"):
        agent = opened(name)
        agent.chat("maya", PARKED, at=MONDAY)
        agent.chat("maya", "It rains in Antwerp.", at=MONDAY + DAY)
        found[name] = ranked(agent, WHERE, MONDAY + 2 * DAY)
    assert found == {None: [PARKED, "It rains in Antwerp."], "ld-agent": [PARKED]}


def test_conditional_memory_holds_what_something_was_learnt_from(opened: Opened) -> None:
    allergy, weather = "I'm allergic to shellfish.", "The shellfish stall was painted green."
    found = {}
    for name in (None, "conditional-memory"):
        agent = opened(name)
        agent.chat("maya", allergy, at=MONDAY)
        agent.chat("maya", weather, at=MONDAY + DAY)
        found[name] = set(ranked(agent, "shellfish", MONDAY + 2 * DAY))
    assert found == {None: {allergy, weather}, "conditional-memory": {allergy}}


def test_personarag_ranks_what_is_near_to_a_taste_up(opened: Opened) -> None:
    rock, jazz = "The rock concerts in Ghent.", "The jazz concerts in Ghent."
    found = {}
    for name in (None, "personarag"):
        agent = opened(name)
        for number, text in enumerate(("I love jazz concerts.", jazz, rock)):
            agent.chat("maya", text, at=MONDAY + number * DAY)
        concerts = ranked(agent, "Which concerts in Ghent?", MONDAY + 4 * DAY)
        found[name] = [text for text in concerts if text in (rock, jazz)]
    assert found == {None: [rock, jazz], "personarag": [jazz, rock]}
