"""Which findings pass which checks."""

from __future__ import annotations

import pytest

from habitus.evals.lifelong.playing import Finding, Played
from habitus.evals.lifelong.scenarios import (
    AnswerProbe,
    AppliedProbe,
    Check,
    GoneProbe,
    LeakProbe,
    Scenario,
    StyleProbe,
    TruthProbe,
)
from habitus.evals.lifelong.scoring import passes, score

UPDATE = AnswerProbe(question="Where do I live?", right="Oslo", wrong=("Lima",))
UNTOLD = AnswerProbe(question="Where do I live?", declines=True, wrong=("Lima",))
COUNT = AnswerProbe(question="How many?", number=3)


@pytest.mark.parametrize(
    ("probe", "answer", "passed"),
    [
        (UPDATE, "In Oslo.", True),
        (UPDATE, "In Lima.", False),
        (UPDATE, "In Oslo. You live in Lima.", False),
        (UPDATE, "I don't know.", False),
        (UNTOLD, "I don't know.", True),
        (UNTOLD, "In Lima.", False),
        (UNTOLD, "I don't know. Your home is Lima.", False),
        (COUNT, "Three of them.", True),
        (COUNT, "2", False),
        (COUNT, "I don't know.", False),
    ],
)
def test_answers(probe: AnswerProbe, answer: str, passed: bool) -> None:
    assert passes(probe, Finding(answer=answer)) is passed


@pytest.mark.parametrize(
    ("tastes", "passed"),
    [
        (((True, "ferry", None),), True),
        (((True, "ferries", None), (True, "chess", None)), True),
        (((False, "ferries", None),), False),
        (((True, "ferries", None), (False, "ferries", None)), False),
        (((True, "ferries", "at work"),), False),
        ((), False),
    ],
)
def test_records_hold_what_is_true_and_not_its_opposite(
    tastes: tuple[tuple[bool, str, str | None], ...], passed: bool
) -> None:
    probe = TruthProbe(holds=((True, "ferries", None),), not_held=((False, "ferries", None),))
    assert passes(probe, Finding(tastes=tastes)) is passed


def test_what_is_applied_on_an_occasion_is_its_own_taste_alone() -> None:
    probe = AppliedProbe(request="?", wanted=(True, "ferries"), unwanted=(False, "ferries"))
    assert passes(probe, Finding(tastes=((True, "ferries", "at work"),)))
    assert not passes(probe, Finding(tastes=((True, "ferries", None), (False, "ferries", "at work"))))
    assert not passes(probe, Finding())


@pytest.mark.parametrize(
    ("styles", "passed"),
    [
        (("I want short replies.",), True),
        (("I want longer, detailed replies.",), False),
        (("I want short replies.", "I want detailed replies."), False),
        ((), False),
    ],
)
def test_only_the_wish_in_force_may_be_held(styles: tuple[str, ...], passed: bool) -> None:
    assert passes(StyleProbe(wants="shorter"), Finding(styles=styles)) is passed


def test_a_single_leak_or_a_change_of_the_owners_memory_fails() -> None:
    leak = LeakProbe(reader="a", owner="b", needles=("x1",), questions=("?",))
    assert passes(leak, Finding(n_read=9))
    assert not passes(leak, Finding(n_read=9, leaks={"recall": ("x1",)}))
    assert not passes(leak, Finding(n_read=9, leaks={"the owner's memory was changed": ()}))
    assert not passes(GoneProbe(needles=("x1",), questions=()), Finding(leaks={"file a": ("x1",)}))


def test_a_life_is_scored_by_the_share_of_its_checks_and_those_not_put_are_left_out() -> None:
    probes: tuple[AnswerProbe | StyleProbe, ...] = (UPDATE, UNTOLD, StyleProbe(wants="shorter"))
    life = Scenario(
        id="update-familiar-0000",
        type="update",
        profile=(),
        steps=(),
        checks=tuple(Check(minute=place, probe=probe) for place, probe in enumerate(probes)),
    )
    played = Played(
        question_id=life.id,
        question_type=life.type,
        said=(),
        findings=(Finding(answer="In Oslo."), Finding(answer="In Lima."), None),
    )
    assert score(life, played).views == {"passed.all": {"passed": 0.5}, "passed.answers": {"passed": 0.5}}
