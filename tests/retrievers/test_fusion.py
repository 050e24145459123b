import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from habitus.retrievers.fusion import standardise, weighted_sum

scores = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=50)


@given(scores)
def test_standardised_scores_have_mean_0_and_keep_their_order(values: list[float]) -> None:
    done = standardise(values)
    assert abs(done.mean()) < 1e-6
    order = np.argsort(values, kind="stable")
    assert np.all(np.diff(done[order]) >= -1e-9)


def test_standardised_scores_have_deviation_1() -> None:
    assert standardise([1.0, 2.0, 6.0]).std() == pytest.approx(1.0)


def test_equal_scores_say_nothing() -> None:
    assert standardise([3.0, 3.0, 3.0]).tolist() == [0.0, 0.0, 0.0]
    assert standardise([838861.1441781973] * 5).tolist() == [0.0] * 5
    assert standardise([]).shape == (0,)


def test_arms_on_different_scales_count_alike() -> None:
    fused = weighted_sum({"a": [0.1, 0.2, 0.3], "b": [300.0, 200.0, 100.0]}, {"a": 1.0, "b": 1.0})
    assert fused == pytest.approx([0.0, 0.0, 0.0])


def test_a_heavier_arm_decides() -> None:
    fused = weighted_sum({"a": [0.0, 1.0], "b": [1.0, 0.0]}, {"a": 2.0, "b": 1.0})
    assert fused[1] > fused[0]


def test_a_weight_without_an_arm_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"unknown arms \['c'\]"):
        weighted_sum({"a": [1.0]}, {"c": 1.0})
