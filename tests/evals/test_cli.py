"""`habitus eval longmemeval` as a user meets it: exit codes, messages, interruption and what stays."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from habitus.evals.cli import add_commands, user_errors
from habitus.evals.evaluated import RecallingAgent
from habitus.evals.longmemeval.files import DatasetError
from habitus.evals.longmemeval.run import RunOptions, run_longmemeval
from habitus.evals.reports.runlog import RunLogError
from habitus.evals.running import AgentUnderTest

Make = Callable[..., dict[str, Any]]
Write = Callable[..., Path]
Opener = Callable[[Path], AbstractContextManager[RecallingAgent]]

SCRIPT = Path(__file__).with_name("scripted_run.py")


@pytest.fixture(autouse=True)
def no_revision(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Hide the checkout from git, so that a commit between two runs of a test does not part them."""
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "no-repository"))


@pytest.fixture
def app() -> typer.Typer:
    app = typer.Typer()
    add_commands(app)
    return app


def longmemeval(app: typer.Typer, *arguments: object) -> tuple[int, str]:
    """Run the command; return the exit code and what it wrote to stderr."""
    result = CliRunner().invoke(app, ["eval", "longmemeval", *map(str, arguments)])
    return result.exit_code, result.stderr


def scripted(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def results(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "run.jsonl").read_text().splitlines()]


def options(data: Path, out: Path, **changes: Any) -> RunOptions:
    return RunOptions(data=data, out=out, **changes)


