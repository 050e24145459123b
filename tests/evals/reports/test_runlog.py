"""What a run leaves on disk, and what happens when it is taken up again."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from habitus.evals.harness.records import Failed
from habitus.evals.reports.runlog import Finished, Manifest, RunLog, RunLogError, describe_run, git_revision


def finished(question_id: str, **changes: Any) -> Finished:
    fields: dict[str, Any] = {
        "question_id": question_id,
        "question_type": "multi-session",
        "routes": ("extraction",),
        "ranked_session_ids": ("s1", "s2"),
        "ranked_turn_ids": ("s1_1",),
        "context_turn_ids": (),
        "context_texts": (),
        "context_tokens": 3,
        "latency_ms": {"recall": 1.5},
    }
    return Finished(**{**fields, **changes})


def failed(question_id: str) -> Failed:
    return Failed(
        question_id=question_id, question_type="multi-session", error="OSError: \ud800", traceback="..."
    )


def manifest(**changes: Any) -> Manifest:
    fields: dict[str, Any] = {
        "benchmark": "longmemeval",
        "started_at": datetime(2024, 1, 1, tzinfo=UTC),
        "data_file": "data.json",
        "data_sha256": "0" * 64,
        "settings": {"context_tokens": 2000},
        "encoder": "hashing-256",
        "git_revision": None,
        "versions": {"habitus": "1"},
    }
    return Manifest(**{**fields, **changes})


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "run.jsonl").read_text().splitlines()]


def test_a_result_is_on_disk_once_append_returns(tmp_path: Path) -> None:
    with RunLog(tmp_path / "new" / "out", manifest(), Finished) as log:
        log.append(finished("q1", hypothesis="tea"))
        (line,) = lines(tmp_path / "new" / "out")
    assert line["question_id"] == "q1"
    assert line["ranked_turn_ids"] == ["s1_1"]
    assert line["hypothesis"] == "tea"


def test_a_result_without_reply_has_no_hypothesis(tmp_path: Path) -> None:
    with RunLog(tmp_path, manifest(), Finished) as log:
        log.append(finished("q1"))
    assert "hypothesis" not in lines(tmp_path)[0]


def test_results_are_found_again_by_a_later_run(tmp_path: Path) -> None:
    with RunLog(tmp_path, manifest(), Finished) as log:
        log.append(finished("q1"))
        log.append(finished("q2", context_tokens=8))
        assert log.get("q2") == finished("q2", context_tokens=8)
    with RunLog(tmp_path, manifest(), Finished) as log:
        assert log.n_finished == 2
        assert log.get("q1") == finished("q1")
        assert log.get("q3") is None
        log.append(finished("q3"))
        assert log.get("q3") == finished("q3")
        assert log.get("q1") == finished("q1")
    assert [line["question_id"] for line in lines(tmp_path)] == ["q1", "q2", "q3"]


def test_a_line_that_was_cut_off_is_dropped(tmp_path: Path) -> None:
    with RunLog(tmp_path, manifest(), Finished) as log:
        log.append(finished("q1"))
        log.append(finished("q2"))
    path = tmp_path / "run.jsonl"
    path.write_bytes(path.read_bytes()[:-10])
    with RunLog(tmp_path, manifest(), Finished) as log:
        assert (log.get("q1"), log.get("q2")) == (finished("q1"), None)
        log.append(finished("q2"))
    assert [line["question_id"] for line in lines(tmp_path)] == ["q1", "q2"]


def test_failures_are_written_and_done_again_by_a_later_run(tmp_path: Path) -> None:
    with RunLog(tmp_path, manifest(), Finished) as log:
        log.append(failed("q1"))
        log.append(finished("q2"))
        assert log.get("q1") is None
    assert lines(tmp_path)[0]["error"] == "OSError: \ud800"
    with RunLog(tmp_path, manifest(), Finished) as log:
        assert log.get("q2") == finished("q2")
    assert [line["question_id"] for line in lines(tmp_path)] == ["q2"]


@pytest.mark.parametrize("damage", ["{}", "not json", '{"question_id": "q1"}', "[]"])
def test_a_damaged_line_is_named(damage: str, tmp_path: Path) -> None:
    with RunLog(tmp_path, manifest(), Finished) as log:
        log.append(finished("q1"))
    path = tmp_path / "run.jsonl"
    path.write_text(path.read_text() + damage + "\n")
    with pytest.raises(RunLogError, match="line 2 of .* is damaged"):
        RunLog(tmp_path, manifest(), Finished)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"settings": {"context_tokens": 500}}, "settings.context_tokens was 2000, is 500"),
        ({"data_sha256": "1"}, "data_sha256 was"),
        ({"encoder": "minilm"}, "encoder was 'hashing-256', is 'minilm'"),
        ({"git_revision": "abc"}, "git_revision was None, is 'abc'"),
        ({"versions": {"habitus": "2"}}, "versions.habitus was '1', is '2'"),
    ],
)
def test_a_run_with_other_settings_is_refused_and_told_what_differs(
    changes: dict[str, Any], named: str, tmp_path: Path
) -> None:
    with RunLog(tmp_path, manifest(), Finished) as log:
        log.append(finished("q1"))
    with pytest.raises(RunLogError) as caught:
        RunLog(tmp_path, manifest(**changes), Finished)
    assert named in str(caught.value)
    assert "give another --out" in str(caught.value)
    assert [line["question_id"] for line in lines(tmp_path)] == ["q1"]


def test_date_and_file_name_may_differ_and_the_first_ones_are_kept(tmp_path: Path) -> None:
    with RunLog(tmp_path, manifest(), Finished):
        pass
    later = manifest(started_at=datetime(2025, 1, 1, tzinfo=UTC), data_file="copy.json")
    with RunLog(tmp_path, later, Finished) as log:
        assert log.manifest == manifest()


def test_two_runs_never_write_to_one_folder(tmp_path: Path) -> None:
    with RunLog(tmp_path, manifest(), Finished), pytest.raises(RunLogError, match="another run is writing"):
        RunLog(tmp_path, manifest(), Finished)
    with RunLog(tmp_path, manifest(), Finished):
        pass


def test_a_refused_folder_is_not_left_locked(tmp_path: Path) -> None:
    with RunLog(tmp_path, manifest(), Finished):
        pass
    with pytest.raises(RunLogError):
        RunLog(tmp_path, manifest(encoder="other"), Finished)
    with RunLog(tmp_path, manifest(), Finished):
        pass


def test_results_of_unknown_origin_are_not_taken_up(tmp_path: Path) -> None:
    (tmp_path / "run.jsonl").write_text("{}\n")
    with pytest.raises(RunLogError, match="without a manifest"):
        RunLog(tmp_path, manifest(), Finished)
    assert (tmp_path / "run.jsonl").read_text() == "{}\n"


def test_a_strange_manifest_is_refused(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"name": "app"}')
    with pytest.raises(RunLogError, match="is not the manifest of a run"):
        RunLog(tmp_path, manifest(), Finished)


def test_a_full_disk_is_told_and_costs_only_the_line_that_did_not_fit(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="file size limits are a POSIX feature")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with pytest.raises(RunLogError, match="make room"), RunLog(tmp_path, manifest(), Finished) as log:
        log.append(finished("q1"))
        # Part of the next line still fits.
        resource.setrlimit(resource.RLIMIT_FSIZE, ((tmp_path / "run.jsonl").stat().st_size + 20, hard))
        try:
            log.append(finished("q2"))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    with RunLog(tmp_path, manifest(), Finished) as log:
        assert (log.get("q1"), log.get("q2")) == (finished("q1"), None)
        log.append(finished("q2"))
    assert [line["question_id"] for line in lines(tmp_path)] == ["q1", "q2"]


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(RunLogError, match="cannot write to .*out"):
        RunLog(tmp_path / "out", manifest(), Finished)


def test_the_manifest_describes_data_and_versions(tmp_path: Path) -> None:
    path = tmp_path / "data.json"
    path.write_bytes(b"abc")
    found = describe_run("longmemeval", path, "hashing-256", {"context_tokens": 5})
    assert found.data_sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert found.data_file == "data.json"
    assert found.settings == {"context_tokens": 5}
    assert found.versions["habitus"]
    assert found.started_at.tzinfo is not None


def test_the_revision_is_that_of_the_checkout_that_tracks_the_file(tmp_path: Path) -> None:
    def git(*arguments: str) -> str:
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
        command = ["git", "-C", str(tmp_path), *identity, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    source = tmp_path / "module.py"
    source.write_text("")
    git("init", "-q")
    assert git_revision(source) is None  # inside a checkout, but not part of it
    git("add", "module.py")
    git("commit", "-q", "-m", "first")
    commit = git("rev-parse", "HEAD")
    assert git_revision(source) == commit
    source.write_text("changed")
    assert git_revision(source) == f"{commit}-dirty"
