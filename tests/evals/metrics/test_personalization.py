"""Personalisation measured against values computed by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from habitus.evals.metrics.personalization import (
    DocumentDistances,
    Pick,
    alignment_accuracy,
    degress,
    egises,
    measure_document,
    order_consistency,
    p_accuracy,
    perseval,
    rating,
    win_rate,
)

TWO = DocumentDistances(
    wanted=np.array([[0.0, 0.4], [0.4, 0.0]]),
    written=np.array([[0.0, 0.2], [0.2, 0.0]]),
    wanted_to_document=np.array([0.5, 0.5]),
    written_to_document=np.array([0.5, 0.5]),
    written_to_wanted=np.array([0.0, 0.0]),
)


def test_two_users_have_one_other_so_nothing_is_weighted() -> None:
    expected = (0.2 + 1e-5) / (0.4 + 1e-5)
    assert degress([TWO]) == pytest.approx(expected)
    assert egises([TWO]) == pytest.approx(1 - expected)


def test_three_users_are_weighted_by_softmax_of_relative_distance() -> None:
    wanted = np.array([[0.0, 0.2, 0.4], [0.2, 0.0, 0.4], [0.4, 0.4, 0.0]])
    found = DocumentDistances(
        wanted=wanted,
        written=np.full((3, 3), 0.3) - 0.3 * np.eye(3),
        wanted_to_document=np.array([0.5, 1.0, 0.8]),
        written_to_document=np.array([0.6, 0.6, 0.6]),
        written_to_wanted=np.zeros(3),
    )

    def user(distances: tuple[float, float], to_document: float) -> float:
        powers = [math.exp(distance / to_document) for distance in distances]
        total = 0.0
        for distance, power in zip(distances, powers, strict=True):
            x, y = distance * power / sum(powers), 0.3 / 2
            total += (min(x, y) + 1e-5) / (max(x, y) + 1e-5)
        return total / 2

    expected = (user((0.2, 0.4), 0.5) + user((0.2, 0.4), 1.0) + user((0.4, 0.4), 0.8)) / 3
    assert degress([found]) == pytest.approx(expected)


def test_the_same_text_for_everybody_is_not_personal() -> None:
    same = replace(TWO, written=np.zeros((2, 2)))
    assert degress([same]) < 1e-4
    assert egises([same]) > 0.999
    assert egises([replace(TWO, written=TWO.wanted)]) == pytest.approx(0.0)


def test_documents_count_alike() -> None:
    perfect = replace(TWO, written=TWO.wanted)
    assert degress([TWO, perfect]) == pytest.approx((degress([TWO]) + 1) / 2)


def test_perseval_by_hand() -> None:
    # Nobody missed: both penalties are s(4, 0) = 1 / (1 + 10^4).
    small = 1 / (1 + 1e4)
    effective = 1 - 1 / (1 + 1e3 * math.exp(-10 * 2 * small))
    assert perseval([TWO]) == pytest.approx(degress([TWO]) * effective)
    # All missed altogether: the drop is 1.
    missed = replace(TWO, written_to_wanted=np.array([1.0, 1.0]))
    effective = 1 - 1 / (1 + 1e3 * math.exp(-10 * (1 + small)))
    assert perseval([missed]) == pytest.approx(degress([TWO]) * effective, rel=1e-5)
    assert perseval([missed]) < 0.05 * perseval([TWO])


def test_perseval_punishes_serving_one_user_worse() -> None:
    # d_min 0, d_mean .2, so the second user's inconsistency is s(4, .4 / .2).
    uneven = replace(TWO, written_to_wanted=np.array([0.0, 0.4]))
    small = 1 / (1 + 1e4)
    worse = 1 / (1 + 1e4 * math.exp(-20))

    def effective(penalty: float) -> float:
        return 1 - 1 / (1 + 1e3 * math.exp(-10 * penalty))

    expected = degress([TWO]) * (effective(2 * small) + effective(small + worse)) / 2
    assert perseval([uneven]) == pytest.approx(expected, rel=1e-4)
    assert perseval([uneven]) < perseval([TWO])


def test_distances_are_measured_between_the_right_texts() -> None:
    def by_length(one: str, other: str) -> float:
        return abs(len(one) - len(other)) / 10

    found = measure_document("x" * 10, ["a", "aaa"], ["b" * 2, "b" * 7], by_length)
    assert found.wanted.tolist() == [[0.0, 0.2], [0.2, 0.0]]
    assert found.written.tolist() == [[0.0, 0.5], [0.5, 0.0]]
    assert found.wanted_to_document.tolist() == [0.9, 0.7]
    assert found.written_to_document.tolist() == [0.8, 0.3]
    assert found.written_to_wanted.tolist() == [0.1, 0.4]


def test_what_cannot_be_measured_is_said() -> None:
    with pytest.raises(ValueError, match="two users at least"):
        measure_document("d", ["a"], ["b"], lambda one, other: 0.0)
    with pytest.raises(ValueError, match=r"not in \[0, 1\]"):
        measure_document("d", ["a", "b"], ["a", "b"], lambda one, other: 2.0)
    with pytest.raises(ValueError, match="no documents"):
        egises([])


def test_p_accuracy_falls_as_texts_become_alike() -> None:
    assert p_accuracy(0.8, 0.0, alpha=0.5) == pytest.approx(0.8 - 0.25)
    assert p_accuracy(0.8, 1.0, alpha=0.5, beta=2.0) == pytest.approx(0.8 - 0.5 / (1 + math.exp(-2)))
    assert p_accuracy(0.8, 1.0, alpha=0.0) == 0.8
    with pytest.raises(ValueError, match="egises_value"):
        p_accuracy(0.5, 1.5)


def test_only_a_win_in_both_orders_is_a_win() -> None:
    verdicts: list[tuple[Pick, Pick]] = [("a", "a"), ("b", "b"), ("a", "b"), ("tie", "a")]
    assert win_rate(verdicts) == pytest.approx((1 + 0 + 0.5 + 0.5) / 4)
    assert order_consistency(verdicts) == 0.5


def test_a_judge_that_always_takes_the_first_place_is_even_and_caught() -> None:
    verdicts: list[tuple[Pick, Pick]] = [("a", "b")] * 5
    assert (win_rate(verdicts), order_consistency(verdicts)) == (0.5, 0.0)


def test_alignment_accuracy_by_hand() -> None:
    assert alignment_accuracy([2.0, 1.0, 0.5], [1.0, 3.0, 0.5]) == pytest.approx((1 + 0 + 0.5) / 3)
    with pytest.raises(ValueError, match="got 1 and 0"):
        alignment_accuracy([1.0], [])


def test_a_rating_is_brought_to_one_scale() -> None:
    assert rating([1, 3, 5, 5]) == pytest.approx((3.5 - 1) / 4)
    assert rating([0.0, 10.0], lowest=0.0, highest=10.0) == 0.5
    with pytest.raises(ValueError, match=r"off the scale 1\.\.5"):
        rating([6])
    with pytest.raises(ValueError, match="no ratings"):
        rating([])
