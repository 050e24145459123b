"""Metrics against values computed by hand, and what holds for every ranking."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from habitus.evals.metrics import (
    bootstrap,
    containment,
    covered,
    first_ranks,
    longmemeval_ndcg,
    normalize_answer,
    percentiles,
    recall_all,
    recall_any,
    reciprocal_rank,
)

RANKED = ["a", "b", "c", "d"]

rankings = st.lists(st.sampled_from("abcdefgh"), unique=True)
relevants = st.sets(st.sampled_from("abcdefgh"), min_size=1)
ks = st.integers(1, 10)


@pytest.mark.parametrize(
    ("relevant", "k", "any_expected", "all_expected"),
    [
        ({"a"}, 1, 1.0, 1.0),
        ({"b"}, 1, 0.0, 0.0),
        ({"a", "c"}, 2, 1.0, 0.0),
        ({"a", "c"}, 3, 1.0, 1.0),
        ({"x"}, 4, 0.0, 0.0),
        ({"a", "x"}, 10, 1.0, 0.0),
    ],
)
def test_recall_by_hand(relevant: set[str], k: int, any_expected: float, all_expected: float) -> None:
    assert recall_any(RANKED, relevant, k) == any_expected
    assert recall_all(RANKED, relevant, k) == all_expected


@pytest.mark.parametrize(
    ("relevant", "k", "expected"),
    [
        ({"a"}, 5, 1.0),
        ({"b"}, 5, 1.0),  # the second rank is not discounted: log2(2) = 1
        ({"c"}, 5, 1 / math.log2(3)),
        ({"c"}, 2, 0.0),
        ({"a", "c"}, 5, (1 + 1 / math.log2(3)) / (1 + 1)),
        ({"c", "d"}, 5, (1 / math.log2(3) + 1 / 2) / (1 + 1)),
        # The ideal counts relevant documents that were never ranked.
        ({"a", "x", "y"}, 5, 1 / (1 + 1 + 1 / math.log2(3))),
        # The ideal has no more than k documents.
        ({"a", "b", "c"}, 2, 1.0),
    ],
)
def test_ndcg_by_hand(relevant: set[str], k: int, expected: float) -> None:
    assert longmemeval_ndcg(RANKED, relevant, k) == pytest.approx(expected)


@given(rankings, relevants, ks)
def test_ndcg_is_the_published_formula(ranked: list[str], relevant: set[str], k: int) -> None:
    def dcg(relevances: list[int]) -> float:
        first = np.asarray(relevances, dtype=float)[:k]
        if not first.size:
            return 0.0
        return float(first[0] + np.sum(first[1:] / np.log2(np.arange(2, first.size + 1))))

    corpus = [*ranked, *sorted(relevant - set(ranked))]
    actual = dcg([int(doc in relevant) for doc in ranked])
    ideal = dcg(sorted((int(doc in relevant) for doc in corpus), reverse=True))
    assert longmemeval_ndcg(ranked, relevant, k) == pytest.approx(actual / ideal)


@pytest.mark.parametrize(("relevant", "expected"), [({"a"}, 1.0), ({"c", "d"}, 1 / 3), ({"x"}, 0.0)])
def test_reciprocal_rank_by_hand(relevant: set[str], expected: float) -> None:
    assert reciprocal_rank(RANKED, relevant) == pytest.approx(expected)


def test_a_repeated_id_counts_once_at_its_best_rank() -> None:
    repeated = ["a", "a", "b", "a", "c"]
    assert first_ranks(repeated) == ["a", "b", "c"]
    assert recall_any(repeated, {"c"}, 3) == 1.0
    assert recall_all(repeated, {"a", "b"}, 2) == 1.0
    assert reciprocal_rank(repeated, {"b"}) == 0.5
    assert longmemeval_ndcg(repeated, {"a"}, 5) == 1.0


@given(rankings, relevants, ks)
def test_recall_grows_with_k_and_all_implies_any(ranked: list[str], relevant: set[str], k: int) -> None:
    assert recall_any(ranked, relevant, k) <= recall_any(ranked, relevant, k + 1)
    assert recall_all(ranked, relevant, k) <= recall_all(ranked, relevant, k + 1)
    assert recall_all(ranked, relevant, k) <= recall_any(ranked, relevant, k)


@given(rankings, relevants, ks)
def test_every_metric_lies_between_zero_and_one(ranked: list[str], relevant: set[str], k: int) -> None:
    values = [
        recall_any(ranked, relevant, k),
        recall_all(ranked, relevant, k),
        longmemeval_ndcg(ranked, relevant, k),
        reciprocal_rank(ranked, relevant),
        covered(ranked, relevant),
    ]
    assert all(0.0 <= value <= 1.0 + 1e-12 for value in values)


@given(relevants, ks)
def test_the_best_ranking_scores_one(relevant: set[str], k: int) -> None:
    best = [*sorted(relevant), "x", "y"]
    assert longmemeval_ndcg(best, relevant, k) == pytest.approx(1.0)
    assert reciprocal_rank(best, relevant) == recall_any(best, relevant, k) == 1.0
    assert recall_all(best, relevant, k) == float(len(relevant) <= k)


@given(rankings, relevants, ks)
def test_moving_a_relevant_id_up_never_hurts(ranked: list[str], relevant: set[str], k: int) -> None:
    for place in range(1, len(ranked)):
        if ranked[place] in relevant and ranked[place - 1] not in relevant:
            better = [*ranked[: place - 1], ranked[place], ranked[place - 1], *ranked[place + 1 :]]
            assert longmemeval_ndcg(better, relevant, k) >= longmemeval_ndcg(ranked, relevant, k) - 1e-12
            assert reciprocal_rank(better, relevant) >= reciprocal_rank(ranked, relevant)


@pytest.mark.parametrize(
    "metric",
    [
        lambda: recall_any(RANKED, set(), 1),
        lambda: recall_all(RANKED, set(), 1),
        lambda: longmemeval_ndcg(RANKED, set(), 1),
        lambda: reciprocal_rank(RANKED, set()),
        lambda: covered(RANKED, set()),
    ],
)
def test_a_question_without_relevant_ids_has_no_score(metric: Callable[[], float]) -> None:
    with pytest.raises(ValueError, match="has no score"):
        metric()


def test_k_must_be_positive() -> None:
    with pytest.raises(ValueError, match="k must be at least 1, got 0"):
        recall_any(RANKED, {"a"}, 0)


def test_coverage_needs_every_relevant_id() -> None:
    assert covered({"a", "b"}, {"a"}) == 1.0
    assert covered({"a", "b"}, {"a", "c"}) == 0.0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The  Green, TEA!", "green tea"),
        ("7-day", "7 day"),
        ("an hour", "hour"),
        ("Theatre", "theatre"),
        ("?!", ""),
    ],
)
def test_answers_are_compared_without_case_punctuation_and_articles(text: str, expected: str) -> None:
    assert normalize_answer(text) == expected


@pytest.mark.parametrize(
    ("reply", "answer", "expected"),
    [
        ("You drink the green tea.", "Green tea", 1.0),
        ("You drink greenish tea.", "green tea", 0.0),
        ("It took 15 days.", "5 days", 0.0),
        ("", "green tea", 0.0),
    ],
)
def test_containment_is_of_whole_words(reply: str, answer: str, expected: float) -> None:
    assert containment(reply, answer) == expected


def test_an_answer_without_words_cannot_be_contained() -> None:
    with pytest.raises(ValueError, match="holds no words"):
        containment("anything", "...")


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
