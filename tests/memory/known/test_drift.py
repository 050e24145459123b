"""An old preference that was only shown fades, one that was said does not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from habitus.memory.known.applying import applicable
from habitus.memory.known.drift import current_confidence, holds, last_seen
from habitus.memory.known.preferences import merge
from habitus.memory.known.profile import summarise
from habitus.memory.records import Evidence, Preference
from habitus.retrievers.encoder import HashingEncoder

ENCODER = HashingEncoder()
START = datetime(2025, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def preference(name: str = "first", day: int = 0, **fields: object) -> Preference:
    return Preference.model_validate(
        {
            "id": name,
            "user_id": "u",
            "statement": "I took the quiet corner.",
            "topic": "general",
            "target": "quiet corner",
            "stance": "like",
            "explicit": False,
            "source": "choice",
            "confidence": 0.6,
            "valid_from": START + day * DAY,
            "learnt_at": START + day * DAY,
            "evidence": (Evidence(turn_id=name, quote="the quiet corner"),),
        }
        | fields
    )


def test_what_was_only_shown_halves_in_ninety_days() -> None:
    assert current_confidence(preference(), START + 90 * DAY) == pytest.approx(0.3)
    assert current_confidence(preference(), START + 180 * DAY) == pytest.approx(0.15)
    assert current_confidence(preference(), START - DAY) == pytest.approx(0.6)


@pytest.mark.parametrize("said", [preference(explicit=True), preference(source="demographics")])
def test_what_was_said_stays(said: Preference) -> None:
    assert current_confidence(said, START + 3650 * DAY) == 0.6


def test_a_faded_preference_no_longer_holds_but_is_kept_as_active() -> None:
    old = preference()
    assert holds(old, START + 100 * DAY)
    assert not holds(old, START + 200 * DAY)
    assert old.status == "active"


def test_one_that_has_ended_does_not_hold() -> None:
    ended = preference(explicit=True, valid_to=START + 5 * DAY)
    assert holds(ended, START + 4 * DAY)
    assert not holds(ended, START + 5 * DAY)
    assert not holds(preference(status="pending"), START)


def test_shown_again_it_begins_to_fade_anew_from_what_was_left() -> None:
    old, again = preference(), preference("second", day=90)
    (merged,) = merge([old], [again], encoder=ENCODER, at=START + 90 * DAY)

    assert last_seen(merged) == START + 90 * DAY
    assert merged.confidence == pytest.approx(1 - (1 - 0.3) * (1 - 0.6))
    assert holds(merged, START + 200 * DAY)
    assert not holds(old, START + 200 * DAY)


def test_the_same_evidence_twice_keeps_nothing_fresh() -> None:
    old = preference()
    same = old.model_copy(update={"id": "other", "learnt_at": START + 90 * DAY})
    for merged in merge([old], [same], encoder=ENCODER, at=START + 90 * DAY):
        assert (merged.confidence, last_seen(merged)) == (old.confidence, START)


def test_what_has_faded_is_neither_applied_nor_in_the_profile() -> None:
    text = "Find me a quiet corner."
    vector = ENCODER.encode([text])[0]
    for day, n in ((1, 1), (200, 0)):
        at = START + day * DAY
        assert len(applicable([preference()], text, vector, encoder=ENCODER, at=at)) == n
        assert len(summarise("u", [preference()], [], previous=None, at=at).sections) == n
