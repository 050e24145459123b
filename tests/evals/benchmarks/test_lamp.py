"""LaMP's files on tiny hand-made ones: what is read and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from habitus.evals.benchmarks.lamp import TASKS, read_lamp
from habitus.evals.longmemeval.files import DatasetError


def write(path: Path, content: Any) -> Path:
    path.write_text(json.dumps(content))
    return path


def question(task: int, name: str = "1") -> dict[str, Any]:
    item = {field: f"a {field}" for field in TASKS[task].fields}
    return {"id": name, "input": "Which one?", "profile": [{"id": "p1", **item}]}


def outputs(task: int, *names: str) -> dict[str, Any]:
    return {"task": f"LaMP_{task}", "golds": [{"id": name, "output": f"gold {name}"} for name in names]}


@pytest.mark.parametrize("task", sorted(TASKS))
def test_every_task_is_read_with_its_own_fields(task: int, tmp_path: Path) -> None:
    questions = write(tmp_path / "q.json", [question(task), question(task, "2")])
    golds = write(tmp_path / "o.json", outputs(task, "2", "1"))
    first, second = read_lamp(task, questions, golds)
    assert (first.id, first.input, first.output, second.output) == ("1", "Which one?", "gold 1", "gold 2")
    assert first.profile == ({field: f"a {field}" for field in TASKS[task].fields},)


def test_a_score_may_be_a_number(tmp_path: Path) -> None:
    rated = {**question(3), "profile": [{"id": "p1", "text": "Fine.", "score": 4}]}
    (sample,) = read_lamp(3, write(tmp_path / "q.json", [rated]))
    assert sample.profile == ({"text": "Fine.", "score": "4"},)


def test_a_test_split_has_no_gold(tmp_path: Path) -> None:
    (sample,) = read_lamp(1, write(tmp_path / "q.json", [question(1)]))
    assert sample.output is None


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ([], "expected an array of questions"),
        ({"id": "1"}, "expected an array of questions"),
        ([{"id": "1", "input": "?"}], "record 1 is not LaMP: .*`profile`"),
        ([{"id": 1, "input": "?", "profile": []}], "`id` is no string"),
        ([{**question(2), "profile": [{"text": "of another task"}]}], "LaMP_2 has a `tag`"),
        ([question(2), question(2)], "repeats an id"),
    ],
)
def test_what_is_not_lamp_is_refused(content: Any, problem: str, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=problem):
        read_lamp(2, write(tmp_path / "q.json", content))


def test_outputs_of_another_task_or_split_are_refused(tmp_path: Path) -> None:
    questions = write(tmp_path / "q.json", [question(2)])
    with pytest.raises(DatasetError, match="outputs of LaMP_3, not of LaMP_2"):
        read_lamp(2, questions, write(tmp_path / "o.json", outputs(3, "1")))
    with pytest.raises(DatasetError, match="files of one split"):
        read_lamp(2, questions, write(tmp_path / "o.json", outputs(2, "7")))
    with pytest.raises(DatasetError, match="expected `task` and `golds`"):
        read_lamp(2, questions, write(tmp_path / "o.json", []))


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no such file"):
        read_lamp(1, tmp_path / "nowhere.json")
    (tmp_path / "q.json").write_text("[")
    with pytest.raises(DatasetError, match="is not JSON"):
        read_lamp(1, tmp_path / "q.json")
    with pytest.raises(DatasetError, match="tasks 1 to 7"):
        read_lamp(8, tmp_path / "q.json")
