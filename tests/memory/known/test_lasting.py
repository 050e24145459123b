"""Tastes for a time beside those that hold always: what holds when, and what is left of it afterwards."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from habitus.memory.extraction import extract
from habitus.memory.known import curation
from habitus.memory.known.knowledge import Knowledge
from habitus.memory.known.lasting import in_force, until
from habitus.memory.records import Turn
from habitus.retrievers.encoder import HashingEncoder

ENCODER = HashingEncoder()
WEDNESDAY = datetime(2026, 11, 18, 15, tzinfo=UTC)
DAY = timedelta(days=1)


class Told:
    """What a user's messages leave, each with the day on which it was said."""

    def __init__(self, *said: tuple[int, str]) -> None:
        self.known = Knowledge("u", preferences=(), facts=(), persona=None, profile=None, encoder=ENCODER)
        for day, text in said:
            at = WEDNESDAY + day * DAY
            self.known.end_passing(at)
            turn = Turn(id=f"t{day}", user_id="u", session_id="s", index=day, role="user", text=text, at=at)
            self.known.learn(extract(turn), at)

    def held(self, day: int) -> set[tuple[str, str]]:
        return {(p.stance, p.target) for p in in_force(self.known.preferences, WEDNESDAY + day * DAY)}

    def persona(self, day: int) -> str:
        made = self.known.compiled_persona(
            WEDNESDAY + day * DAY, reason="test", max_tokens=400, count_tokens=len
        )
        return made.text if made is not None else ""


def test_it_holds_within_its_time_and_not_after() -> None:
    told = Told((0, "I'm off dairy this month."))
    assert told.held(0) == told.held(12) == {("avoid", "dairy")}
    assert told.held(13) == set()


def test_it_is_hidden_until_it_begins() -> None:
    told = Told((0, "Next week I prefer afternoon meetings."))
    assert told.held(1) == set()
    assert told.held(6) == {("like", "afternoon meetings")}
    assert told.held(13) == set()


@pytest.mark.parametrize(
    ("always", "now", "while_it_lasts"),
    [
        ("I love coffee.", "No coffee for me this week.", ("avoid", "coffee")),
        (
            "I always want detailed answers.",
            "Please keep your answers short this week.",
            ("require", "short replies"),
        ),
    ],
)
def test_what_held_before_is_back_when_it_is_over(
    always: str, now: str, while_it_lasts: tuple[str, str]
) -> None:
    told = Told((0, always), (1, now))
    [(stance, target)] = Told((0, always)).held(0)
    assert told.held(1) == {while_it_lasts}
    assert told.held(6) == {(stance, target)}


def test_the_persona_shows_the_end_and_drops_the_line_after_it() -> None:
    told = Told((0, "I'm off dairy this month."), (0, "I love hiking."))
    assert "Never: I'm off dairy. (until 2026-11-30)" in told.persona(1)
    assert "dairy" not in told.persona(13)
    assert "hiking" in told.persona(13)


def test_a_profile_shows_the_end() -> None:
    told = Told((0, "I'm off dairy this month."))
    assert "(until 2026-11-30)" in told.known.summarised(WEDNESDAY).text
    assert "dairy" not in told.known.summarised(WEDNESDAY + 20 * DAY).text


def test_said_again_it_is_extended() -> None:
    told = Told((0, "I'm off dairy this week."), (1, "I'm off dairy for the next two weeks."))
    [only] = told.known.preferences
    assert until(only) == "until 2026-12-03"
    assert len(only.evidence) == 2


def test_said_for_good_it_ends_no_more() -> None:
    told = Told((0, "I'm off dairy this week."), (1, "I avoid dairy."))
    [only] = told.known.preferences
    assert only.valid_to is None
    assert told.held(300) == {("avoid", "dairy")}


def test_taken_back_it_ends_at_once() -> None:
    told = Told((0, "I'm off dairy this month."), (1, "I love dairy."))
    assert told.held(1) == told.held(20) == {("like", "dairy")}
    assert [p.status for p in told.known.preferences if p.stance == "avoid"] == ["superseded"]


def test_what_holds_always_anyway_gets_no_end() -> None:
    told = Told((0, "I avoid dairy."), (1, "I'm off dairy this week."))
    [only] = told.known.preferences
    assert only.valid_to is None
    assert len(only.evidence) == 2


def test_after_its_time_it_is_kept_as_ended_and_can_be_said_anew() -> None:
    told = Told((0, "I'm off dairy this week."), (30, "I'm off dairy this week."))
    old, new = sorted(told.known.preferences, key=lambda one: one.learnt_at)
    assert (old.status, old.status_reason) == ("superseded", "it was said to hold until 2026-11-22")
    assert new.status == "active"


def test_to_confirm_what_is_over_makes_it_last() -> None:
    [over] = Told((0, "I'm off dairy this week.")).known.preferences
    later = WEDNESDAY + 30 * DAY
    [kept] = curation.confirm([over], over.id, encoder=ENCODER, at=later)
    assert kept.valid_to is None
    [_, put] = curation.edit([over], over.id, {"target": "milk"}, encoder=ENCODER, at=WEDNESDAY + DAY)
    assert put.valid_to == over.valid_to, "what still lasts keeps its end"


def test_an_occasion_shows_its_hour() -> None:
    [only] = Told((0, "I'd prefer aisle seats this time.")).known.preferences
    assert until(only) == "until 2026-11-18 16:00"


def test_of_two_wishes_on_one_trait_the_one_with_a_number_counts() -> None:
    [said] = Told((0, "Please keep your answers short.")).known.preferences
    told = {
        "id": "m",
        "statement": "I want short replies (about 20 words).",
        "explicit": False,
        "strength": 0.6,
    }
    measured = said.model_copy(update=told)
    assert in_force([said, measured], WEDNESDAY) == [measured]
    over = measured.model_copy(update={"status": "superseded"})
    assert in_force([said, over], WEDNESDAY) == [said], "the words are still known"
    other = measured.model_copy(update={"target": "detailed replies"})
    assert in_force([said, other], WEDNESDAY) == [said, other]


def test_the_persona_says_the_same_words_once() -> None:
    told = Told((0, "I like dogs but not cats."))
    assert len(told.known.preferences) == 2
    assert told.persona(0).count("I like dogs but not cats.") == 1
