"""The speed benchmark of recall: that it measures what it says, at sizes that take no time."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from typer.testing import CliRunner

from habitus.evals.bench.clock import Times, measured, resident_mb
from habitus.evals.bench.ingesting import conversations_of
from habitus.evals.bench.memories import MadeUp, fill
from habitus.evals.bench.plots import PlotError, png_plot, text_plot
from habitus.evals.bench.recall import Plan, RecallReport, run, show, sizes_to, write
from habitus.evals.cli import bench_app
from habitus.memory.index.units import units
from habitus.memory.storage.embedded import EmbeddedStore
from habitus.retrievers.encoder import HashingEncoder

SMALL = Plan(
    memories=2_000,
    users=20,
    one_user=1_500,
    turn_memories=30,
    n_queries=5,
    n_cold=4,
    n_turns=2,
    n_commits=3,
    messages=20,
    rounds=2,
)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> RecallReport:
    return run(HashingEncoder(32), tmp_path_factory.mktemp("bench"), SMALL)


def test_every_size_is_searched_cold_and_warm(report: RecallReport) -> None:
    sizes = [(one.n_memories, one.n_users, one.cold["n"], one.warm["n"]) for one in report.many_users]
    assert sizes == [(1_000, 10, 4, 5), (2_000, 20, 4, 5)]
    assert [(one.n_memories, one.n_users) for one in report.one_user] == [(1_000, 1), (1_500, 1)]
    for one in (*report.many_users, *report.one_user):
        assert one.bytes_per_memory > 32 * 4
        assert one.resident_mb > 10
        for found in (one.cold, one.warm):
            assert 0 < found["wall_p50"] <= found["wall_p95"]


def test_turns_are_broken_down_by_node(report: RecallReport) -> None:
    assert report.turn.turn["n"] == 2
    assert {"route", "recall", "profile", "respond", "commit"} <= set(report.turn.nodes)
    assert report.turn.commit["n"] == 3
    assert sum(found["p50"] for found in report.turn.nodes.values()) < 2 * report.turn.turn["wall_p95"]


def test_ingest_and_encoder_get_the_same_texts(report: RecallReport) -> None:
    ingest = report.ingest
    assert (ingest.n_messages, ingest.ingest["n"], ingest.encode["n"]) == (20, 2, 2)
    assert ingest.n_texts >= 20
    assert 0 < ingest.ratio
    assert ingest.per_second > 0 and ingest.encoder_per_second > 0


def test_targets_are_judged_by_the_clock(report: RecallReport) -> None:
    assert len(report.targets) == 8
    slow = replace(report.turn, turn={**report.turn.turn, "wall_p50": 25.1, "wall_p95": 50.0, "cpu_p50": 1.0})
    judged = {target.name: target for target in replace(report, turn=slow).targets}
    p50 = judged["turn at 30 memories, p50 ms"]
    assert (p50.clock, p50.cpu, p50.is_met) == (25.1, 1.0, False)
    assert judged["turn at 30 memories, p95 ms"].is_met
    poor = replace(report, ingest=replace(report.ingest, ratio=0.95, wall_ratio=0.89))
    assert not poor.targets[-1].is_met


def test_a_report_is_shown_and_written(report: RecallReport, tmp_path: Path) -> None:
    out = StringIO()
    show(report, Console(file=out, width=160))
    for part in (
        "2,000 of 20 users",
        "1,500 of 1 user ",
        "whole turn",
        "bytes a memory",
        "load",
    ):
        assert part in out.getvalue()
    write(report, tmp_path / "new")
    found = json.loads((tmp_path / "new" / "recall.json").read_text())
    assert found["plan"]["memories"] == 2_000
    assert [row["is_met"] for row in found["targets"]] == [target.is_met for target in report.targets]


@pytest.mark.parametrize("change", [{"memories": 0}, {"rounds": 0}, {"memories": 5, "users": 6}])
def test_a_plan_that_cannot_be_carried_out_is_refused(change: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least 1|cannot be spread"):
        replace(SMALL, **change)  # type: ignore[arg-type]


def test_sizes_are_powers_of_ten_and_the_last_is_as_asked() -> None:
    assert sizes_to(1_000_000) == [1_000, 10_000, 100_000, 1_000_000]
    assert sizes_to(2_500) == [1_000, 2_500]
    assert sizes_to(7) == [7]


class TestMadeUp:
    def test_the_same_for_a_seed(self) -> None:
        one, other = (MadeUp(16, seed=3).changes("ann", 0, 12)[0].turns for _ in range(2))
        assert [turn.text for turn in one] == [turn.text for turn in other]
        assert [turn.text for turn in one] != [
            turn.text for turn in MadeUp(16, 4).changes("ann", 0, 12)[0].turns
        ]

    def test_vectors_are_those_a_message_would_have(self) -> None:
        changes, vectors = MadeUp(16).changes("ann", 0, 25)
        for turn in changes.turns:
            assert vectors[turn.id].shape == (len(units(turn.role, turn.text)), 16)
            np.testing.assert_allclose(np.linalg.norm(vectors[turn.id], axis=1), 1.0, rtol=1e-5)
        assert Counter(turn.role for turn in changes.turns) == {"user": 13, "assistant": 12}
        assert changes.ends_sessions == ("0", "1", "2")

    def test_queries_hit_words_of_memories(self, tmp_path: Path) -> None:
        made_up = MadeUp(16)
        with EmbeddedStore.open(tmp_path, HashingEncoder(16)) as store:
            fill(store, made_up, "ann", 0, 200)
            assert store.stats("ann").n_turns == 200
            hits = [(store.search("ann", made_up.query()).arms["bm25"] > 0).mean() for _ in range(20)]
        assert 0.05 < np.mean(hits) < 0.95


def test_times_are_of_the_calls() -> None:
    times = Times()
    assert times.measure(lambda: sum(range(10_000))) == 49_995_000
    assert times.summary()["n"] == 1
    assert times.summary()["wall_p50"] > 0
    assert measured([]) == {"n": 0}
    assert resident_mb() > 10


def test_conversations_take_turns() -> None:
    found = conversations_of([str(number) for number in range(12)])
    assert [len(one.messages) for one in found] == [10, 2]
    assert [said.role for said in found[1].messages] == ["user", "assistant"]


def test_a_text_plot_marks_every_line() -> None:
    drawn = text_plot({"a": [(1_000, 1.0), (10_000, 10.0)], "b": [(1_000, 0.1)]}, width=20, height=4)
    rows = drawn.splitlines()
    assert rows[0].endswith("|" + " " * 20 + "o")
    assert rows[4].endswith("|x")
    assert "10,000 memories" in drawn and "o a" in drawn and "x b" in drawn


LINES = {"many users, warm": [(1_000.0, 0.2), (10_000.0, 0.3)], "one user, warm": [(1_000.0, 0.4)]}


def test_a_png_plot_is_drawn_where_matplotlib_is_installed(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="needs the extra `plots`")
    path = tmp_path / "new" / "growth.png"
    png_plot(LINES, path, target_ms=10.0)
    assert path.read_bytes().startswith(b"\x89PNG")
    assert path.stat().st_size > 10_000
    with pytest.raises(PlotError, match="must end in .png"):
        png_plot(LINES, tmp_path / "growth.pdf", target_ms=10.0)


def test_without_matplotlib_the_command_says_what_to_install_before_it_measures(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("habitus.evals.bench.plots.find_spec", lambda name: None)
    done = CliRunner().invoke(bench_app, ["recall", "--plot", "growth.png"])
    assert done.exit_code == 2
    assert "habitus[plots]" in " ".join(done.output.split())


def test_the_command_is_part_of_the_command_line() -> None:
    done = CliRunner().invoke(bench_app, ["recall", "--memories", "0"])
    assert done.exit_code == 2
    assert "--memories" in done.output
    assert CliRunner().invoke(bench_app, ["recall", "--help"]).exit_code == 0
