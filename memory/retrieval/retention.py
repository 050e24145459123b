"""Retention policies: what a memory is still worth, as published and made deterministic. Pure functions.

A policy deletes nothing. It gives every memory a strength from 0 to 1 out of when it was said, when and
how often it was recalled since; a memory below the policy's bound is dormant: not retrieved until it is
recalled or said again. The strength of the others is a factor of their odds to be what is asked for: the
scores of a ranking are log-odds, so its logarithm is added to them. `generative_agents` has a sum of its
own instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from habitus.memory.records import Access
from habitus.memory.retrieval.recall import Ranking
from habitus.memory.store import Candidates
from habitus.retrievers.analysis import FUNCTION_STEMS, analyze
from habitus.retrievers.fusion import Scores

Retention = Literal["none", "memorybank", "malp", "ld_agent", "generative_agents", "conditional"]

DAY, HOUR = 86_400.0, 3_600.0

DORMANT_BELOW = 0.05
"""MemoryBank: a memory that was never recalled is dormant three days after it was said."""
TRANSIT_THRESHOLD = 3
"""MaLP: uses from which a memory is long-term; the saying counts as one."""
SHORT_TERM_CAPACITY = 100
"""MaLP: so many of the memories used last are held in short-term memory."""
TIME_DECAY = 1e-7
"""LD-Agent: tau, a second; a memory is worth half after 80 days."""
RECENCY_DECAY = 0.995
"""Generative Agents: of recency, an hour."""


@dataclass(frozen=True, kw_only=True)
class Traces:
    """What a policy looks at, of n memories.

    Attributes:
        used_at: shape `(n,)`, when each was last recalled, or else said; seconds since 1970.
        n_recalls: shape `(n,)`, how often each was recalled since it was said.
        overlap: shape `(n,)`, `topic_overlap` with the question; only `ld_agent` reads it.
        importance: shape `(n,)`, 0..1; only `generative_agents` and `conditional` read it.
    """

    used_at: Scores
    n_recalls: npt.NDArray[np.int64]
    overlap: Scores
    importance: Scores

    @classmethod
    def of(
        cls,
        candidates: Candidates,
        accesses: Sequence[Access],
        *,
        overlap: Mapping[str, float],
        importance: Mapping[str, float],
    ) -> Traces:
        """Gather the traces of candidates; both mappings are by turn id, what is not in them is 0."""
        known = {access.turn_id: access for access in accesses}
        found = [known.get(turn_id) for turn_id in candidates.turn_ids]
        recalled_at = np.array([-np.inf if one is None else one.at.timestamp() for one in found])
        return cls(
            used_at=np.maximum(candidates.at, recalled_at),
            n_recalls=np.array([0 if one is None else one.n for one in found], dtype=np.int64),
            overlap=np.array([overlap.get(turn_id, 0.0) for turn_id in candidates.turn_ids]),
            importance=np.array([importance.get(turn_id, 0.0) for turn_id in candidates.turn_ids]),
        )


def memorybank(traces: Traces, now: float, *, unit: float = DAY) -> Scores:
    """Return `R = exp(-t / S)`: t units since last use, S one more for each recall.

    Zhong et al. 2023, MemoryBank, after Ebbinghaus' forgetting curve. There a memory is dropped at
    random with probability `1 - R`; here it is dormant below a fixed R.

    Args:
        traces: of n memories.
        now: seconds since 1970.
        unit: seconds in which a memory that was never recalled falls to 1/e; the authors' is a day.
    """
    elapsed = np.maximum(0.0, now - traces.used_at) / unit
    return np.asarray(np.exp(-elapsed / (1.0 + traces.n_recalls)))


def malp(traces: Traces) -> Scores:
    """Return the share of `TRANSIT_THRESHOLD` uses that a memory has had, 0 when it has left memory.

    Zhang et al. 2023, MaLP (dual-process enhanced memory): what is used often enough passes from
    short-term to long-term memory and stays; of the rest short-term memory holds what was used last.
    """
    n_uses = 1.0 + traces.n_recalls
    promoted = n_uses >= TRANSIT_THRESHOLD
    newest = np.argsort(-np.where(promoted, -np.inf, traces.used_at), kind="stable")[:SHORT_TERM_CAPACITY]
    held = promoted.copy()
    held[newest] = True
    return np.where(held, np.minimum(1.0, n_uses / TRANSIT_THRESHOLD), 0.0)


def ld_agent(traces: Traces, now: float) -> Scores:
    """Return `exp(-tau * dt) * overlap`, dt in seconds since last use.

    Li et al. 2024, LD-Agent. It retrieves nothing that shares no topic word with the question.
    """
    elapsed = np.maximum(0.0, now - traces.used_at)
    return np.asarray(np.exp(-TIME_DECAY * elapsed) * traces.overlap)


def generative_agents(traces: Traces, relevance: Scores, now: float) -> Scores:
    """Return recency + importance + relevance, each brought to 0..1 over the memories: 0..3.

    Park et al. 2023, Generative Agents, with all three weights 1 as in the paper. Recency is
    `0.995 ** hours` since last use. Importance, which the authors ask a language model for, is given.
    """
    hours = np.maximum(0.0, now - traces.used_at) / HOUR
    recency = np.power(RECENCY_DECAY, hours)
    return _to_unit(recency) + _to_unit(traces.importance) + _to_unit(relevance)


def conditional(traces: Traces) -> Scores:
    """Return 1 for what something of importance rests on, 0 for the rest.

    Yuan et al. 2025, conditional memory: of a dialogue only that is memorised which is worth it. There a
    language model judges each utterance; here the importance is given.
    """
    return np.asarray(traces.importance > 0.0, dtype=np.float64)


def _to_unit(values: npt.NDArray[np.floating[Any]]) -> Scores:
    low, high = float(values.min()), float(values.max())
    if high == low:
        return np.full(len(values), 0.5)
    return np.asarray((values - low) / (high - low), dtype=np.float64)


def topic_overlap(question: str, text: str) -> float:
    """Return half the share of the question's topic words in the text plus half the reverse, 0..1.

    Li et al. 2024, LD-Agent, eq. for the topic score. Topic words are nouns there; here stems of words
    that are no function words, so that no tagger is needed.
    """
    asked, said = (set(analyze(words)) - FUNCTION_STEMS for words in (question, text))
    if not asked or not said:
        return 0.0
    shared = len(asked & said)
    return 0.5 * shared / len(asked) + 0.5 * shared / len(said)


def retained(
    ranking: Ranking,
    candidates: Candidates,
    traces: Traces,
    policy: Retention,
    *,
    at: datetime,
    unit: timedelta = timedelta(days=1),
) -> Ranking:
    """Rank anew what a policy still holds; `none` returns the very ranking.

    A session stands where its best turn stands; one whose turns are all dormant is left out.

    Args:
        ranking: by `rank`, over the same candidates.
        candidates: of one user.
        traces: a row per candidate.
        policy: which.
        at: now.
        unit: of MemoryBank's strength.
    """
    if policy == "none" or not len(candidates):
        return ranking
    relevance = np.empty(len(candidates))
    relevance[ranking.rows] = ranking.scores
    now = at.timestamp()
    if policy == "generative_agents":
        scores = generative_agents(traces, relevance, now)
        awake = np.ones(len(candidates), dtype=np.bool_)
    else:
        strengths = _strengths(traces, policy, now, unit)
        awake = strengths >= DORMANT_BELOW if policy == "memorybank" else strengths > 0.0
        scores = relevance + np.log(np.where(awake, strengths, 1.0))
    return ranked_anew(ranking, candidates, scores, awake)


def _strengths(
    traces: Traces,
    policy: Literal["memorybank", "malp", "ld_agent", "conditional"],
    now: float,
    unit: timedelta,
) -> Scores:
    if policy == "memorybank":
        return memorybank(traces, now, unit=unit.total_seconds())
    if policy == "conditional":
        return conditional(traces)
    return malp(traces) if policy == "malp" else ld_agent(traces, now)


def ranked_anew(
    ranking: Ranking, candidates: Candidates, scores: Scores, awake: npt.NDArray[np.bool_]
) -> Ranking:
    """Rank candidates by other scores; those that are not awake are left out.

    Args:
        ranking: the one to take the place of.
        candidates: of one user.
        scores: shape `(n_candidates,)`.
        awake: shape `(n_candidates,)`.
    """
    order = np.lexsort((candidates.index, -candidates.at, -scores))
    rows = order[awake[order]]
    best: dict[str, float] = {}
    for row in rows:
        best.setdefault(candidates.session_ids[row], float(scores[row]))
    return replace(
        ranking,
        session_ids=tuple(best),
        session_scores=np.array(list(best.values())),
        rows=rows,
        scores=scores[rows],
    )