def test_a_run_writes_results_manifest_and_report_and_prints_tables(
    record: Make, write: Write, agents: Opener, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write([record(), record(question_id="q2_abs")])
    out = tmp_path / "out"
    code = run_longmemeval(options(data, out), lambda: AgentUnderTest(open=agents, encoder="words"))
    assert code == 0
    assert [line["question_id"] for line in results(out)] == ["q1", "q2_abs"]
    assert results(out)[0]["hypothesis"] == 'You said: "Ann does drink green tea".'
    report = json.loads((out / "report.json").read_text())
    assert report["session"]["all"]["overall"]["r@1"]["n"] == 2
    assert report["session"]["answerable"]["overall"]["r@1"] == {"n": 1, "mean": 1.0, "low": 1.0, "high": 1.0}
    assert report["reply"]["short_answers"]["overall"]["containment"]["mean"] == 1.0
    assert report["manifest"]["encoder"] == "words"
    assert 0.0 < report["harness_share"] < 1.0
    assert json.loads((out / "manifest.json").read_text()) == report["manifest"]
    assert not (out / "scratch").exists()
    printed = capsys.readouterr().out
    assert "LongMemEval retrieval" in printed
    assert "report.json" in printed


def test_retrieval_only_asks_for_no_reply(record: Make, write: Write, agents: Opener, tmp_path: Path) -> None:
    chosen = options(write([record()]), tmp_path / "out", with_replies=False)
    assert run_longmemeval(chosen, lambda: AgentUnderTest(open=agents, encoder="words")) == 0
    assert "hypothesis" not in results(tmp_path / "out")[0]


def test_a_limit_can_be_raised_later(record: Make, write: Write, agents: Any, tmp_path: Path) -> None:
    data = write([record(question_id=f"q{n}") for n in range(5)])
    under_test = AgentUnderTest(open=agents, encoder="words")
    assert run_longmemeval(options(data, tmp_path / "out", limit=2), lambda: under_test) == 0
    assert len(results(tmp_path / "out")) == len(agents.opened) == 2
    assert run_longmemeval(options(data, tmp_path / "out", limit=4), lambda: under_test) == 0
    assert len(results(tmp_path / "out")) == len(agents.opened) == 4


def test_failed_questions_give_exit_code_one_and_are_tried_again(
    record: Make, write: Write, agents: Any, tmp_path: Path
) -> None:
    nul = [[{"role": "user", "content": "a\x00b"}]] * 3
    data = write([record(), record(question_id="bad", haystack_sessions=nul)])
    under_test = AgentUnderTest(open=agents, encoder="words")
    for _ in range(2):
        assert run_longmemeval(options(data, tmp_path / "out"), lambda: under_test) == 1
        first, second = results(tmp_path / "out")
        assert first["question_id"] == "q1"
        assert second["question_id"] == "bad"
        assert "NUL" in second["error"]
        report = json.loads((tmp_path / "out" / "report.json").read_text())
        assert report["questions"]["failed"] == 1
    assert len(agents.opened) == 1


def test_other_settings_are_refused(record: Make, write: Write, agents: Opener, tmp_path: Path) -> None:
    data = write([record()])
    under_test = AgentUnderTest(open=agents, encoder="words")
    run_longmemeval(options(data, tmp_path / "out"), lambda: under_test)
    with pytest.raises(RunLogError, match="settings.context_tokens was 2000, is 500"):
        run_longmemeval(options(data, tmp_path / "out", budgets=(500,)), lambda: under_test)


def test_several_budgets_give_a_row_each(
    record: Make, write: Write, agents: Opener, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = [[{"role": "user", "content": "Which tea does Ann drink? Does Ann drink tea?"}], [], []]
    hidden = record(question_id="q2")
    hidden["haystack_sessions"][0] = other[0]
    chosen = options(write([record(), hidden]), tmp_path / "out", budgets=(1, 2_000, 2))
    assert run_longmemeval(chosen, lambda: AgentUnderTest(open=agents, encoder="words")) == 0
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    metric = "all_evidence_in_context"
    assert report["context"]["answerable"]["overall"][metric]["mean"] == 1.0
    assert report["context@1"]["answerable"]["overall"][metric]["mean"] == 0.5
    assert report["context@1"]["short_answers"]["overall"]["answer_in_packed_evidence"]["mean"] == 0.5
    assert report["manifest"]["settings"]["context_tokens"] == 2_000
    assert report["manifest"]["settings"]["other_context_tokens"] == [1, 2]
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["1", "2", ".500", "2", ".500", "2", ".500", ".500", "1.00"] in rows
    assert any(row[:3] == ["2,000", "2", "1.00"] for row in rows)


def test_without_the_default_budget_the_first_is_the_main_one(tmp_path: Path) -> None:
    assert options(tmp_path, tmp_path, budgets=(4_000, 1_000)).context_tokens == 4_000
    assert options(tmp_path, tmp_path, budgets=(4_000, 1_000, 4_000)).other_context_tokens == (1_000,)
    assert options(tmp_path, tmp_path, budgets=(4_000, 2_000)).context_tokens == 2_000


def test_a_changed_file_is_refused(record: Make, write: Write, agents: Opener, tmp_path: Path) -> None:
    under_test = AgentUnderTest(open=agents, encoder="words")
    run_longmemeval(options(write([record()]), tmp_path / "out"), lambda: under_test)
    with pytest.raises(RunLogError, match="data_sha256"):
        run_longmemeval(options(write([record(answer="other")]), tmp_path / "out"), lambda: under_test)


def test_questions_before_the_end_of_a_cut_off_file_are_kept(
    record: Make, write: Write, agents: Opener, tmp_path: Path
) -> None:
    filler = [{"role": "user", "content": " ".join(map(str, range(100_000)))}]
    data = write(
        [record(question_id=f"q{n}", haystack_sessions=[filler, [], []]) for n in range(6)], "data.json.gz"
    )
    data.write_bytes(data.read_bytes()[:-5_000])
    with pytest.raises(DatasetError, match="cut off"):
        run_longmemeval(options(data, tmp_path / "out"), lambda: AgentUnderTest(open=agents, encoder="words"))
    assert [line["question_id"] for line in results(tmp_path / "out")][:2] == ["q0", "q1"]


def test_kill_9_loses_nothing_that_was_finished(record: Make, write: Write, tmp_path: Path) -> None:
    data = write([record(question_id=f"q{n}") for n in range(4)])
    out, counter = tmp_path / "out", tmp_path / "counter"
    killed = scripted(data, out, counter, 3)
    assert killed.returncode == -9
    assert [line["question_id"] for line in results(out)] == ["q0", "q1"]
    assert list((out / "scratch").iterdir())
    resumed = scripted(data, out, counter)
    assert resumed.returncode == 0, resumed.stderr
    assert [line["question_id"] for line in results(out)] == ["q0", "q1", "q2", "q3"]
    assert len(counter.read_text().splitlines()) == 3 + 2  # q2 was asked twice, the others once
    assert not (out / "scratch").exists()


def test_ctrl_c_says_how_to_go_on(record: Make, write: Write, tmp_path: Path) -> None:
    data = write([record(question_id=f"q{n}") for n in range(3)])
    out, counter = tmp_path / "out", tmp_path / "counter"
    interrupted = scripted(data, out, counter, 2, "SIGINT")
    assert interrupted.returncode == 130
    assert "interrupted: 1 question is finished" in interrupted.stderr
    assert "Traceback" not in interrupted.stderr
    assert not (out / "report.json").exists()
    assert scripted(data, out, counter).returncode == 0
    assert len(results(out)) == 3


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"hello", "expected a JSON array"),
        (b"[]", "holds no questions"),
        (b'[{"question_id": "q1"}]', "has no field 'haystack_dates'"),
        (b"\x1f\x8b\x08", "cut off"),
    ],
)
def test_bad_data_is_one_line_and_exit_code_two(
    content: bytes, message: str, app: typer.Typer, tmp_path: Path
) -> None:
    (tmp_path / "data.json").write_bytes(content)
    code, stderr = longmemeval(app, "--data", tmp_path / "data.json", "--out", tmp_path / "out")
    assert code == 2
    assert message in stderr
    assert len(stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--limit", 0], "--limit must be at least 1, got 0"),
        (["--limit", -3], "--limit must be at least 1, got -3"),
        (["--context-tokens", 0], "--context-tokens must be at least 1, got 0"),
        (["--context-tokens", 9, "--context-tokens", 0], "--context-tokens must be at least 1, got 0"),
        (["--sessions", 0], "--sessions must be at least 1, got 0"),
        (["--exact-limit", 0], "--exact-limit must be at least 1, got 0"),
        (["--pooled"], "--pooled goes with --retrieval-only"),
        ([], "no such file"),
    ],
)
def test_bad_arguments_are_one_line_and_exit_code_two(
    arguments: list[object], message: str, app: typer.Typer, tmp_path: Path
) -> None:
    code, stderr = longmemeval(app, "--data", tmp_path / "none.json", "--out", tmp_path / "out", *arguments)
    assert code == 2
    assert message in stderr
    assert len(stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("command", "content", "message"),
    [
        ("locomo", None, "no such file"),
        ("locomo", b"[]", "is not LoCoMo: expected an array of conversations"),
        ("ablation", None, "no such file"),
        ("ablation", b"[]", "holds no questions"),
    ],
)
def test_the_other_benchmarks_read_their_data_before_anything_else(
    command: str, content: bytes | None, message: str, app: typer.Typer, tmp_path: Path
) -> None:
    data = tmp_path / "data.json"
    if content is not None:
        data.write_bytes(content)
    result = CliRunner().invoke(app, ["eval", command, "--data", str(data), "--out", str(tmp_path / "out")])
    assert result.exit_code == 2
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_help_imports_nothing_heavy() -> None:
    heavy = ("numpy", "pydantic", "torch", "transformers", "chromadb", "langgraph", "langchain_core", "onnx")
    program = f"""
import sys
sys.argv = ["habitus", "--help"]
from habitus.evals.cli import main
try:
    main()
finally:
    sys.stderr.write(repr(sorted(set({heavy!r}) & set(sys.modules))))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stderr == "[]"
    assert "eval" in done.stdout
    assert "bench" in done.stdout


@pytest.mark.parametrize(
    ("number", "code"), [(errno.ENOSPC, 1), (errno.EDQUOT, 1), (errno.EROFS, 1), (errno.ENOENT, 2)]
)
def test_a_full_disk_is_a_failure_and_no_error_of_the_user(number: int, code: int) -> None:
    plain = OSError(number, "cannot be written")
    wrapped = RunLogError("the run cannot be written")
    wrapped.__cause__ = plain
    for error in (plain, wrapped):
        with pytest.raises(typer.Exit) as ended, user_errors():
            raise error
        assert ended.value.exit_code == code
