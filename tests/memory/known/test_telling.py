"""Somebody else's facts and earlier questions do not answer what users ask of themselves."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from habitus.agent.agent import Agent
from habitus.memory.known.telling import asks_memory, asks_of_user, tells_of_another


@pytest.mark.parametrize(
    "sentence",
    [
        "My father drives a van.",
        "My wife's rehearsal is on Sundays.",
        "A friend of mine climbed it in the snow.",
        "The neighbours have a boat.",
        "Oh, and my best friend has moved to the coast.",
        "My parents’ house is white.",
    ],
)
def test_sentences_about_the_users_people_are_known(sentence: str) -> None:
    assert tells_of_another(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "I drive a van.",
        "My father gave me his van.",
        "My father and I drove to the coast.",
        "My dog is brown.",
        "I drive my father's van.",
        "My sister lives near us.",
        "My friendship bracelet is blue.",
    ],
)
def test_sentences_about_the_user_as_well_are_not(sentence: str) -> None:
    assert not tells_of_another(sentence)


@pytest.mark.parametrize(
    ("question", "of_user"),
    [
        ("What car do I drive?", True),
        ("When is my rehearsal?", True),
        ("What car does my father drive?", False),
        ("How old was I when my brother left?", False),
        ("What is the capital of Peru?", False),
    ],
)
def test_a_question_is_of_the_user_where_it_names_nobody_else(question: str, of_user: bool) -> None:
    assert asks_of_user(question) is of_user


@pytest.mark.parametrize(
    ("sentence", "asks"),
    [
        ("Where do I live?", True),
        ("What is my dog called?", True),
        ("How many courses have I completed?", True),
        ("What can I cook for my sister's birthday?", False),
        ("I moved to the coast, what do I need?", False),
        ("Where do I live.", False),
    ],
)
def test_a_question_to_memory_is_known(sentence: str, asks: bool) -> None:
    assert asks_memory(sentence) is asks


@pytest.fixture
def agent(tmp_path: Path) -> Agent:
    return Agent.open(tmp_path)


def test_the_user_is_answered_with_their_own_fact_and_of_others_when_asked(agent: Agent) -> None:
    with agent:
        agent.chat("u", "I drive a blue van.", at=datetime(2025, 1, 6, tzinfo=UTC))
        agent.chat("u", "My father drives a red truck.", at=datetime(2025, 2, 6, tzinfo=UTC))
        mine = agent.chat("u", "What do I drive?", at=datetime(2025, 3, 6, tzinfo=UTC)).text
        his = agent.chat("u", "What does my father drive?", at=datetime(2025, 3, 7, tzinfo=UTC)).text
    assert "blue van" in mine
    assert "truck" not in mine
    assert "red truck" in his


def test_an_earlier_question_is_not_quoted_as_an_answer(agent: Agent) -> None:
    with agent:
        agent.chat("u", "Where do I live?", at=datetime(2025, 1, 6, tzinfo=UTC))
        agent.chat("u", "I have a cat.", at=datetime(2025, 2, 6, tzinfo=UTC))
        text = agent.chat("u", "What do I do for a living?", at=datetime(2025, 3, 6, tzinfo=UTC)).text
    assert "Where do I live" not in text
