from __future__ import annotations

import pytest

from habitus.memory.known.slots import asked_for, tells
from habitus.retrievers.encoder import HashingEncoder


def _told(question: str, *texts: str) -> list[str]:
    slot = asked_for(question)
    assert slot is not None
    return [texts[place] for place in tells(slot, texts, HashingEncoder())]


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("Where do I live?", "My flat is in Porto, so mind the time zone."),
        ("Which town do I live in now?", "We left Rome and settled in Porto."),
        ("What is my job?", "I work as a glazier."),
        ("What do I do for a living?", "I'm a glazier by trade."),
        ("What is my cat called?", "I have a cat named Minka."),
        ("What's the name of my cat?", "My cat answers to Minka."),
        ("When is my chess club?", "Chess club keeps me busy on Mondays."),
        ("Which camera do I use?", "My camera is a Nikon Z5."),
        ("What van do I drive?", "I drive a Renault Master."),
    ],
)
def test_a_fact_is_found_in_other_words_than_those_of_the_question(question: str, text: str) -> None:
    assert _told(question, "I like soup.", text) == [text]


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("Where do I live?", "My sister lives in Porto."),
        ("Where do I live?", "I want to live in Porto one day."),
        ("Where do I live?", "Do you know a flat in Porto?"),
        ("What is my job?", "My neighbour is a glazier."),
        ("What is my cat called?", "My aunt's cat is called Minka."),
        ("What is my cat called?", "I have a parrot named Minka."),
        ("When is my chess club?", "My son's chess club is on Mondays."),
        ("Which camera do I use?", "My boss has a Nikon camera."),
    ],
)
def test_what_is_of_others_or_of_other_things_tells_nothing(question: str, text: str) -> None:
    assert _told(question, text) == []


def test_the_newest_state_comes_last_also_where_it_names_only_what_it_replaced() -> None:
    told = _told(
        "Which camera do I have now?",
        "My camera is a Nikon Z5.",
        "I replaced my Nikon Z5 with a Leica Q2.",
    )

    assert told[-1] == "I replaced my Nikon Z5 with a Leica Q2."


@pytest.mark.parametrize(
    "question",
    ["What is my favourite colour?", "How many cats do I have?", "What is the capital of Peru?", "Who am I?"],
)
def test_other_questions_ask_for_no_such_thing(question: str) -> None:
    assert asked_for(question) is None
