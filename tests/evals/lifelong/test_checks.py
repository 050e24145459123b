"""What an answer claims: cues of language, checked on sentences."""

from __future__ import annotations

import pytest

from habitus.evals.lifelong.checks import claims, declines, found_in, names, number_in


@pytest.mark.parametrize(
    ("answer", "named"),
    [
        ("You live in Oslo.", True),
        ("you live in OSLO now", True),
        ("You live in Oslofjord.", False),
        ("You live in Bergen.", False),
    ],
)
def test_a_value_is_named_at_word_limits_in_any_case(answer: str, named: bool) -> None:
    assert names(answer, "Oslo") is named


@pytest.mark.parametrize(
    ("answer", "claimed"),
    [
        ("You live in Lima.", True),
        ("You live in Oslo. You live in Lima.", True),
        ("You moved from Lima to Oslo.", False),
        ("You live in Oslo. Before that you lived in Lima.", False),
        ("You do not live in Lima.", False),
        ("You no longer live in Lima.", False),
        ("Did you mean Lima?", False),
        ("You live in Bergen.", False),
    ],
)
def test_a_wrong_value_is_claimed_unless_it_is_past_denied_or_beside_the_right_one(
    answer: str, claimed: bool
) -> None:
    assert claims(answer, "Lima", "Oslo") is claimed


@pytest.mark.parametrize(
    "answer",
    [
        "I don't know from our conversations.",
        "You haven't told me that.",
        "You have never mentioned a cat.",
        "There is no information about your job.",
        "I’m not sure.",
        "I couldn't find that in what you told me.",
    ],
)
def test_saying_that_one_does_not_know_is_declining(answer: str) -> None:
    assert declines(answer)


@pytest.mark.parametrize("answer", ["You live in Oslo.", "You work as a nurse, and not at night.", "Yes."])
def test_an_answer_is_no_declining(answer: str) -> None:
    assert not declines(answer)


@pytest.mark.parametrize(
    ("answer", "number"),
    [
        ("You climbed 4 mountains.", 4),
        ("Four: Rysy, Pico Alto, and two more.", 4),
        ("On 12 March 2025 and 3 April 2025 you told me of three mountains.", 3),
        ("2025-03-12: you climbed Rysy. That makes five.", 5),
        ("1. Rysy\n2. Galdhorn\nSo you climbed 2 in all.", 2),
        ("You climbed twice.", 2),
        ("You climbed some mountains.", None),
        ("It was 4.5 metres high, of 12 sections.", 12),
    ],
)
def test_the_number_of_an_answer_is_the_first_outside_dates_and_list_marks(
    answer: str, number: int | None
) -> None:
    assert number_in(answer) == number


def test_needles_are_found_in_any_case() -> None:
    assert found_in("The code is ABRAXAS12.", ["abraxas12", "other"]) == ("abraxas12",)
