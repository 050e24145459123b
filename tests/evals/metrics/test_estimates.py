"""Means, intervals and differences."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control, ttest_rel

from habitus.evals.metrics.estimates import (
    bootstrap,
    false_discovery_adjusted,
    paired_difference,
    percentiles,
    standard_error,
)


def test_bootstrap_gives_the_mean_of_each_column() -> None:
    first, second = bootstrap([[0.0, 1.0], [1.0, 1.0], [1.0, 1.0], [0.0, 1.0]])
    assert (first.n, first.mean) == (4, 0.5)
    assert first.low < 0.5 < first.high
    assert (second.mean, second.low, second.high) == (1.0, 1.0, 1.0)


def test_bootstrap_repeats_with_its_seed() -> None:
    values = np.random.default_rng(0).normal(size=(50, 1))
    assert bootstrap(values, seed=1) == bootstrap(values, seed=1)
    assert bootstrap(values, seed=1) != bootstrap(values, seed=2)


def test_bootstrap_interval_is_that_of_the_normal_approximation_for_many_rows() -> None:
    values = np.arange(400)[:, None] % 2
    (estimate,) = bootstrap(values, n_resamples=20_000)
    half_width = 1.96 * 0.5 / math.sqrt(400)
    assert estimate.low == pytest.approx(0.5 - half_width, abs=0.005)
    assert estimate.high == pytest.approx(0.5 + half_width, abs=0.005)


@pytest.mark.parametrize("values", [[], [1.0, 2.0]])
def test_bootstrap_needs_rows(values: list[float]) -> None:
    with pytest.raises(ValueError, match="at least one row"):
        bootstrap(values)


def test_percentiles_by_hand() -> None:
    found = percentiles([1.0, 2.0, 3.0, 4.0, 5.0], ranks=(50, 75))
    assert found == {"n": 5, "p50": 3.0, "p75": 4.0, "max": 5.0}


def test_percentiles_of_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentiles([])


def test_the_standard_error_by_hand() -> None:
    # variance ((-1)^2 + 0 + 1^2) / 2 = 1, over sqrt(3)
    assert standard_error([1.0, 2.0, 3.0]) == pytest.approx(1 / math.sqrt(3))
    with pytest.raises(ValueError, match="needs two values"):
        standard_error([1.0])


def test_a_constant_gain_is_beyond_noise_however_much_the_questions_differ() -> None:
    a = np.random.default_rng(0).normal(size=60)
    found = paired_difference(a, a + 0.1)
    assert found.difference == pytest.approx(0.1)
    assert [found.low, found.high] == pytest.approx([0.1, 0.1])
    assert found.p < 0.001


def test_equal_runs_do_not_differ() -> None:
    found = paired_difference([0.0, 1.0, 1.0], [0.0, 1.0, 1.0])
    assert (found.difference, found.low, found.high, found.p) == (0.0, 0.0, 0.0, 1.0)


def test_one_question_in_forty_is_noise_and_twelve_are_not() -> None:
    a = [0.0] * 40
    assert paired_difference(a, [1.0] + [0.0] * 39).p > 0.05
    twelve = paired_difference(a, [1.0] * 12 + [0.0] * 28)
    assert twelve.p < 0.01
    assert twelve.low > 0.0


def test_p_is_that_of_the_t_test_for_many_questions() -> None:
    rng = np.random.default_rng(3)
    a = rng.normal(size=300)
    b = a + rng.normal(0.05, 0.5, size=300)
    assert paired_difference(a, b).p == pytest.approx(ttest_rel(b, a).pvalue, abs=0.02)


def test_p_is_uniform_when_nothing_differs() -> None:
    rng = np.random.default_rng(5)
    found = [
        paired_difference(rng.normal(size=50), rng.normal(size=50), n_resamples=400, seed=seed).p
        for seed in range(200)
    ]
    assert 0.01 < np.mean(np.asarray(found) < 0.05) < 0.12


def test_runs_over_different_questions_cannot_be_paired() -> None:
    with pytest.raises(ValueError, match="got 1 and 2"):
        paired_difference([1.0], [1.0, 0.0])


def test_many_comparisons_are_adjusted_for() -> None:
    # Sorted .01 .02 .04 .2: times 4, 2, 4/3, 1.
    assert false_discovery_adjusted([0.04, 0.01, 0.2, 0.02]) == pytest.approx([0.16 / 3, 0.04, 0.2, 0.04])
    assert false_discovery_adjusted([]) == []


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=20))
def test_the_adjustment_is_scipys(p_values: list[float]) -> None:
    assert false_discovery_adjusted(p_values) == pytest.approx(list(false_discovery_control(p_values)))


@pytest.mark.parametrize(("n", "p"), [(1, 1.0), (2, 0.5), (5, 0.0625)])
def test_a_few_questions_alone_are_never_beyond_noise(n: int, p: float) -> None:
    assert paired_difference([0.0] * n, [1.0] * n).p == p
