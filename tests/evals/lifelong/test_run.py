"""The command: files, resuming, comparing, other people's agents, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from habitus.evals.cli import add_commands
from habitus.evals.harness.agents import Parts
from habitus.evals.lifelong.options import LifelongOptions, Skill
from habitus.evals.lifelong.run import UnderTest, print_lifelong, run_lifelong
from habitus.evals.reports.compare import compare
from habitus.evals.reports.scored_runs import read_run
from habitus.evals.running import UsageError
from habitus.memory.records import Conversation
from habitus.retrievers.encoder import HashingEncoder

SKILLS: tuple[Skill, ...] = ("update", "refusal", "forgetting", "isolation", "scope")


class Forgetful:
    """Keeps the words of each user and gives all of them back, whatever is asked."""

    def __init__(self) -> None:
        self.kept: dict[str, list[str]] = {}

    def ingest(self, user_id: str, sessions: Sequence[Conversation]) -> None:
        told = self.kept.setdefault(user_id, [])
        told += [message.text for one in sessions for message in one.messages if message.role == "user"]

    def answer(self, user_id: str, question: str, at: datetime) -> str:
        return " ".join(self.kept.get(user_id, ["I don't know."]))


class Leaky(Forgetful):
    """Gives back what anybody said."""

    def answer(self, user_id: str, question: str, at: datetime) -> str:
        return " ".join(text for told in self.kept.values() for text in told)


def under_test(agent: type[Forgetful] | None = None) -> UnderTest:
    parts = Parts(generator=None, encoder=lambda: HashingEncoder(32))
    factory = None if agent is None else (lambda folder, parts: agent())
    return UnderTest(parts=parts, agent=factory, names={"agent": agent.__name__ if agent else None})


def run(out: Path, agent: type[Forgetful] | None = None, **more: object) -> dict[str, object]:
    options = LifelongOptions(out=out, n=1, skills=SKILLS, **more)  # type: ignore[arg-type]
    assert run_lifelong(options, lambda: under_test(agent)) == 0
    report: dict[str, object] = json.loads((out / "report.json").read_text())
    return report


def passed(report: dict[str, object], view: str, skill: str) -> float:
    mean: float = report["familiar"][view][skill]["passed"]["mean"]  # type: ignore[index]
    return mean


def test_a_run_leaves_its_lives_results_scores_and_report(tmp_path: Path) -> None:
    report = run(tmp_path)
    for name in ("lives.jsonl", "run.jsonl", "scores.jsonl", "manifest.json"):
        assert (tmp_path / name).exists()
    assert len((tmp_path / "lives.jsonl").read_text().splitlines()) == len(SKILLS)
    assert report["questions"] == {"selected": 5, "finished": 5, "failed": 0}
    assert passed(report, "read_paths", "isolation") == 1.0
    assert not (tmp_path / "scratch").exists()


def test_it_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run(tmp_path)
    lines = (tmp_path / "run.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "run.jsonl").write_text("".join(lines[:3]))
    assert run(tmp_path)["familiar"] == first["familiar"]
    assert (tmp_path / "run.jsonl").read_text().splitlines()[:3] == [line.strip() for line in lines[:3]]


def test_two_runs_can_be_compared(tmp_path: Path) -> None:
    run(tmp_path / "a", Forgetful)
    run(tmp_path / "b", Leaky)
    compared = compare(read_run(tmp_path / "a"), read_run(tmp_path / "b"), n_resamples=200)
    assert "Forgetful" in str(compared)


def test_an_agent_of_two_methods_is_asked_what_answers_can_show(tmp_path: Path) -> None:
    report = run(tmp_path / "a", Forgetful)
    assert passed(report, "read_paths", "isolation") == 1.0
    assert passed(report, "read_paths", "forgetting") == 0.0
    assert "scope" not in report["familiar"].get("records", {})  # type: ignore[attr-defined]
    assert passed(run(tmp_path / "b", Leaky), "read_paths", "isolation") == 0.0


def test_the_table_names_every_skill(tmp_path: Path) -> None:
    console = Console(record=True, width=100)
    print_lifelong(run(tmp_path), console)
    shown = console.export_text()
    assert all(skill in shown for skill in SKILLS)
    assert "familiar wordings" in shown


def test_what_cannot_be_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--lives must be at least 1"):
        LifelongOptions(out=tmp_path, n=0)
    app = typer.Typer()
    add_commands(app)
    refused = CliRunner().invoke(app, ["eval", "lifelong", "--out", str(tmp_path), "--skill", "flying"])
    assert refused.exit_code == 2
    assert "there is no --skill 'flying'" in refused.stderr
