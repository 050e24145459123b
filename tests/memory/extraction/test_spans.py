"""Tastes for a limited time: the end that words give to a record, and words that give none."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from habitus.memory.extraction import extract
from habitus.memory.known.preferences import PENDING_BELOW
from habitus.memory.records import Preference, Turn

WEDNESDAY = datetime(2026, 11, 18, 15, tzinfo=UTC)


def tastes(text: str, *, at: datetime = WEDNESDAY) -> list[Preference]:
    turn = Turn(id="t1", user_id="u", session_id="s", index=0, role="user", text=text, at=at)
    found = list(extract(turn).preferences)
    for preference in found:
        assert preference.evidence[0].quote in text
    return found


@pytest.mark.parametrize(
    ("text", "stance", "target", "ends"),
    [
        ("I'm off dairy this month.", "avoid", "dairy", "2026-12-01"),
        ("No meetings before ten this week, please.", "avoid", "meetings before ten", "2026-11-23"),
        ("Until Friday I'm eating vegetarian.", "require", "vegetarian", "2026-11-21"),
        ("For the next two weeks keep replies short.", "require", "short replies", "2026-12-03"),
        ("Keep your answers short, just for today.", "require", "short replies", "2026-11-19"),
        ("Just for today, I want detailed answers.", "require", "detailed replies", "2026-11-19"),
        ("Please reply in German for the rest of the week.", "require", "german", "2026-11-23"),
        ("I'm avoiding sugar until Christmas.", "avoid", "sugar", "2026-12-26"),
        ("I can't drink wine until the end of the month.", "avoid", "wine", "2026-12-01"),
        ("I can't drink wine until December because of my pills.", "avoid", "wine", "2026-12-01"),
        ("No alcohol for me this week.", "avoid", "alcohol", "2026-11-23"),
        ("Through Friday, no phone calls please.", "avoid", "phone calls", "2026-11-21"),
        ("We are avoiding crowded malls till 5 December.", "avoid", "crowded malls", "2026-12-06"),
        ("I'm going vegan for a month.", "require", "vegan", "2026-12-19"),
        ("I am on a low-salt diet for six weeks.", "require", "low-salt diet", "2026-12-31"),
        ("I only want quiet cafes for the next few days.", "require", "quiet cafes", "2026-11-22"),
        ("I don't want any spicy food tonight.", "avoid", "spicy food", "2026-11-19"),
        ("this week i am not taking any calls", "avoid", "calls", "2026-11-23"),
        ("I love open-air concerts this summer.", "like", "open-air concerts", "2027-03-01"),
    ],
)
def test_what_is_said_to_hold_for_a_time_ends_with_it(text: str, stance: str, target: str, ends: str) -> None:
    [found] = tastes(text)
    assert (found.stance, found.target, found.scope) == (stance, target, None)
    assert found.confidence >= PENDING_BELOW, "it holds, it does not wait to be confirmed"
    assert (found.valid_from, found.valid_to) == (WEDNESDAY, datetime.fromisoformat(f"{ends}T00:00+00:00"))


@pytest.mark.parametrize(
    ("text", "begins", "ends"),
    [
        ("Next week I prefer afternoon meetings.", "2026-11-23", "2026-11-30"),
        ("This weekend I prefer early dinners.", "2026-11-21", "2026-11-23"),
        ("I prefer early dinners tomorrow.", "2026-11-19", "2026-11-20"),
        ("From next Monday I'm avoiding gluten.", "2026-11-23", None),
    ],
)
def test_what_is_said_of_a_time_to_come_begins_with_it(text: str, begins: str, ends: str | None) -> None:
    [found] = tastes(text)
    assert f"{found.valid_from:%Y-%m-%d}" == begins
    assert (f"{found.valid_to:%Y-%m-%d}" if found.valid_to else None) == ends
    assert found.learnt_at == WEDNESDAY


@pytest.mark.parametrize(
    ("text", "hours"),
    [("I'd prefer a window seat this time.", 1), ("Please use plain language in this answer.", 1)],
)
def test_one_occasion_lasts_an_hour(text: str, hours: int) -> None:
    found = tastes(text)
    assert found
    for one in found:
        assert one.confidence < PENDING_BELOW or one.topic.startswith("style.")
        assert one.valid_to is not None
        assert (one.valid_to - WEDNESDAY).total_seconds() == hours * 3_600


def test_a_day_is_never_over_at_once() -> None:
    late = datetime(2026, 11, 18, 23, 55, tzinfo=UTC)
    [found] = tastes("No coffee for me today.", at=late)
    assert found.valid_to is not None
    assert (found.valid_to - late).total_seconds() == 6 * 3_600


@pytest.mark.parametrize(
    "text",
    [
        "I hate flying but I have to fly this week.",
        "I don't eat pork, can you plan dinners for this week?",
        "I've been vegan for two years.",
        "I go swimming every week.",
        "I prefer trains, looking for tickets for this week.",
        "I never eat breakfast until ten.",
        "I love this month's exhibition at the harbour museum.",
        "I'm vegetarian until I'm back from Goa.",
        "I enjoy long walks in the rain.",
        "I never work for free.",
    ],
)
def test_words_of_time_that_bound_nothing_give_no_end(text: str) -> None:
    assert all(found.valid_to is None for found in tastes(text))


@pytest.mark.parametrize(
    "text", ["I'm allergic to nuts this week.", "I'm allergic to nuts, I need lunch today."]
)
def test_what_the_body_does_not_bear_never_ends_by_itself(text: str) -> None:
    [found] = tastes(text)
    assert found.valid_to is None
    assert found.confidence >= PENDING_BELOW


def test_an_end_that_no_calendar_knows_is_the_occasion() -> None:
    [found] = tastes("I'm vegetarian until I'm back from Goa.")
    assert found.scope is not None and found.scope.startswith("until I'm back")


@pytest.mark.parametrize(
    "text", ["I'm avoiding my boss.", "I'm not eating at the moment.", "I'm only reading it."]
)
def test_what_people_do_at_the_moment_is_no_taste(text: str) -> None:
    assert tastes(text) == []


@pytest.mark.parametrize("year", [1, 9_999])
def test_the_ends_of_the_calendar_are_no_error(year: int) -> None:
    at = datetime(year, 12, 31, 23, tzinfo=UTC)
    for text in (
        "No coffee this month.",
        "I'm off dairy for the next 900 years.",
        "I'm off dairy until Friday.",
    ):
        assert isinstance(tastes(text, at=at), list)
