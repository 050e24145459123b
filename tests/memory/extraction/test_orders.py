"""What doctors and the like told the user binds; what they told others, or said of other things, does not."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from habitus.memory.extraction import extract
from habitus.memory.known.preferences import PENDING_BELOW
from habitus.memory.records import Preference, Turn

AT = datetime(2026, 11, 18, 15, tzinfo=UTC)


def tastes(text: str) -> list[Preference]:
    turn = Turn(id="t", user_id="u", session_id="s", index=0, role="user", text=text, at=AT)
    return [p for p in extract(turn).preferences if p.confidence >= PENDING_BELOW]


@pytest.mark.parametrize(
    ("text", "stance", "target"),
    [
        ("My doctor told me to avoid salt.", "avoid", "salt"),
        ("The doctor says no caffeine after 3pm.", "avoid", "caffeine after 3pm"),
        ("My GP has advised me to stay off alcohol.", "avoid", "alcohol"),
        ("I've been told to avoid dairy by my dentist.", "avoid", "dairy"),
        ("Our physio said I shouldn't lift heavy boxes.", "avoid", "heavy boxes"),
        ("My cardiologist put me on a low-salt diet.", "require", "low-salt diet"),
    ],
)
def test_what_the_user_was_told_for_their_health_binds(text: str, stance: str, target: str) -> None:
    [found] = tastes(text)
    assert (found.stance, found.target) == (stance, target)
    assert found.strength >= 0.9
    assert found.evidence[0].quote in text


def test_an_order_for_a_time_ends_with_it() -> None:
    [found] = tastes("The dentist said I can't eat hard sweets for two weeks.")
    assert (found.target, f"{found.valid_to:%Y-%m-%d}") == ("hard sweets", "2026-12-03")


@pytest.mark.parametrize(
    "text",
    [
        "My wife's doctor told her to avoid salt.",
        "His doctor said no running.",
        "What if my doctor told me to avoid salt?",
        "Has your doctor told you to avoid salt?",
        "The doctor said no problem.",
        "My consultant wants me to write a report.",
        "My doctor said it was nothing.",
    ],
)
def test_what_others_were_told_is_none_of_the_users(text: str) -> None:
    assert tastes(text) == []
