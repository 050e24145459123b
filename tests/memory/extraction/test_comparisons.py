"""What the user leaves for something else, and what is kept."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from habitus.memory.extraction import Extraction, extract
from habitus.memory.extraction.comparisons import rejected_in
from habitus.memory.records import Turn

AT = datetime(2025, 3, 1, 9, tzinfo=UTC)


def told(text: str) -> Extraction:
    return extract(Turn(id="t1", user_id="u", session_id="s", index=0, role="user", text=text, at=AT))


@pytest.mark.parametrize(
    ("text", "kept", "left"),
    [
        ("I prefer aisle seats now instead of window seats.", "aisle seats", "window seats"),
        ("I'd rather take the ferry than fly.", "ferry", "fly"),
        ("I like rye bread more than white bread.", "rye bread", "white bread"),
        ("I enjoy rowing better than cycling.", "rowing", "cycling"),
        ("I switched from coffee to mint tea.", "mint tea", "coffee"),
        ("I've recently switched to mint tea from coffee.", "mint tea", "coffee"),
        ("I no longer like window seats but aisle seats.", "aisle seats", "window seats"),
        ("I prefer trains to planes.", "trains", "planes"),
        ("I prefer walking to driving.", "walking", "driving"),
        ("I would always choose a hostel over a hotel.", "hostel", "hotel"),
        ("I’d sooner walk than drive.", "walk", "drive"),
    ],
)
def test_a_comparison_keeps_one_side_and_names_the_other(text: str, kept: str, left: str) -> None:
    (found,) = told(text).preferences

    assert (found.stance, found.target, found.confidence >= 0.5) == ("like", kept, True)
    assert rejected_in(found.statement) == left
    assert found.evidence[0].quote in text


def test_giving_something_up_for_another_tells_of_both() -> None:
    found = told("I don't eat meat anymore, but fish.")

    assert {(p.stance, p.target) for p in found.preferences} == {("avoid", "meat"), ("like", "fish")}


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("I like nothing more than rainy days.", "rainy days"),
        ("I prefer hotels close to hiking trails.", "hotels close to hiking trails"),
        ("I prefer books of more than 300 pages.", "books of more than 300 pages"),
        ("I prefer to sit by the window.", "sit by the window"),
        ("I'd prefer to travel during the holidays.", "travel"),
    ],
)
def test_other_uses_of_these_words_reject_nothing(text: str, target: str) -> None:
    (found,) = told(text).preferences

    assert found.target == target
    assert rejected_in(found.statement) is None


@pytest.mark.parametrize(
    "text",
    [
        "I switched from my old laptop to a new one.",
        "If I switched from coffee to tea, would I sleep better?",
        "My brother switched from coffee to tea.",
        "I switched from line 2 to line 4 at the station.",
    ],
)
def test_a_switch_that_is_no_taste_yields_nothing(text: str) -> None:
    assert told(text).preferences == ()


def test_a_comparison_for_once_waits_to_be_confirmed() -> None:
    (found,) = told("I'd rather take the tram than the bus today.").preferences

    assert found.confidence < 0.5


@pytest.mark.parametrize(
    ("text", "taken_back", "statement"),
    [
        ("I used to like jazz but now I prefer folk.", "I like jazz", "Now I prefer folk."),
        ("I don't like sailing anymore, but I love rowing.", "I like sailing", "I love rowing."),
        ("I no longer prefer hostels, I prefer hotels.", "I prefer hostels", "I prefer hotels."),
    ],
)
def test_what_follows_a_retraction_in_its_sentence_is_heard(
    text: str, taken_back: str, statement: str
) -> None:
    found = told(text)

    assert found.retractions == (taken_back,)
    assert [p.statement for p in found.preferences] == [statement]


def test_what_is_to_be_forgotten_is_not_learnt_again() -> None:
    found = told("Please forget that I like jazz, and that I love sailing.")

    assert found.preferences == ()


@pytest.mark.parametrize(
    ("text", "taken_back", "stance", "target"),
    [
        ("I used to like ferries, but now I can't stand them.", "I like ferries", "dislike", "ferries"),
        ("I used to hate jazz, but now I love it.", "I hate jazz", "like", "jazz"),
        ("I've changed my mind about ferries: I like them now.", "ferries", "like", "ferries"),
    ],
)
def test_a_pronoun_stands_for_what_was_taken_back(
    text: str, taken_back: str, stance: str, target: str
) -> None:
    found = told(text)

    assert found.retractions == (taken_back,)
    assert [(p.stance, p.target) for p in found.preferences] == [(stance, target)]
    assert found.preferences[0].evidence[0].quote in text


def test_a_pronoun_that_stands_for_nothing_liked_tells_nothing() -> None:
    assert told("I used to like ferries, but now I find it hard to sleep.").preferences == ()


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("I'd prefer Anna to lead.", "anna to lead"),
        ("I prefer people to knock first.", "people to knock first"),
        ("I prefer walking to driving.", "walking"),
        ("I prefer to walk.", "walk"),
        ("I prefer Porto to Lisbon.", "porto"),
        ("I prefer vinyl to streaming.", "vinyl"),
        ("I prefer my flat to hotels.", "flat"),
    ],
)
def test_who_is_to_do_a_thing_is_not_compared_with_it(text: str, target: str) -> None:
    turn = Turn(id="t", user_id="u", session_id="s", index=0, role="user", text=text, at=AT)
    assert [found.target for found in extract(turn).preferences] == [target]
