"""Run folders damaged anyhow: taken up, compared and reported, or refused in words; never another error."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from habitus.evals.adherence.page import holds_task, write_adherence_page
from habitus.evals.feedback.log import CostLog
from habitus.evals.harness.records import Result
from habitus.evals.judges.agreement import read_labels
from habitus.evals.judges.judging import Judge
from habitus.evals.lifelong.playing import Played
from habitus.evals.longmemeval.run import RunOptions, run_longmemeval
from habitus.evals.reports.compare import as_json, compare
from habitus.evals.reports.html import write_page
from habitus.evals.reports.runlog import Finished, Manifest, RunLog, RunLogError
from habitus.evals.reports.scored_runs import read_run
from habitus.evals.running import AgentUnderTest, UsageError
from tests.evals.conftest import Agents, make_record
from tests.evals.reports.test_html_cases import life
from tests.evals.reports.test_html_views import ANSWERS, FEEDBACK, LIFELONG, LOCOMO, PREFEVAL, SESSION
from tests.strategies import bounded, damaged, spoilt

ESTIMATE = {"n": 4, "mean": 0.5, "low": 0.25, "high": 0.75}
TASK: dict[str, Any] = {
    "task": "generation",
    "rule": "none",
    "samples": {"finished": 1},
    "forms": {"explicit": {"3": {"overall": {"following": ESTIMATE}, "pets": {"following": ESTIMATE}}}},
    "judge": {"name": "x"},
    "failures": [{"question_id": "q", "error": "x"}],
    "manifest": {"settings": {"arm": "habitus"}},
}


def _manifest(folder: Path) -> Manifest:
    return Manifest.model_validate_json((folder / "manifest.json").read_bytes())


def _lifelong(folder: Path) -> None:
    scenario, played = life("x")
    scored = {"question_id": scenario.id, "question_type": "t", "views": {"a": {"passed": 0.0, "x": 0.5}}}
    (folder / "scores.jsonl").write_text(json.dumps(scored) + "\n")
    (folder / "run.jsonl").write_text(played.model_dump_json() + "\n")
    (folder / "lives.jsonl").write_text(scenario.model_dump_json() + "\n")
    (folder / "report.json").write_text(json.dumps({**LIFELONG, "failures": TASK["failures"]}))


def _plain(report: dict[str, Any]) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        (folder / "report.json").write_text(json.dumps(report))

    return make


_REPORTS: list[dict[str, Any]] = [LOCOMO, PREFEVAL, ANSWERS, SESSION, FEEDBACK]
RUNS: dict[str, Callable[[Path], None]] = {
    "retrieval": lambda folder: None,
    "lifelong": _lifelong,
    "task": _plain(TASK),
    **{f"report {number}": _plain(report) for number, report in enumerate(_REPORTS)},
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of LongMemEval's retrieval."""
    folder = tmp_path_factory.mktemp("finished")
    data = folder / "data.json"
    data.write_text(
        json.dumps([make_record(), make_record(question_id="missed", question="Which tool?", answer="spade")])
    )
    options = RunOptions(data=data, out=folder / "run", with_replies=False, budgets=(1,))
    assert run_longmemeval(options, lambda: AgentUnderTest(open=Agents(), encoder="none")) == 0
    return options.out


@pytest.fixture(scope="module", params=RUNS)
def whole(request: pytest.FixtureRequest, finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder in which nothing is wrong."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    shutil.copytree(finished, folder)
    RUNS[request.param](folder)
    assert _use(folder, _manifest(folder), folder, _kind(folder))
    return folder


def _kind(folder: Path) -> type[Result]:
    return Played if (folder / "lives.jsonl").exists() else Finished


def _use(folder: Path, manifest: Manifest, other: Path, kind: type[Result]) -> bool:
    """Do all that is done with a run folder."""
    if holds_task(folder):
        write_adherence_page(folder, [other])
    else:
        write_page(folder)
    as_json(compare(read_run(folder), read_run(other), n_resamples=100))
    with RunLog(folder, manifest, kind) as log:
        for question in ("q1", "missed"):
            log.get(question)
    return True


def _file(draw: Callable[[Any], Any], path: Path) -> bytes:
    """Return other content for a file: other parts of its lines, or other bytes."""
    content = path.read_bytes()
    if draw(st.booleans()):
        return bytes(draw(spoilt(content)))
    lines = content.splitlines() if path.suffix == ".jsonl" else [content]
    changed = draw(st.integers(0, len(lines) - 1))
    lines[changed] = json.dumps(draw(damaged(json.loads(lines[changed])))).encode()
    return b"\n".join(lines) + b"\n"


@given(data=st.data())
@bounded(8)
def test_a_damaged_run_is_used_or_refused(whole: Path, data: st.DataObject) -> None:
    with TemporaryDirectory() as copy:
        folder = Path(copy) / "run"
        shutil.copytree(whole, folder)
        names = [one for one in sorted(folder.glob("*.json*")) if one.stat().st_size]
        path = data.draw(st.sampled_from(names), label="file")
        path.write_bytes(_file(data.draw, path))
        try:
            _use(folder, _manifest(whole), whole, _kind(whole))
        except (UsageError, RunLogError) as error:
            assert str(folder) in str(error) or "in common" in str(error), error


LINES = {
    "judge.jsonl": {"key": "k", "vote": {"label": "yes", "outcome": "judged", "reason": "x"}},
    "labels.jsonl": {"id": "q", "label": "yes"},
    "run.jsonl": {"arm": "edits", "user": "u", "costs": [1.0, 0.5]},
}


def _read_lines(path: Path, manifest: Manifest) -> None:
    if path.name == "judge.jsonl":
        Judge(None, name="x", cache=path)  # type: ignore[arg-type]
    elif path.name == "labels.jsonl":
        read_labels(path)
    else:
        CostLog(path.parent, manifest).scores()


@pytest.mark.parametrize("name", LINES)
@given(data=st.data())
@bounded(25)
def test_damaged_lines_are_read_or_named(name: str, finished: Path, data: st.DataObject) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_text(f"{json.dumps(LINES[name])}\n")
        path.write_bytes(_file(data.draw, path))
        try:
            _read_lines(path, _manifest(finished))
        except (UsageError, RunLogError) as error:
            assert name in str(error)
