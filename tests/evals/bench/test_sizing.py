"""What a turn costs is counted from outside the store, and planned by proportion."""

from __future__ import annotations

import pytest

from habitus.evals.bench.sizing import Cost, Life, compare, planned
from habitus.retrievers.encoder import HashingEncoder

COST = Cost(
    n_users=2,
    n_turns=8,
    bytes_per_user=1_000.0,
    bytes_per_turn=10_000.0,
    rows_per_turn={"turns": 2.0, "features": 2.0},
    turn_ms={"cpu_mean": 50.0, "cpu_p50": 20.0},
)


def test_a_plan_is_in_proportion_to_users_and_turns() -> None:
    found = planned(COST, Life(turns_a_day=5.0, days=100.0), 86_400)
    assert found == {"stored_gb": 432.1, "turns_per_s": 15.0, "agent_cores": 0.8, "rows_per_s": 60.0}


def test_both_stores_are_measured_and_left_empty(postgres_url: str) -> None:
    psycopg = pytest.importorskip("psycopg")
    life = Life(turns_a_day=1.0, days=1.0)
    report = compare(postgres_url, HashingEncoder(64), users=3, turns=4, life=life, seed=0)
    for name in ("embedded", "postgres"):
        cost = report[name]
        assert cost["n_turns"] == 12
        assert cost["rows_per_turn"]["turns"] == 2.0
        assert cost["bytes_per_turn"] >= 0.0
        assert cost["turn_ms"]["n"] == 6
        assert set(cost["planned"]) == {"1e+06", "1e+08"}
    with psycopg.connect(postgres_url) as connection:
        query = "SELECT count(*) FROM pg_namespace WHERE nspname = 'habitus_sizing'"
        assert connection.execute(query).fetchone() == (0,)
