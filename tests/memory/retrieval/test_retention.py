import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from habitus.memory.records import Access
from habitus.memory.retrieval.question import read_question
from habitus.memory.retrieval.recall import Ranking, rank
from habitus.memory.retrieval.retention import (
    DAY,
    Retention,
    Traces,
    generative_agents,
    ld_agent,
    malp,
    memorybank,
    retained,
    topic_overlap,
)
from habitus.memory.store import Candidates

NOW = datetime(2026, 3, 31, tzinfo=UTC)


def traces(
    days_ago: list[float],
    recalls: list[int] | None = None,
    *,
    overlap: list[float] | None = None,
    importance: list[float] | None = None,
) -> Traces:
    n = len(days_ago)
    return Traces(
        used_at=NOW.timestamp() - np.array(days_ago) * DAY,
        n_recalls=np.array(recalls or [0] * n),
        overlap=np.array(overlap or [0.0] * n),
        importance=np.array(importance or [0.0] * n),
    )


def candidates(days_ago: list[float], cosines: list[float]) -> Candidates:
    """Turns `t0`, `t1`, ... of the user, each in a session of its own."""
    n = len(days_ago)
    same = np.array(cosines, dtype=np.float32)
    return Candidates(
        turn_ids=[f"t{i}" for i in range(n)],
        session_ids=[f"s{i}" for i in range(n)],
        index=np.zeros(n, dtype=np.int64),
        is_user=np.ones(n, dtype=np.bool_),
        at=NOW.timestamp() - np.array(days_ago) * DAY,
        arms={"cosine": same, "bm25": same, "session_cosine": same, "session_bm25": same},
        complete=True,
    )


def ranked(found: Candidates) -> Ranking:
    return rank(found, read_question("Where is it?", NOW))


def test_memorybank_is_the_forgetting_curve_in_days_with_one_more_strength_for_each_recall() -> None:
    strengths = memorybank(traces([0, 1, 1, 6], [0, 0, 1, 2]), NOW.timestamp())
    assert strengths == pytest.approx([1.0, math.exp(-1), math.exp(-1 / 2), math.exp(-6 / 3)])
    assert strengths == pytest.approx([1.0, 0.3679, 0.6065, 0.1353], abs=1e-4)


def test_memorybank_in_another_unit() -> None:
    assert memorybank(traces([30]), NOW.timestamp(), unit=30 * DAY) == pytest.approx([math.exp(-1)])


def test_what_is_dated_ahead_of_the_clock_is_fresh() -> None:
    assert memorybank(traces([-0.5]), NOW.timestamp()) == pytest.approx([1.0])
    assert ld_agent(traces([-0.5], overlap=[0.5]), NOW.timestamp()) == pytest.approx([0.5])


def test_malp_promotes_by_use_and_lets_the_oldest_of_short_term_memory_go() -> None:
    long_ago, lately = [1000.0, 999.0, 998.0], [float(day) for day in range(99, 0, -1)]
    recalls = [2, 1, 0] + [0] * 99
    strengths = malp(traces(long_ago + lately, recalls))
    assert strengths[0] == 1.0  # three uses: long-term
    assert strengths[1] == 0.0  # 99 newer ones and the next are before it
    assert strengths[2:] == pytest.approx([1 / 3] * 100)


def test_ld_agent_is_the_overlap_halved_every_eighty_days() -> None:
    strengths = ld_agent(traces([0, 80.225, 10], overlap=[0.5, 0.5, 0.0]), NOW.timestamp())
    assert strengths == pytest.approx([0.5, 0.25, 0.0], abs=1e-4)


def test_the_overlap_is_half_of_each_share_over_words_that_name_something() -> None:
    # bicycle, parked of two asked; bicycle, parked of five said.
    asked, said = "Where is my bicycle parked?", "My bicycle is parked behind Ghent library."
    assert topic_overlap(asked, said) == pytest.approx(0.5 * 2 / 2 + 0.5 * 2 / 5)
    assert topic_overlap("Where is it?", said) == 0.0
    assert topic_overlap("Where is my dentist?", said) == 0.0


