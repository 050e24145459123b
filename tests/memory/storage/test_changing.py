"""One attribute, one truth: what is said later of the same matter ends what was said before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from habitus.memory.extraction import extract
from habitus.memory.known.knowledge import Knowledge
from habitus.memory.records import Turn
from habitus.retrievers.encoder import HashingEncoder

ENCODER = HashingEncoder()
START = datetime(2025, 3, 1, 9, tzinfo=UTC)

Tastes = set[tuple[str, str, str | None]]


def known_after(*said: str) -> Knowledge:
    known = Knowledge("u", preferences=(), facts=(), persona=None, profile=None, encoder=ENCODER)
    for day, text in enumerate(said):
        at = START + timedelta(days=day)
        turn = Turn(id=f"t{day}", user_id="u", session_id="s", index=day, role="user", text=text, at=at)
        known.learn(extract(turn), at)
    return known


def tastes(known: Knowledge) -> Tastes:
    return {(p.stance, p.target, p.scope) for p in known.preferences if p.status == "active"}


def facts(known: Knowledge) -> set[tuple[str, str]]:
    return {(f.attribute, f.value) for f in known.facts if f.status == "active"}


@pytest.mark.parametrize(
    ("said", "truth"),
    [
        (("My favourite colour is green.", "My favourite colour is blue now."), {("like", "blue", None)}),
        (
            ("My favourite band is Blur.", "My favourite band used to be Blur, now it's Pulp."),
            {("like", "pulp", None)},
        ),
        (("I'm vegan.", "I'm vegetarian now."), {("require", "vegetarian", None)}),
        (("I'm vegetarian.", "I eat fish now."), {("like", "fish", None)}),
        (("I love coffee.", "I don't drink coffee any more."), {("avoid", "coffee", None)}),
        (("I don't drink coffee any more.", "I drink coffee again."), {("like", "coffee", None)}),
        (("I love coffee.", "I only drink coffee on weekends."), {("like", "coffee", "on weekends")}),
        (
            ("I always take the train to work.", "I don't take the train any more."),
            {("avoid", "train", None)},
        ),
        (("I hate jazz.", "Jazz has grown on me."), {("like", "jazz", None)}),
        (("I'm allergic to nuts.", "It turns out I'm not allergic to nuts."), set()),
        (("I love running.", "My knees can't handle running any more."), {("avoid", "running", None)}),
    ],
)
def test_the_latest_wins(said: tuple[str, ...], truth: Tastes) -> None:
    known = known_after(*said)

    assert tastes(known) == truth
    assert any(p.status in ("superseded", "retracted") for p in known.preferences), "history is kept"


@pytest.mark.parametrize(
    ("said", "truth"),
    [
        (("I'm vegan.", "I eat oats now."), {("require", "vegan", None), ("like", "oats", None)}),
        (("I'm vegan.", "I drink oat milk now."), {("require", "vegan", None), ("like", "oat milk", None)}),
        (
            ("My favourite colour is green.", "My favourite band is Blur."),
            {("like", "green", None), ("like", "blur", None)},
        ),
        (
            ("My favourite colours are green and blue.", "I like red."),
            {("like", "green and blue", None), ("like", "red", None)},
        ),
    ],
)
def test_what_does_not_contradict_stays(said: tuple[str, ...], truth: Tastes) -> None:
    assert tastes(known_after(*said)) == truth


@pytest.mark.parametrize(
    ("said", "truth"),
    [
        (("I work as a nurse.", "I quit my job last week."), {("left_job", "quit my job")}),
        (
            ("I work at Siemens.", "I quit my job.", "I started at Bosch on Monday."),
            {("works_at", "Bosch")},
        ),
        (("I'm a nurse.", "I'm a teacher now."), {("job", "teacher")}),
        (("I live in Lyon.", "I've moved from Lyon to Oslo."), {("lives_in", "Oslo")}),
        (("I work at Siemens.", "I no longer work at Siemens."), set()),
        (("I'm single.", "I got married."), {("status", "married")}),
        (("My doctor put me on beta blockers.",), {("takes", "beta blockers")}),
    ],
)
def test_a_new_fact_ends_the_old_one(said: tuple[str, ...], truth: set[tuple[str, str]]) -> None:
    assert facts(known_after(*said)) == truth


def test_statements_that_contradict_each_other_in_one_message_leave_the_last() -> None:
    known = known_after("I love olives. Actually no, I hate olives.")

    assert tastes(known) == {("dislike", "olives", None)}


def test_the_name_of_a_person_is_told_as_a_sentence() -> None:
    (fact,) = known_after("My daughter Ida.").facts

    assert (fact.subject, fact.value, fact.statement) == ("daughter", "Ida", "My daughter is called Ida.")
