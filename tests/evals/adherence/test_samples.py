"""What is told, what comes in between, and what is asked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from habitus.evals.adherence.samples import AdherenceSample, Distractors, exchanges, read_distractors
from habitus.evals.longmemeval.files import DatasetError, HaystackSession, HaystackTurn
from habitus.evals.prefeval.files import distractor_sessions

Make = Callable[..., list[AdherenceSample]]


def between(sample: AdherenceSample) -> list[str]:
    return [text for conversation in sample.others for _, text in conversation]


def test_every_item_is_asked_at_every_distance(made: Make) -> None:
    samples = made(distances=(0, 1, 3))
    assert [sample.id for sample in samples] == [
        f"explicit/{topic}/0/{distance}" for topic in ("boats", "bread") for distance in (0, 1, 3)
    ]
    assert [len(between(sample)) for sample in samples] == [0, 2, 6] * 2
    assert samples[0].told == (("user", "I avoid noisy speedboats."),)


def test_a_near_distance_is_the_beginning_of_a_far_one(made: Make) -> None:
    near, far = made(distances=(1, 3))[:2]
    assert between(far)[:2] == between(near)
    assert [role for conversation in far.others for role, _ in conversation] == ["user", "assistant"] * 3


def test_topics_have_conversations_of_their_own_and_the_seed_orders_them(made: Make) -> None:
    boats, bread = made(distances=(4,))
    assert not set(between(boats)) & set(between(bread))
    assert made(distances=(4,), seed=0) == [boats, bread]
    assert between(made(distances=(4,), seed=1)[0]) != between(boats)


def test_implicit_forms_end_with_the_answers_of_the_file(made: Make) -> None:
    choice, persona = made(form="choice")[0], made(form="persona")[0]
    assert [role for role, _ in choice.told] == ["user", "assistant"] * 2
    assert choice.told[-1] == ("assistant", "The first it is.")
    assert ("user", "By the way, I avoid noisy speedboats.") in persona.told


def test_options_are_shuffled_by_the_seed_alike_at_every_distance(made: Make) -> None:
    at_0, at_3 = made(task="classification")[:2]
    assert at_0.options == at_3.options
    assert at_0.options["ABCD".index(at_0.gold)] == "A sailing dinghy."
    assert sorted(at_0.options) == sorted(
        ("A sailing dinghy.", "A loud speedboat.", "A ferry ticket.", "Rye crackers.")
    )
    golds = {made(task="classification", seed=seed)[0].gold for seed in range(12)}
    assert len(golds) > 1
    assert made(task="classification", form="persona")[0].options == at_0.options


def test_options_of_another_release_are_refused(folder: Path, made: Make) -> None:
    path = folder / "mcq_options" / "boats.json"
    path.write_text(path.read_text().replace("Which boat", "What boat"))
    with pytest.raises(DatasetError, match="does not ask what its options answer"):
        made(task="classification")


def test_too_few_conversations_are_refused(fillers: Path) -> None:
    with pytest.raises(DatasetError, match="hold 16 exchanges, but a distance of 17"):
        read_distractors(fillers, ["boats"], 17, seed=0)
    many = Distractors(distractor_sessions(fillers, 100), ["a", "b", "c"], 16, seed=0)
    assert all(sum(map(len, many.upto(topic, 16))) == 32 for topic in "abc")


def test_messages_without_a_counterpart_are_left_out() -> None:
    told = [
        ("assistant", "Hello."),
        ("user", "One?"),
        ("user", "Two?"),
        ("assistant", "Yes."),
        ("user", "Bye."),
    ]
    turns = tuple(HaystackTurn(role, text, False) for role, text in told)  # type: ignore[arg-type]
    session = HaystackSession("s", datetime(2025, 1, 1, tzinfo=UTC), turns)
    assert exchanges(session) == (("user", "Two?"), ("assistant", "Yes."))
