"""`habitus eval compare`: what it finds between two runs, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from habitus.evals.cli import add_commands
from habitus.evals.longmemeval.run import RunOptions, run_longmemeval
from habitus.evals.reports.compare import Comparison, compare
from habitus.evals.reports.runlog import Manifest
from habitus.evals.reports.scored_runs import SCORES_FILE, read_run
from habitus.evals.running import AgentUnderTest, UsageError

VIEW = "session.all"


def write_run(
    folder: Path, values: Mapping[str, Mapping[str, float]], *, metric: str = "mrr", **changes: Any
) -> Path:
    """Write a run folder: values by question type and question id."""
    folder.mkdir()
    manifest = Manifest(
        benchmark="longmemeval",
        started_at=datetime(2026, 1, 1, tzinfo=UTC),
        data_file="data.json",
        data_sha256="0",
        settings={"context_tokens": 2000},
        encoder="none",
        git_revision="one",
        versions={"python": "3.11"},
    )
    (folder / "manifest.json").write_text(manifest.model_copy(update=changes).model_dump_json())
    lines = [
        {"question_id": question, "question_type": kind, "views": {VIEW: {metric: value}}}
        for kind, found in values.items()
        for question, value in found.items()
    ]
    (folder / SCORES_FILE).write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def questions(n: int, n_right: int, prefix: str = "q") -> dict[str, float]:
    return {f"{prefix}{number}": float(number < n_right) for number in range(n)}


def of(comparison: Comparison, group: str) -> Any:
    return next(one for one in comparison.compared if one.group == group)


def test_a_large_gain_is_beyond_noise_and_a_small_one_is_not(tmp_path: Path) -> None:
    a = write_run(tmp_path / "a", {"x": questions(40, 10, "x"), "y": questions(40, 20, "y")})
    b = write_run(tmp_path / "b", {"x": questions(40, 30, "x"), "y": questions(40, 21, "y")})
    found = compare(read_run(a), read_run(b))
    assert of(found, "x").beyond_noise
    assert not of(found, "y").beyond_noise
    assert of(found, "overall").difference.difference == pytest.approx(21 / 80)
    assert (of(found, "x").difference.mean_a, of(found, "x").difference.mean_b) == (0.25, 0.75)


def test_questions_are_paired_by_id_not_by_place(tmp_path: Path) -> None:
    values = questions(10, 4)
    a = write_run(tmp_path / "a", {"x": values})
    b = write_run(tmp_path / "b", {"x": dict(reversed(values.items()))})
    found = of(compare(read_run(a), read_run(b)), "overall").difference
    assert (found.difference, found.low, found.high, found.p) == (0.0, 0.0, 0.0, 1.0)


def test_questions_of_one_run_only_are_named_and_left_out(tmp_path: Path) -> None:
    a = write_run(tmp_path / "a", {"x": questions(5, 5)})
    b = write_run(tmp_path / "b", {"x": questions(8, 8)})
    found = compare(read_run(a), read_run(b))
    assert (found.only_a, found.only_b) == ((), ("q5", "q6", "q7"))
    assert of(found, "overall").difference.n == 5


def test_what_differs_in_the_manifests_is_named(tmp_path: Path) -> None:
    a = write_run(tmp_path / "a", {"x": questions(5, 5)})
    b = write_run(
        tmp_path / "b", {"x": questions(5, 5)}, settings={"context_tokens": 4000}, git_revision="two"
    )
    assert compare(read_run(a), read_run(b)).manifest == (
        "git_revision was 'one', is 'two'",
        "settings.context_tokens was 2000, is 4000",
    )


def test_luck_among_many_metrics_is_no_finding(tmp_path: Path) -> None:
    a = write_run(tmp_path / "a", {f"t{k}": questions(12, 3, f"t{k}-") for k in range(30)})
    # One type gains four questions, in each of the others one is gained and one lost.
    others = {f"t{k}": questions(12, 3, f"t{k}-") | {f"t{k}-0": 0.0, f"t{k}-9": 1.0} for k in range(1, 30)}
    b = write_run(tmp_path / "b", {"t0": questions(12, 7, "t0-")} | others)
    lucky = of(compare(read_run(a), read_run(b)), "t0")
    assert lucky.difference.p < 0.05 < lucky.adjusted_p
    assert not lucky.beyond_noise


def test_runs_without_anything_in_common_are_refused(tmp_path: Path) -> None:
    a = write_run(tmp_path / "a", {"x": questions(5, 5)})
    b = write_run(tmp_path / "b", {"x": questions(5, 5, "other")})
    c = write_run(tmp_path / "c", {"x": questions(5, 5)}, metric="accuracy")
    with pytest.raises(UsageError, match="no finished question in common"):
        compare(read_run(a), read_run(b))
    with pytest.raises(UsageError, match="no metric in common"):
        compare(read_run(a), read_run(c))


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no run folder"):
        read_run(tmp_path)
    folder = write_run(tmp_path / "a", {"x": questions(5, 5)})
    with (folder / SCORES_FILE).open("a") as file:
        file.write("{}\n")
    with pytest.raises(UsageError, match="line 6"):
        read_run(folder)


def finished_run(data: Path, out: Path, agents: Any, **changes: Any) -> Path:
    options = RunOptions(data=data, out=out, with_replies=False, **changes)
    assert run_longmemeval(options, lambda: AgentUnderTest(open=agents, encoder="none")) == 0
    return out


def test_real_runs_are_compared_from_the_command_line(
    tmp_path: Path, agents: Any, record: Any, write: Any
) -> None:
    data = write([record(question_id=f"q{number}") for number in range(3)])
    a = finished_run(data, tmp_path / "a", agents)
    b = finished_run(data, tmp_path / "b", agents, budgets=(1,))
    app = typer.Typer()
    add_commands(app)
    result = CliRunner().invoke(app, ["eval", "compare", str(a), str(b), "--out", str(tmp_path / "c.json")])
    assert result.exit_code == 0, result.stderr
    assert "settings.context_tokens was 2000, is 1" in result.stdout
    written = json.loads((tmp_path / "c.json").read_text())
    by_metric = {
        (one["view"], one["metric"]): one for one in written["compared"] if one["group"] == "overall"
    }
    assert by_metric["session.all", "mrr"]["difference"] == 0.0
    assert by_metric["context.answerable", "all_evidence_in_context"]["n"] == 3


def test_a_run_without_scores_is_scored_again_on_its_own_data(
    tmp_path: Path, agents: Any, record: Any, write: Any
) -> None:
    data = write([record()])
    out = finished_run(data, tmp_path / "a", agents)
    expected = read_run(out).scores
    (out / SCORES_FILE).unlink()
    with pytest.raises(UsageError, match="give --data data.json"):
        read_run(out)
    with pytest.raises(UsageError, match="sha256 differs"):
        read_run(out, write([record(question="Another?")], "other.json"))
    assert read_run(out, data).scores == expected
    assert read_run(out).scores == expected
