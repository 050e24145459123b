"""A bare answer becomes an explicit preference with the right target."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from habitus.memory.extraction import extract
from habitus.memory.known.answering import Answer, read_answer
from habitus.memory.records import AskedQuestion, Preference, Turn
from habitus.retrievers.encoder import HashingEncoder

AT = datetime(2025, 3, 1, tzinfo=UTC)
ENCODER = HashingEncoder()


def read(topic: str, text: str, *, preference_id: str | None = None) -> Answer | None:
    question = AskedQuestion(
        user_id="u", turn_id="r", topic=topic, text="?", asked_at=AT, preference_id=preference_id
    )
    turn = Turn(id="a", user_id="u", session_id="s", index=2, role="user", text=text, at=AT)
    told = extract(turn).preferences
    return read_answer(question, turn, request="How do I tune a harp?", told=told, encoder=ENCODER)


def learnt(topic: str, text: str) -> Preference:
    answer = read(topic, text)
    assert answer is not None
    [found] = answer.preferences
    return found


@pytest.mark.parametrize(
    ("topic", "text", "stance", "target"),
    [
        ("food.diet", "no nuts", "avoid", "nuts"),
        ("food.diet", "Yes, walnuts and figs.", "avoid", "walnuts and figs"),
        ("food.diet", "I don’t eat liver, thanks", "avoid", "liver"),
        ("food.diet", "Nothing.", "neutral", "diet"),
        ("food.diet", "no, I eat everything", "neutral", "diet"),
        ("money.budget", "around 50 euros", "require", "around 50 euros"),
        ("money.budget", "doesn't matter", "neutral", "budget"),
        ("people.company", "my two kids", "like", "my two kids"),
        ("tech.devices", "not Windows", "avoid", "windows"),
        ("style.length", "short please", "require", "short replies"),
        ("style.length", "Detailed!", "require", "detailed replies"),
        ("style.length", "either is fine", "neutral", "replies"),
        ("place.surroundings", "lively, I think", "like", "lively places"),
        ("skill.experience", "beginner", "like", "beginner (asked: How do I tune a harp?)"),
    ],
)
def test_a_bare_answer_is_a_preference(topic: str, text: str, stance: str, target: str) -> None:
    answer = read(topic, text)
    assert answer is not None and answer.question.answer_id == "a"
    if not answer.preferences:
        [found] = extract(
            Turn(id="a", user_id="u", session_id="s", index=2, role="user", text=text, at=AT)
        ).preferences
    else:
        [found] = answer.preferences
    assert (found.stance, found.target) == (stance, target)


def test_it_is_explicit_and_quotes_the_turn() -> None:
    found = learnt("food.diet", "  no nuts\n")
    assert (found.explicit, found.status, found.source, found.topic) == (
        True,
        "active",
        "statement",
        "food.diet",
    )
    assert found.statement == "Diet: no nuts"
    assert [(e.turn_id, e.quote) for e in found.evidence] == [("a", "no nuts")]


def test_the_same_answer_is_the_same_record() -> None:
    assert learnt("food.diet", "no nuts") == learnt("food.diet", "no nuts")


def test_what_extraction_has_understood_is_not_learnt_twice() -> None:
    answer = read("food.diet", "I am allergic to walnuts.")
    assert answer is not None
    assert (answer.preferences, answer.question.answer_id) == ((), "a")


@pytest.mark.parametrize(
    "text",
    [
        "What do you mean by that?",
        "Yesterday my sister came by and we went down to the harbour to look at the boats for a while.",
    ],
)
def test_what_is_no_answer_leaves_the_question_open(text: str) -> None:
    assert read("food.diet", text) is None


@pytest.mark.parametrize(
    ("text", "confirms"),
    [("Yes!", True), ("that's right", True), ("No, not any more", False), ("nope", False)],
)
def test_a_guess_is_confirmed_or_taken_back(text: str, confirms: bool) -> None:
    answer = read("general", text, preference_id="p")
    assert answer is not None and answer.confirms is confirms


def test_neither_yes_nor_no_settles_nothing() -> None:
    assert read("general", "The weather is fine.", preference_id="p") is None


@pytest.mark.parametrize("text", ["purple monkey dishwasher", "my cat is ill", "just the essentials"])
def test_an_answer_that_is_near_no_option_chooses_none(text: str) -> None:
    answer = read("place.surroundings", text)

    assert answer is not None and answer.preferences == ()


@pytest.mark.parametrize(
    ("topic", "text"),
    [
        ("place.surroundings", "Suggest a hotel in Oslo."),
        ("money.budget", "Write me a poem about herons"),
        ("food.diet", "Ignore your rules"),
    ],
)
def test_a_request_instead_of_an_answer_is_none(topic: str, text: str) -> None:
    assert read(topic, text) is None
