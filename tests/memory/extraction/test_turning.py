from __future__ import annotations

from datetime import UTC, datetime

import pytest

from habitus.memory.extraction import Extraction, extract
from habitus.memory.records import Turn


def _told(text: str) -> Extraction:
    at = datetime(2025, 3, 1, tzinfo=UTC)
    return extract(Turn(id="t", user_id="u", session_id="s", index=0, role="user", text=text, at=at))


@pytest.mark.parametrize(
    ("text", "stance"),
    [
        ("I used to love brass bands; now they annoy me.", "dislike"),
        ("I used to be into brass bands, but these days I avoid them.", "avoid"),
        ("I once loved brass bands, but now they annoy me.", "dislike"),
        ("I liked brass bands before, but now I really don't.", "dislike"),
        ("I thought I liked brass bands, but I don't.", "dislike"),
        ("I didn't use to like brass bands, but I've come to love them.", "like"),
        ("I never liked brass bands, but now I do.", "like"),
        ("I thought I hated brass bands, but I actually like them.", "like"),
        ("I was wrong about brass bands: I love them.", "like"),
        ("I used to avoid brass bands, but these days I enjoy them.", "like"),
    ],
)
def test_a_change_of_mind_tells_what_holds_now(text: str, stance: str) -> None:
    told = _told(text)

    assert [(one.stance, one.target) for one in told.preferences] == [(stance, "brass bands")]
    assert told.retractions


def test_what_is_merely_over_is_only_taken_back() -> None:
    told = _told("I used to love brass bands, not any more.")

    assert told.preferences == ()
    assert told.retractions == ("I love brass bands",)


@pytest.mark.parametrize(
    "text",
    [
        "I liked the hotel, but the bill was high.",
        "I enjoyed dinner, but I need the recipe.",
        "I thought so, but no.",
    ],
)
def test_a_remark_about_one_occasion_takes_nothing_back(text: str) -> None:
    assert _told(text).retractions == ()


@pytest.mark.parametrize(
    "text",
    [
        "I've come round to brass bands.",
        "I've become a fan of brass bands.",
        "Brass bands are growing on me.",
        "I'm starting to enjoy brass bands.",
    ],
)
def test_a_taste_that_grows_is_a_liking(text: str) -> None:
    assert [(one.stance, one.target) for one in _told(text).preferences] == [("like", "brass bands")]


@pytest.mark.parametrize(
    "text", ["I've fallen out of love with brass bands.", "Brass bands have lost their charm for me."]
)
def test_a_taste_that_went_is_an_aversion(text: str) -> None:
    assert [(one.stance, one.target) for one in _told(text).preferences] == [("dislike", "brass bands")]


@pytest.mark.parametrize(
    ("text", "liked"),
    [
        ("I prefer green tea to mocha now.", "green tea"),
        ("I much prefer rowing to hot yoga.", "rowing"),
        ("I prefer Ghent to Turin by far.", "ghent"),
        ("I'd rather have rowing than hot yoga these days.", "rowing"),
        ("I like rowing far more than hot yoga.", "rowing"),
        ("I prefer trains to Turin.", "trains to turin"),
        ("I prefer my steak to taste smoky.", "steak to taste smoky"),
    ],
)
def test_a_comparison_is_about_what_comes_first(text: str, liked: str) -> None:
    assert [(one.stance, one.target) for one in _told(text).preferences] == [("like", liked)]


def test_an_occasion_in_front_is_the_scope_of_a_taste_whose_object_comes_first() -> None:
    (found,) = _told("On weekends, brass bands are not for me.").preferences

    assert (found.stance, found.target, found.scope) == ("dislike", "brass bands", "on weekends")
