"""Facts about the user and their people."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from habitus.memory.extraction import extract
from habitus.memory.records import Turn


def facts(text: str) -> set[tuple[str, str, str]]:
    turn = Turn(
        id="t1",
        user_id="u",
        session_id="s",
        index=0,
        role="user",
        text=text,
        at=datetime(2025, 3, 1, tzinfo=UTC),
    )
    found = extract(turn).facts
    assert all(fact.evidence[0].quote in text for fact in found)
    return {(fact.subject, fact.attribute, fact.value) for fact in found}


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("My name is Ada Nowak.", ("user", "name", "Ada Nowak")),
        ("Hi, I'm Ada.", ("user", "name", "Ada")),
        ("I'm 41 years old.", ("user", "age", "41")),
        ("I work as a tram driver in Graz.", ("user", "job", "tram driver")),
        ("I'm a marine biologist.", ("user", "job", "marine biologist")),
        ("I live in New Plymouth.", ("user", "lives_in", "New Plymouth")),
        ("I recently moved to Turku.", ("user", "lives_in", "Turku")),
        ("I was diagnosed with asthma.", ("user", "condition", "asthma")),
        ("I speak Finnish and Latvian.", ("user", "speaks", "Finnish and Latvian")),
        ("I have two daughters.", ("user", "has", "two daughters")),
        ("I own a cargo bike.", ("user", "has", "a cargo bike")),
        ("My sister Ines lives in Bergen.", ("sister", "name", "Ines")),
        ("My sister Ines lives in Bergen.", ("sister", "lives_in", "Bergen")),
        ("My husband is a potter.", ("husband", "is", "potter")),
        ("I visited the salt mine last week.", ("user", "event", "visited the salt mine last week")),
    ],
)
def test_a_fact_is_told(text: str, fact: tuple[str, str, str]) -> None:
    assert fact in facts(text)


@pytest.mark.parametrize(
    "text",
    [
        "I'm excited about Friday.",
        "I'm a huge fan of opera.",
        "I have a question.",
        "If I lived in Rome, I would walk more.",
        "I'm 5 minutes late.",
        "What is my name?",
    ],
)
def test_what_is_no_fact_yields_none(text: str) -> None:
    assert facts(text) == set()
