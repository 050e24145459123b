"""Generated lives: what they say, and what holds after it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from habitus.evals.prefeval.lifelines import Truth, holds, life_line, life_lines
from habitus.memory.extraction import extract
from habitus.memory.records import Preference, Turn

AT = datetime(2025, 1, 6, tzinfo=UTC)


def known(*texts: str) -> list[Preference]:
    return [
        preference
        for n, text in enumerate(texts)
        for preference in extract(
            Turn(id=f"t{n}", user_id="u", session_id="s", index=n, role="user", text=text, at=AT)
        ).preferences
    ]


def test_the_same_seed_gives_the_same_lives() -> None:
    assert life_lines(20, seed=3) == life_lines(20, seed=3)
    assert life_lines(20, seed=3) != life_lines(20, seed=4)


def test_lives_differ_and_every_kind_of_line_occurs() -> None:
    lives = life_lines(60)

    assert len({tuple(line.text for line in life) for life in lives}) == 60
    assert {line.kind for life in lives for line in life} == {
        "state",
        "contradict",
        "restrict",
        "retract",
        "restate",
        "replace",
        "ordinary",
    }


@pytest.mark.parametrize("seed", range(25))
def test_time_passes_and_only_an_ordinary_line_leaves_what_holds_as_it_is(seed: int) -> None:
    life = life_line(seed)

    assert [line.at for line in life] == sorted({line.at for line in life})
    for before, line in zip(life, life[1:], strict=False):
        if line.kind == "ordinary":
            assert line.truth == before.truth
        if line.kind in ("contradict", "retract", "replace"):
            assert line.truth != before.truth


@pytest.mark.parametrize("seed", range(25))
def test_of_one_object_and_occasion_only_one_side_holds(seed: int) -> None:
    for line in life_line(seed):
        assert len({(it, occasion) for _, it, occasion in line.truth}) == len(line.truth)


@pytest.mark.parametrize(
    ("texts", "truth", "held"),
    [
        (["I like ferries."], {(True, "ferries", None)}, True),
        (["I like ferries."], {(False, "ferries", None)}, False),
        (["I like ferries."], {(True, "cable cars", None)}, False),
        (["I like ferries."], set(), False),
        ([], {(True, "ferries", None)}, False),
        (["I avoid ferries at work."], {(False, "ferries", "at work")}, True),
        (["I avoid ferries at work."], {(False, "ferries", None)}, False),
        (["I like ferries.", "I like cable cars."], {(True, "ferries", None)}, False),
        (["I like ferries.", "Keep your answers short."], {(True, "ferries", None)}, True),
    ],
)
def test_what_is_known_must_be_what_holds_no_less_and_no_more(
    texts: list[str], truth: Truth, held: bool
) -> None:
    assert holds(known(*texts), frozenset(truth)) is held


def test_what_is_over_does_not_count() -> None:
    (old,) = known("I like ferries.")

    assert holds([old.model_copy(update={"status": "superseded", "valid_to": AT})], frozenset())
