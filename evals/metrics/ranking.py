"""Metrics of a ranking, as pure functions of one question.

A ranking is a sequence of ids, best first; ids that come again after their best rank count once.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence


def first_ranks(ranked: Iterable[str]) -> list[str]:
    """Return the `ranked` ids with every id at its best rank only."""
    return list(dict.fromkeys(ranked))


def recall_any(ranked: Sequence[str], relevant: Collection[str], k: int) -> float:
    """Return 1 if a relevant id is among the first `k` of the `ranked`, else 0. Higher is better; 0 or 1.

    LongMemEval's `recall_any@k` (`eval_utils.py` of the official repository); its mean over questions
    is what most products publish as R@k. At `k` = 1 it is R@1.

    Raises:
        ValueError: `relevant` is empty or `k` is below 1.
    """
    _check(relevant, k)
    return float(not set(first_ranks(ranked)[:k]).isdisjoint(relevant))


def recall_all(ranked: Sequence[str], relevant: Collection[str], k: int) -> float:
    """Return 1 if every relevant id is among the first `k` of the `ranked`, else 0. Higher is better.

    LongMemEval's `recall_all@k`. It cannot be 1 where there are more than `k` relevant ids.

    Raises:
        ValueError: `relevant` is empty or `k` is below 1.
    """
    _check(relevant, k)
    return float(set(relevant) <= set(first_ranks(ranked)[:k]))


def longmemeval_ndcg(ranked: Sequence[str], relevant: Collection[str], k: int) -> float:
    """Return LongMemEval's NDCG@k of the `ranked` ids with binary relevance. Higher is better; 0..1.

    DCG = rel[0] + sum over i >= 1 of rel[i] / log2(i + 1), for 0-based i, over the first `k`; divided by
    the DCG of the best possible ranking of the whole corpus. Unlike the usual NDCG (discount
    log2(i + 2)), the second rank is not discounted: log2(2) = 1. Source: `eval_utils.py` of the
    official repository (`ndcg_any@k`).

    Raises:
        ValueError: `relevant` is empty or `k` is below 1.
    """
    _check(relevant, k)
    gold = set(relevant)
    ideal = _dcg([True] * min(len(gold), k))
    return _dcg([doc in gold for doc in first_ranks(ranked)[:k]]) / ideal


def ndcg(ranked: Sequence[str], relevant: Collection[str], k: int) -> float:
    """Return the usual NDCG@k with binary relevance. Higher is better; 0..1.

    DCG = sum over the first `k` of rel[i] / log2(i + 2), for 0-based i, divided by that of the best
    possible ranking (Järvelin and Kekäläinen, TOIS 2002, with the logarithmic discount that trec_eval and
    scikit-learn use). `longmemeval_ndcg` is another measure: its second rank is not discounted.

    Raises:
        ValueError: `relevant` is empty or `k` is below 1.
    """
    _check(relevant, k)
    gold = set(relevant)
    gain = sum(1.0 / math.log2(i + 2) for i, doc in enumerate(first_ranks(ranked)[:k]) if doc in gold)
    return gain / sum(1.0 / math.log2(i + 2) for i in range(min(len(gold), k)))


def hit_ratio(ranked: Sequence[str], relevant: Collection[str], k: int) -> float:
    """Return 1 if a relevant id is among the first `k`, else 0. Higher is better.

    The recommender's name of `recall_any`; arguments and errors are those.
    """
    return recall_any(ranked, relevant, k)


def precision(ranked: Sequence[str], relevant: Collection[str], k: int) -> float:
    """Return the share of relevant ids among the first `k` of the `ranked`. Higher is better; 0..1.

    A ranking shorter than `k` is not let off: the divisor stays `k` (Manning et al., Introduction to
    Information Retrieval, 2008, chapter 8).

    Raises:
        ValueError: `relevant` is empty or `k` is below 1.
    """
    _check(relevant, k)
    return len(set(first_ranks(ranked)[:k]) & set(relevant)) / k


def recall(ranked: Sequence[str], relevant: Collection[str], k: int) -> float:
    """Return the share of the relevant ids that are among the first `k`. Higher is better; 0..1.

    Between `recall_any` and `recall_all`: all three are the same where one id is relevant.

    Raises:
        ValueError: `relevant` is empty or `k` is below 1.
    """
    _check(relevant, k)
    return len(set(first_ranks(ranked)[:k]) & set(relevant)) / len(set(relevant))


def reciprocal_rank(ranked: Sequence[str], relevant: Collection[str]) -> float:
    """Return 1 / rank of the first relevant id, 0 if none is ranked. Higher is better; 0..1.

    Its mean over questions is MRR (Voorhees, TREC-8 1999).

    Raises:
        ValueError: `relevant` is empty.
    """
    _check(relevant, 1)
    gold = set(relevant)
    return next((1.0 / rank for rank, doc in enumerate(first_ranks(ranked), start=1) if doc in gold), 0.0)


def covered(packed: Collection[str], relevant: Collection[str]) -> float:
    """Return 1 if every relevant id is in the packed context, else 0. Higher is better; 0 or 1.

    Its mean is the share of questions whose whole evidence reaches the prompt. Give only the ids of
    turns packed in full to leave out those that were cut.

    Raises:
        ValueError: `relevant` is empty.
    """
    _check(relevant, 1)
    return float(set(relevant) <= set(packed))


def _dcg(relevances: Sequence[bool]) -> float:
    return sum(
        float(relevant) / (math.log2(place + 1) if place else 1.0)
        for place, relevant in enumerate(relevances)
    )


def _check(relevant: Collection[str], k: int) -> None:
    if not relevant:
        raise ValueError("a question without relevant ids has no score; leave it out")
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k!r}")
