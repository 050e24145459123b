"""The runner: every sample once, in any order, and nothing finished is lost."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from habitus.evals.harness.records import Result, Score
from habitus.evals.harness.runner import Outcome, run
from habitus.evals.harness.shards import Shard
from habitus.evals.reports.runlog import Manifest, RunLog, RunLogError
from habitus.memory.usage import Usage


@dataclass(frozen=True)
class Sum:
    id: str
    a: int
    type: str = "sum"


class Answer(Result):
    value: int


def manifest(**settings: int) -> Manifest:
    return Manifest(
        benchmark="sums",
        started_at=datetime(2026, 1, 1, tzinfo=UTC),
        data_file="none",
        data_sha256="0",
        settings=settings,
        encoder="none",
        git_revision=None,
        versions={},
    )


SUMS = [Sum(f"s{n}", n) for n in range(10)]


def solve(sample: Sum) -> Answer:
    usage = Usage(n_calls=1, input_tokens=sample.a, output_tokens=1)
    return Answer(question_id=sample.id, question_type=sample.type, usage=usage, value=2 * sample.a)


def score(sample: Sum, result: Answer) -> Score:
    right = float(result.value == 2 * sample.a)
    return Score(question_id=sample.id, question_type=sample.type, views={"all": {"right": right}})


def lines(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "run.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("concurrency", [1, 4])
def test_every_sample_is_solved_and_scored_in_their_order(tmp_path: Path, concurrency: int) -> None:
    with RunLog(tmp_path, manifest(), Answer) as log:
        outcome = run(SUMS, solver=solve, scorer=score, log=log, concurrency=concurrency)
    assert [one.question_id for one in outcome.scores] == [one.id for one in SUMS]
    assert outcome.usage == Usage(n_calls=10, input_tokens=45, output_tokens=10)
    assert len(lines(tmp_path)) == 10
    assert not outcome.interrupted


def test_as_many_samples_run_at_once_as_asked_for(tmp_path: Path) -> None:
    together = threading.Barrier(3, timeout=30)

    def meet(sample: Sum) -> Answer:
        together.wait()
        return solve(sample)

    with RunLog(tmp_path, manifest(), Answer) as log:
        outcome = run(SUMS[:9], solver=meet, scorer=score, log=log, concurrency=3)
    assert len(outcome.scores) == 9
    assert not outcome.failures


@pytest.mark.parametrize("concurrency", [1, 3])
def test_no_more_samples_are_read_than_are_worked_on(tmp_path: Path, concurrency: int) -> None:
    n_read, most_ahead = 0, 0

    def reading() -> Iterator[Sum]:
        nonlocal n_read
        for one in SUMS:
            n_read += 1
            yield one

    def look(outcome: Outcome[Score]) -> None:
        nonlocal most_ahead
        most_ahead = max(most_ahead, n_read - outcome.n_done)

    with RunLog(tmp_path, manifest(), Answer) as log:
        run(reading(), solver=solve, scorer=score, log=log, concurrency=concurrency, on_sample=look)
    assert most_ahead < concurrency


@pytest.mark.parametrize("concurrency", [1, 4])
def test_a_failing_sample_is_kept_and_counted_and_tried_again(tmp_path: Path, concurrency: int) -> None:
    def fragile(sample: Sum) -> Answer:
        if sample.a % 5 == 2:
            raise OSError("no answer")
        return solve(sample)

    with RunLog(tmp_path, manifest(), Answer) as log:
        outcome = run(SUMS, solver=fragile, scorer=score, log=log, concurrency=concurrency)
    assert [one.question_id for one in outcome.failures] == ["s2", "s7"]
    assert outcome.failures[0].error == "OSError: no answer"
    assert len(outcome.scores) == 8
    assert sum("error" in line for line in lines(tmp_path)) == 2
    with RunLog(tmp_path, manifest(), Answer) as log:
        again = run(SUMS, solver=solve, scorer=score, log=log, concurrency=concurrency)
    assert (len(again.scores), again.n_resumed, again.failures) == (10, 8, [])


def test_a_result_that_cannot_be_scored_is_a_failure_and_is_not_solved_again(tmp_path: Path) -> None:
    def broken(sample: Sum, result: Answer) -> Score:
        raise ValueError("no gold")

    with RunLog(tmp_path, manifest(), Answer) as log:
        outcome = run(SUMS[:1], solver=solve, scorer=broken, log=log)
    assert outcome.failures[0].error == "scoring: ValueError: no gold"

    def never(sample: Sum) -> Answer:
        raise AssertionError("solved again")

    with RunLog(tmp_path, manifest(), Answer) as log:
        again = run(SUMS[:1], solver=never, scorer=score, log=log)
    assert (len(again.scores), again.n_resumed) == (1, 1)


@pytest.mark.parametrize("concurrency", [1, 3])
def test_an_interrupted_run_keeps_what_was_finished_and_goes_on(tmp_path: Path, concurrency: int) -> None:
    def stop(outcome: Outcome[Score]) -> None:
        if outcome.n_done == 4:
            raise KeyboardInterrupt

    with RunLog(tmp_path, manifest(), Answer) as log:
        outcome = run(SUMS, solver=solve, scorer=score, log=log, concurrency=concurrency, on_sample=stop)
    assert outcome.interrupted
    assert 4 <= len(outcome.scores) < 10
    n_kept = len(lines(tmp_path))
    assert n_kept == len(outcome.scores)
    with RunLog(tmp_path, manifest(), Answer) as log:
        again = run(SUMS, solver=solve, scorer=score, log=log, concurrency=concurrency)
    assert (len(again.scores), again.n_resumed) == (10, n_kept)


def test_shards_cover_all_samples_once_and_merge(tmp_path: Path) -> None:
    solved: list[str] = []

    def noted(sample: Sum) -> Answer:
        solved.append(sample.id)
        return solve(sample)

    for number in (2, 1, 3):
        shard = Shard(number, 3)
        with RunLog(tmp_path, manifest(), Answer, shard) as log:
            outcome = run(SUMS, solver=noted, scorer=score, log=log, shard=shard)
        assert len(outcome.scores) == (4 if number == 1 else 3)
    assert sorted(solved) == [one.id for one in SUMS]
    with RunLog(tmp_path, manifest(), Answer) as log:
        merged = run(SUMS, solver=noted, scorer=score, log=log)
    assert (len(merged.scores), merged.n_resumed) == (10, 10)
    assert len(solved) == 10
    assert {line["question_id"] for line in lines(tmp_path)} == {one.id for one in SUMS}


def test_merging_does_what_a_shard_left_out(tmp_path: Path) -> None:
    shard = Shard(1, 2)
    with RunLog(tmp_path, manifest(), Answer, shard) as log:
        run(SUMS, solver=solve, scorer=score, log=log, shard=shard)
    with RunLog(tmp_path, manifest(), Answer) as log:
        merged = run(SUMS, solver=solve, scorer=score, log=log)
    assert (len(merged.scores), merged.n_resumed) == (10, 5)


def test_a_shard_with_other_settings_or_still_running_is_not_merged(tmp_path: Path) -> None:
    with RunLog(tmp_path, manifest(budget=1), Answer, Shard(1, 2)):
        with pytest.raises(RunLogError, match=r"another run is writing to .*1-of-2"):
            RunLog(tmp_path, manifest(budget=1), Answer)
    (tmp_path / "manifest.json").unlink()
    (tmp_path / "run.jsonl").unlink()
    with pytest.raises(RunLogError, match="settings.budget was 1, is 2"):
        RunLog(tmp_path, manifest(budget=2), Answer)
