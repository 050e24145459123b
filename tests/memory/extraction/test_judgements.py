"""Judgements of kinds of things are tastes of whoever judges; of single things they are not."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from habitus.memory.extraction import extract
from habitus.memory.known.preferences import PENDING_BELOW
from habitus.memory.records import Turn

AT = datetime(2026, 3, 4, 15, tzinfo=UTC)


def tastes(text: str) -> list[tuple[str, str]]:
    turn = Turn(id="t", user_id="u", session_id="s", index=0, role="user", text=text, at=AT)
    return [(p.stance, p.target) for p in extract(turn).preferences if p.confidence >= PENDING_BELOW]


@pytest.mark.parametrize(
    ("text", "stance", "target"),
    [
        ("Window seats are the best.", "like", "window seats"),
        ("I think window seats are the best!", "like", "window seats"),
        ("Nothing beats a cold mango lassi.", "like", "cold mango lassi"),
        ("Coriander is awful.", "dislike", "coriander"),
        ("Honestly, audio guides are overrated.", "dislike", "audio guides"),
        ("Can't stand open offices.", "dislike", "open offices"),
        ("Old ska never fails to cheer me up.", "like", "old ska"),
        ("Slow lifts never fail to annoy me.", "dislike", "slow lifts"),
        ("Board games are so much fun.", "like", "board games"),
        ("In my opinion, long meetings are a waste of time.", "dislike", "long meetings"),
        ("Queues are the worst part of travelling.", "dislike", "queues"),
        ("Small plates are overrated, give me a proper portion.", "dislike", "small plates"),
        ("Plan something indoors, because picnics are the worst.", "dislike", "picnics"),
        ("South Indian filter coffee is unbeatable.", "like", "south indian filter coffee"),
        ("A hot bath is bliss.", "like", "hot bath"),
    ],
)
def test_a_judgement_of_a_kind_is_a_taste(text: str, stance: str, target: str) -> None:
    assert tastes(text) == [(stance, target)]


@pytest.mark.parametrize(
    "text",
    [
        "The concert was great.",
        "The concert is awful.",
        "Yesterday's concert was the best.",
        "This laptop is awful.",
        "Your answer is awful.",
        "Her cooking is awful.",
        "Those ideas are brilliant.",
        "It's the best.",
        "The weather is awful.",
        "Traffic is terrible today.",
        "Results are awful so far.",
        "Concerts were fun.",
        "Anna Kowalska is amazing.",
    ],
)
def test_a_judgement_of_one_thing_or_event_is_none(text: str) -> None:
    assert tastes(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "My boss says window seats are the best.",
        "They say coriander is awful.",
        "According to my dad, picnics are awful.",
        "“Window seats are the best,” said the pilot.",
        "If window seats are the best, why are they cheap?",
        "Suppose window seats are the best.",
        "Are window seats the best?",
        "Window seats are the best?",
        "My kids told me that picnics are the worst.",
        "Write a poem. Window seats are the best.",
    ],
)
def test_a_judgement_of_others_or_a_supposed_one_is_none(text: str) -> None:
    assert tastes(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "Whiteboards are great for teaching.",
        "Poodles are the best dogs for families.",
        "Exercise is good for you.",
        "Tickets are too expensive for students.",
        "Mary is involved.",
        "Sunscreen is important.",
    ],
)
def test_a_claim_about_what_is_good_for_something_is_none(text: str) -> None:
    assert tastes(text) == []


def test_a_judgement_denied_is_the_other_stance() -> None:
    assert tastes("Picnics are not fun.") == [("dislike", "picnics")]
