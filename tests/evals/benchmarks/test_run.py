"""Benchmarks of others, run on tiny files: ranks, choices and replies against their gold."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from habitus.agent.generators.scripted import ScriptedChat
from habitus.evals.benchmarks.cases import Case, History, Kind, Source
from habitus.evals.benchmarks.run import BenchmarkOptions, run_benchmark
from habitus.evals.cli import add_commands
from habitus.memory.records import Conversation, Message
from habitus.retrievers.encoder import HashingEncoder

SOURCE = Source("Tiny", "none", "nowhere", "none")
AT = datetime(2025, 1, 6, tzinfo=UTC)


def history(*texts: str, name: str = "h") -> History:
    return History(
        name,
        tuple(
            Conversation(
                id=f"{name}-{n}", at=AT + timedelta(days=n), messages=(Message(role="user", text=text),)
            )
            for n, text in enumerate(texts)
        ),
    )


def case(kind: Kind, told: History, name: str = "c", **more: Any) -> Case:
    asked = {"question": "Which ferries?", **more}
    return Case(id=name, type="t", kind=kind, history=told, at=AT + timedelta(days=90), **asked)


def run(folder: Path, cases: Sequence[Case], *replies: str) -> dict[str, Any]:
    data = folder / "data.json"
    data.write_text("[]")
    model = ScriptedChat(script=list(replies)) if replies else None
    options = BenchmarkOptions(name="tiny", files=(data,), out=folder / "run")
    assert run_benchmark(options, lambda: (SOURCE, cases), lambda: (HashingEncoder(64), model)) == 0
    report: dict[str, Any] = json.loads((folder / "run" / "report.json").read_text())
    return report


def mean(report: dict[str, Any], view: str, metric: str) -> float:
    level, _, convention = view.partition(".")
    found: float = report[level][convention]["overall"][metric]["mean"]
    return found


def test_the_rank_of_the_evidence_is_measured_and_histories_are_shared(tmp_path: Path) -> None:
    told = history("I took the ferries to Oslo.", "I baked bread.", "I sold my car.")
    cases = [
        case("retrieval", told, "c1", evidence=frozenset({"h-0:0"})),
        case("retrieval", told, "c2", question="What did I bake?", evidence=frozenset({"h-1:0"})),
    ]
    report = run(tmp_path, cases)
    assert mean(report, "session.all", "recall_any@1") == 1.0
    assert mean(report, "turn.all", "mrr") == 1.0
    assert mean(report, "context.all", "all_evidence_in_context") == 1.0
    assert report["manifest"]["settings"]["licence"] == "none"
    assert not (tmp_path / "run" / "scratch").exists()


def test_the_option_that_the_preferences_reward_is_chosen(tmp_path: Path) -> None:
    told = history("I hate ferries.", "I love night trains.")
    options = ("Take ferries along the coast.", "Take night trains to the coast.")
    assert (
        mean(run(tmp_path, [case("choice", told, options=options, right=1)]), "choice.all", "accuracy") == 1.0
    )


def test_without_preferences_all_options_share_the_point(tmp_path: Path) -> None:
    blank = case("choice", history("Hello."), options=("One.", "Two."), right=0)
    assert mean(run(tmp_path, [blank]), "choice.all", "accuracy") == 0.5


def test_labels_are_compared_without_case_and_classes_give_a_macro_f1(tmp_path: Path) -> None:
    told = history("comedy: a film")
    cases = [case("classification", told, f"c{n}", gold=gold) for n, gold in enumerate(("comedy", "drama"))]
    report = run(tmp_path, cases, "Comedy.", "comedy")
    assert mean(report, "reply.all", "accuracy") == 0.5
    assert report["over_all"]["macro_f1"] == pytest.approx((2 / 3 + 0) / 2)


def test_ratings_give_mae_and_rmse_and_a_reply_without_a_number_the_worst(tmp_path: Path) -> None:
    told = history("score: 4")
    cases = [case("rating", told, f"c{n}", gold="5") for n in range(2)]
    report = run(tmp_path, cases, "I'd give 3.", "No idea.")
    assert mean(report, "reply.all", "absolute_error") == 3.0
    assert report["over_all"]["rmse"] == pytest.approx(((4 + 16) / 2) ** 0.5)
    assert mean(report, "reply.all", "has_number") == 0.5


def test_texts_are_compared_by_rouge_and_meteor(tmp_path: Path) -> None:
    report = run(tmp_path, [case("generation", history("title: x"), gold="A short title")], "A short title")
    assert mean(report, "reply.all", "rouge1") == 1.0
    assert mean(report, "reply.all", "rougeL") == 1.0
    assert mean(report, "reply.all", "meteor") > 0.9


def test_a_malformed_file_ends_the_command_with_one_line(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text("{\n")
    app = typer.Typer()
    add_commands(app)
    command = ["eval", "longlamp", "--task", "topic_writing", "--data", str(tmp_path / "x.jsonl")]
    refused = CliRunner().invoke(app, [*command, "--out", str(tmp_path / "run")])
    assert refused.exit_code == 2
    assert "x.jsonl, line 1 is not JSON" in refused.stderr
    assert not (tmp_path / "run").exists()
