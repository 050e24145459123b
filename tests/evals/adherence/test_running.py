"""A run over a real server on loopback: judged, taken up, in shards, reported, compared."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from habitus.evals.adherence.options import AdherenceOptions
from habitus.evals.adherence.running import run_adherence
from habitus.evals.cli import add_commands
from habitus.evals.harness.agents import Parts
from habitus.evals.harness.judged import JudgeOptions
from habitus.evals.harness.models import chat_model
from habitus.evals.harness.options import ModelOptions
from habitus.evals.harness.shards import Shard
from habitus.evals.reports.compare import compare
from habitus.evals.reports.report import Report
from habitus.evals.reports.runlog import RunLogError
from habitus.evals.reports.scored_runs import read_run
from habitus.evals.running import FAILED, UsageError
from habitus.retrievers.encoder import HashingEncoder
from tests.evals.loopback import Request, Server, Step, serving, words


def answer(request: Request) -> Step:
    """Offer rye bread or a dinghy; as a judge, find that rye bread violates, and else no fault."""
    said = words(request)
    if "<reply>" not in said:
        return "Dark rye bread." if "soup" in request["messages"][-1]["content"] else "A dinghy."
    if "something of substance" in said:
        return json.dumps({"verdict": "yes"})
    if "goes against" in said:
        return json.dumps({"verdict": "yes" if "Dark rye" in said.partition("<reply>")[2] else "no"})
    return json.dumps({"verdict": "no"})


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        running.script = answer
        yield running


@pytest.fixture
def options(folder: Path, fillers: Path, tmp_path: Path, server: Server) -> AdherenceOptions:
    return AdherenceOptions(
        data=folder,
        out=tmp_path / "out",
        distances=(0, 2),
        distractors=fillers,
        arm="reminder",
        generator=f"{server.url}#m",
        judge=JudgeOptions(name=f"{server.url}#judge", retries=0),
    )


def go(options: AdherenceOptions) -> int:
    name = options.generator
    model = ModelOptions(retries=0)
    parts = Parts(generator=(lambda: chat_model(name, model)) if name else None, encoder=HashingEncoder)
    return run_adherence(options, parts)


def report(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "report.json").read_text())
    return found


def test_adherence_stands_in_every_file_by_distance_and_topic(options: AdherenceOptions) -> None:
    assert go(options) == 0
    found = report(options.out)
    at_2 = found["forms"]["explicit"]["2"]
    assert at_2["overall"]["adherence"]["mean"] == 0.5
    assert at_2["boats"]["adherence"]["mean"] == 1.0
    assert at_2["bread"]["preference-unaware violation"]["mean"] == 1.0
    assert found["judge"]["outcomes"] == {"judged": 10}
    assert found["rule"].startswith("right = helps and does not violate")
    assert found["manifest"]["settings"]["wording"] == "own"
    assert "goes against the preference" in found["manifest"]["prompts"]["judge: violates"]
    lines = [json.loads(line) for line in (options.out / "scores.jsonl").read_text().splitlines()]
    assert [line["question_id"] for line in lines][:2] == ["explicit/boats/0/0", "explicit/boats/0/2"]
    assert lines[1]["views"]["explicit@002"]["adherence"] == 1.0
    page = (options.out / "report.html").read_text()
    assert "adherence by exchanges between preference and question" in page
    assert "adherence by topic: form explicit, 2 exchanges" in page
    assert "<script" not in page


def test_a_run_is_taken_up_without_asking_again(options: AdherenceOptions, server: Server) -> None:
    go(replace(options, shard=Shard(1, 2)))
    n_asked = len(server.requests)
    server.requests.clear()
    assert go(options) == 0
    assert 0 < len(server.requests) <= n_asked
    assert report(options.out)["samples"]["kept from an earlier run"] == 2
    server.requests.clear()
    go(options)
    assert server.requests == []


def test_a_provider_that_fails_once_loses_one_sample_until_the_next_run(
    options: AdherenceOptions, server: Server
) -> None:
    server.faults = [500]
    assert go(options) == FAILED
    found = report(options.out)
    assert found["samples"]["failed"] == 1
    assert found["failures"][0]["question_id"] == "explicit/boats/0/0"
    assert go(options) == 0
    assert report(options.out)["samples"] == {"finished": 4, "failed": 0, "kept from an earlier run": 3}


def test_a_judge_that_fails_is_counted_and_asked_again(options: AdherenceOptions, server: Server) -> None:
    judged = replace(options, concurrency=1)
    server.script = lambda request: 503 if "<reply>" in words(request) else answer(request)
    assert go(judged) == FAILED
    found = report(options.out)
    assert found["judge"]["outcomes"] == {"failed": 4}
    assert found["forms"]["explicit"]["0"]["overall"]["unjudged"]["mean"] == 1.0
    assert "adherence" not in found["forms"]["explicit"]["0"]["overall"]
    server.script = answer
    assert go(judged) == 0
    assert report(options.out)["forms"]["explicit"]["0"]["overall"]["adherence"]["mean"] == 0.5


def test_two_arms_can_be_compared(options: AdherenceOptions, tmp_path: Path, server: Server) -> None:
    go(options)
    other = replace(options, arm="zero-shot", out=tmp_path / "other")
    server.script = lambda request: answer(request) if "<reply>" in words(request) else "Dark rye bread."
    go(other)
    found = compare(read_run(options.out), read_run(other.out))
    assert any("settings.arm was 'reminder', is 'zero-shot'" in entry for entry in found.manifest)
    values = {(one.view, one.group, one.metric): one.difference for one in found.compared}
    assert values["explicit@000", "overall", "adherence"].difference == -0.5


def test_another_question_is_another_run(options: AdherenceOptions) -> None:
    go(options)
    with pytest.raises(RunLogError, match="settings.seed was 0, is 1"):
        go(replace(options, seed=1))


def test_the_classification_task_needs_no_judge(options: AdherenceOptions, server: Server) -> None:
    def choose(request: Request) -> Step:
        lines = words(request).splitlines()
        return next((f"<choice>{line[0]}</choice>" for line in lines if "dinghy" in line), "Hm.")

    server.script = choose
    assert go(replace(options, task="classification", judge=None)) == 0
    found = report(options.out)["forms"]["explicit"]["0"]
    assert found["boats"]["accuracy"]["mean"] == 1.0
    assert found["bread"]["no_choice"]["mean"] == 1.0
    assert found["overall"]["accuracy"]["mean"] == 0.5


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"arm": "guess"}, "no --arm 'guess'"),
        ({"task": "poetry"}, "no --task 'poetry'"),
        ({"forms": ("sung",)}, "no --form 'sung'"),
        ({"distractors": None}, "give --distractors"),
        ({"distances": (-1,)}, "--distance must be 0 or more"),
        ({"generator": None}, "give --generator"),
        ({"agent": "a:b"}, "--agent goes with --arm agent"),
        ({"task": "classification"}, "--judge is for the generation task"),
        ({"concurrency": 0}, "--concurrency"),
    ],
)
def test_options_that_make_no_run_are_refused(
    options: AdherenceOptions, changes: dict[str, Any], problem: str
) -> None:
    with pytest.raises(UsageError, match=problem):
        replace(options, **changes)


def test_the_commands_run_the_agent_without_a_model_and_draw_arms_beside_it(
    options: AdherenceOptions, tmp_path: Path, fillers: Path, folder: Path
) -> None:
    go(options)
    app = typer.Typer()
    add_commands(app)
    page = CliRunner().invoke(app, ["eval", "report", str(options.out), "--beside", str(options.out)])
    assert page.exit_code == 0, page.output
    assert (options.out / "report.html").read_text().count("reminder, explicit</text>") == 2
    assert Report.read(options.out, beside=[options.out]).page == (options.out / "report.html").read_text()
    refused = CliRunner().invoke(app, ["eval", "prefeval", "--data", str(folder), "--distance", "0"])
    assert refused.exit_code == 2
    assert "give --out" in refused.stderr
