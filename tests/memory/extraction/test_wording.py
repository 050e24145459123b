"""The words of a statement: the taste alone, in the first person; the quotation stays verbatim."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from habitus.memory.extraction import extract
from habitus.memory.extraction.wording import in_first_person
from habitus.memory.records import Turn

AT = datetime(2025, 3, 1, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "statement"),
    [
        (
            "As someone who prefers window seats, I'm flying to Oslo in May. What should I pack?",
            "I prefer window seats.",
        ),
        (
            "As a person who doesn't like crowds because they drain me, where should I go?",
            "I don't like crowds because they drain me.",
        ),
        ("Being someone who hates queues, I plan ahead.", "I hate queues."),
        ("I'm someone who really enjoys fishing.", "I really enjoy fishing."),
        ("As someone who’s into model trains, I need more space.", "I am into model trains."),
        ("As someone allergic to wasps, I stay inside.", "I am allergic to wasps."),
        ("As a strict vegan, I plan ahead.", "I am a strict vegan."),
        ("As a baker who avoids gluten, what can I make?", "I am a baker who avoids gluten."),
        ("I'm planning a trip to Rome, I hate crowds.", "I hate crowds."),
        ("When I travel with my kids, I prefer trains.", "When I travel with my kids, I prefer trains."),
        ("As a nurse on nights, I prefer late dinners.", "As a nurse on nights, I prefer late dinners."),
    ],
)
def test_the_statement_is_the_taste_alone(text: str, statement: str) -> None:
    found = extract(Turn(id="t", user_id="u", session_id="s", index=0, role="user", text=text, at=AT))

    assert [p.statement for p in found.preferences] == [statement]
    assert found.preferences[0].evidence[0].quote in text


@pytest.mark.parametrize(
    ("clause", "own"),
    [
        ("as someone who has a nut allergy", "I have a nut allergy"),
        ("as someone who isn't fond of heights", "I am not fond of heights"),
        (
            "as someone who strongly dislikes noise and avoids crowds",
            "I strongly dislike noise and avoid crowds",
        ),
        ("as someone who relies on buses", "I rely on buses"),
        ("as someone who watches only comedies", "I watch only comedies"),
        ("as somebody who can't stand mess", "I can't stand mess"),
        ("I hate queues", "I hate queues"),
    ],
)
def test_a_relative_clause_is_put_into_the_first_person(clause: str, own: str) -> None:
    assert in_first_person(clause) == own
