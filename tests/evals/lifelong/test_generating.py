"""Generated lives: seeded, sound, and in words that do not overlap between the two sets."""

from __future__ import annotations

from dataclasses import astuple
from typing import Any

import pytest

from habitus.evals.lifelong.familiar import FAMILIAR
from habitus.evals.lifelong.generating import generate, scenario
from habitus.evals.lifelong.held_out import HELD_OUT
from habitus.evals.lifelong.options import SKILLS, Skill, WordingName
from habitus.evals.lifelong.scenarios import AnswerProbe, GoneProbe, LeakProbe, Scenario
from habitus.evals.lifelong.wordings import OBJECTS, Wordings

BOTH: tuple[WordingName, ...] = ("familiar", "held_out")


def lives(skill: Skill) -> list[Scenario]:
    return generate(12, skills=(skill,), wordings=BOTH)


def texts(value: Any) -> set[str]:
    if isinstance(value, str):
        return {value} if "{" in value else set()
    return {text for one in value for text in texts(one)} if isinstance(value, (tuple, list)) else set()


def said(wordings: Wordings) -> set[str]:
    return texts(astuple(wordings))


def test_the_same_seed_gives_the_same_lives() -> None:
    assert generate(3, seed=1, wordings=BOTH) == generate(3, seed=1, wordings=BOTH)
    assert generate(3, seed=1) != generate(3, seed=2)


def test_more_lives_leave_the_first_ones_as_they_are() -> None:
    assert generate(2, skills=("update",)) == generate(5, skills=("update",))[:2]


def test_every_skill_comes_in_both_sets_of_wordings_under_ids_of_its_own() -> None:
    made = generate(2, wordings=BOTH)
    assert len({one.id for one in made}) == len(made) == 2 * 2 * len(SKILLS)
    assert {one.type for one in made} == set(SKILLS)


def test_no_wording_is_in_both_sets() -> None:
    assert said(FAMILIAR).isdisjoint(said(HELD_OUT))
    assert len(said(HELD_OUT)) > 100


@pytest.mark.parametrize("skill", SKILLS)
def test_time_passes_and_everything_is_asked_in_the_end(skill: Skill) -> None:
    for life in lives(skill):
        minutes = [step.minute for step in life.steps] + [check.minute for check in life.checks]
        assert minutes == sorted(set(minutes))
        assert life.checks


@pytest.mark.parametrize("wordings", [FAMILIAR, HELD_OUT])
def test_no_value_is_part_of_another(wordings: Wordings) -> None:
    kinds = [one.values for one in wordings.attributes] + [one.items for one in wordings.series]
    for values in [*kinds, *OBJECTS]:
        for one in values:
            assert [other for other in values if one.lower() in other.lower()] == [one]


def test_what_an_update_asks_for_was_told_last_of_its_kind() -> None:
    for life in lives("update"):
        for check in life.checks:
            assert isinstance(check.probe, AnswerProbe)
            assert check.probe.right is not None
            right = last_naming(life, check.probe.right)
            assert all(last_naming(life, wrong) <= right for wrong in check.probe.wrong)


def last_naming(life: Scenario, value: str) -> int:
    return max(place for place, step in enumerate(life.steps) if value in step.text)


def test_a_count_is_of_what_happened_and_not_of_what_was_only_mentioned() -> None:
    for life in lives("counting"):
        (check,) = life.checks
        assert isinstance(check.probe, AnswerProbe)
        happened = life.profile[0].partition(": ")[2].split(", ")
        assert check.probe.number == len(happened)
        mentioned = {name for step in life.steps for name in step.names}
        assert len(mentioned) == len(happened) + 2


def test_what_is_to_be_forgotten_was_told_in_one_message_besides_the_request() -> None:
    for life in lives("forgetting"):
        gone = life.checks[-1].probe
        assert isinstance(gone, GoneProbe)
        told = [step for step in life.steps if gone.needles[0] in step.text]
        asked = [step for step in life.steps if step.how == "forget" or "forget" in step.intent]
        assert [step for step in told if step not in asked]
        assert len(asked) == 1


def test_a_secret_is_told_by_its_owner_alone_and_is_in_no_question() -> None:
    for life in lives("isolation"):
        (check,) = life.checks
        assert isinstance(check.probe, LeakProbe)
        assert check.probe.reader != check.probe.owner
        for needle in check.probe.needles:
            assert {step.user for step in life.steps if needle in step.text} == {check.probe.owner}
            assert not [question for question in check.probe.questions if needle in question]


def test_every_other_isolation_life_is_searched_through_the_derived_indexes() -> None:
    assert [scenario("isolation", number).derived for number in range(3)] == [False, True, False]


def test_a_life_survives_being_written_and_read() -> None:
    for life in generate(1, wordings=BOTH):
        assert Scenario.model_validate_json(life.model_dump_json()) == life