def test_generative_agents_sums_three_parts_each_brought_to_one() -> None:
    found = generative_agents(
        traces([0, 10, 20], importance=[0.0, 0.8, 0.4]), np.array([-1.0, 0.0, 3.0]), NOW.timestamp()
    )
    old, older = 0.995**240, 0.995**480
    recency = [1.0, (old - older) / (1 - older), 0.0]
    assert found == pytest.approx([recency[0] + 0 + 0, recency[1] + 1 + 0.25, recency[2] + 0.5 + 1])


def test_parts_that_are_all_the_same_are_a_half() -> None:
    assert generative_agents(traces([3, 3]), np.array([1.0, 2.0]), NOW.timestamp()) == pytest.approx([1, 2])


def test_traces_take_the_later_of_said_and_recalled() -> None:
    found = candidates([10, 10], [0.5, 0.5])
    access = Access(user_id="ann", turn_id="t1", at=NOW - timedelta(days=2), n=4)
    gathered = Traces.of(found, [access], overlap={"t0": 0.3}, importance={"t1": 0.9})
    assert (NOW.timestamp() - gathered.used_at) / DAY == pytest.approx([10, 2])
    assert gathered.n_recalls.tolist() == [0, 4]
    assert gathered.overlap.tolist() == [0.3, 0.0]
    assert gathered.importance.tolist() == [0.0, 0.9]


def held(policy: Retention, found: Candidates, recalls: list[int], days_ago: list[float]) -> list[str]:
    kept = traces(days_ago, recalls, overlap=[0.5] * len(found), importance=[0.0] * len(found))
    return list(retained(ranked(found), found, kept, policy, at=NOW).ranked_turn_ids)


def test_none_returns_the_very_ranking() -> None:
    found = candidates([400, 1], [0.9, 0.1])
    before = ranked(found)
    assert retained(before, found, traces([400, 1]), "none", at=NOW) is before


def test_a_dormant_memory_is_left_out_and_so_is_its_session() -> None:
    found = candidates([4, 2, 1], [0.9, 0.5, 0.1])
    kept = retained(ranked(found), found, traces([4, 2, 1]), "memorybank", at=NOW)
    assert set(kept.ranked_turn_ids) == {"t1", "t2"}
    assert set(kept.session_ids) == {"s1", "s2"}
    assert "t0" in held("memorybank", found, [1, 0, 0], [4, 2, 1])


def test_a_faded_memory_ranks_behind_a_fresh_one_that_is_as_near() -> None:
    found = candidates([1, 2.5], [0.5, 0.5])
    assert held("memorybank", found, [0, 0], [1, 2.5]) == ["t0", "t1"]
    assert held("memorybank", found, [0, 9], [1, 2.5]) == ["t1", "t0"]


def test_generative_agents_leaves_nothing_out() -> None:
    found = candidates([4000, 1], [0.9, 0.1])
    assert set(held("generative_agents", found, [0, 0], [4000, 1])) == {"t0", "t1"}


def test_sessions_stand_in_the_order_of_their_best_turns() -> None:
    found = candidates([1, 2.5, 2], [0.5, 0.5, 0.5])
    kept = retained(ranked(found), found, traces([1, 2.5, 2]), "memorybank", at=NOW)
    assert kept.session_ids == ("s0", "s2", "s1")
    assert list(kept.session_scores) == sorted(kept.session_scores, reverse=True)


def test_nothing_to_rank_is_no_error() -> None:
    found = candidates([], [])
    for policy in ("none", "memorybank", "malp", "ld_agent", "generative_agents"):
        kept = retained(ranked(found), found, traces([]), policy, at=NOW)
        assert kept.ranked_turn_ids == ()


def test_conditional_holds_what_something_rests_on_in_the_order_of_relevance() -> None:
    found = candidates([3, 2, 1, 0], [0.1, 0.9, 0.5, 0.7])
    kept = retained(
        ranked(found), found, traces([3, 2, 1, 0], importance=[1.0, 0.0, 0.2, 0.9]), "conditional", at=NOW
    )
    assert kept.ranked_turn_ids == ("t3", "t2", "t0")
    assert kept.session_ids == ("s3", "s2", "s0")
