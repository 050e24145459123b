"""What many choices have in common."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from habitus.memory.learning.beliefs import believe
from habitus.memory.learning.choosing import told_by_choices
from habitus.memory.learning.log import Given
from habitus.memory.records import Choice, Feedback

AT = datetime(2026, 3, 2, tzinfo=UTC)
PLAIN = "Boil the rice and rinse it."
BULLETS = "- Boil the rice\n- Rinse it"
HEADED = "## Rice\n\nBoil it well."
LONG = "Boil the rice slowly and stir it now and then. " * 12


def log(*choices: tuple[str, ...]) -> list[Given]:
    """Return choices; of each the first reply was taken."""
    return [
        Given(
            Feedback(
                id=f"f{number}",
                user_id="u",
                turn_id=f"t{number}",
                at=AT + timedelta(days=number),
                choice=Choice(winner=winner, losers=tuple(losers)),
            ),
            winner,
        )
        for number, (winner, *losers) in enumerate(choices)
    ]


def test_a_trait_that_is_taken_again_and_again_is_wanted() -> None:
    three = log(*[(BULLETS, PLAIN, HEADED)] * 3)
    assert told_by_choices(three).traits["bullets"] == 1.0
    assert told_by_choices(three).traits["headings"] < 0
    assert believe(three).traits["bullets"].wanted


def test_a_trait_that_every_reply_has_decides_nothing() -> None:
    told = told_by_choices(log(*[(BULLETS, BULLETS + "\n- Serve", BULLETS + "\n- Eat")] * 4))
    assert "bullets" not in told.traits


def test_choices_that_contradict_each_other_tell_nothing() -> None:
    every_way = [(one, two, three) for one, two, three in itertools.permutations((BULLETS, PLAIN, HEADED))]
    told = told_by_choices(log(*every_way))
    assert all(abs(sure) < 0.2 for sure in told.traits.values())
    assert told.words is None


def test_two_choices_among_many_are_too_few() -> None:
    assert told_by_choices(log(*[(BULLETS, PLAIN, HEADED)] * 2)).traits == {}


@pytest.mark.parametrize(("taken", "left", "longer"), [(PLAIN, LONG, False), (LONG, PLAIN, True)])
def test_the_length_that_is_taken_again_and_again_is_wanted(taken: str, left: str, longer: bool) -> None:
    told = told_by_choices(log(*[(taken, left, left)] * 4))
    assert told.longer is longer
    assert told.words is not None
    held = believe(log(*[(taken, left, left)] * 4)).length
    assert held.target == ("detailed replies" if longer else "short replies")


def test_a_wish_in_words_is_not_moved_by_choices() -> None:
    comment = Given(Feedback(id="c", user_id="u", turn_id="t", at=AT, comment="No bullet points."), PLAIN)
    choices = log(*[(BULLETS, BULLETS + "\n- Serve", PLAIN)] * 12)
    assert believe(choices).traits["bullets"].wanted
    assert not believe([comment, *choices]).traits["bullets"].wanted
