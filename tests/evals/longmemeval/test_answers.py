"""Question answering from the command line, against a real server that speaks the OpenAI protocol."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from habitus.evals.cli import add_commands
from habitus.retrievers.encoder import HashingEncoder
from tests.evals.loopback import COMPLETION_TOKENS, FAULTS, PROMPT_TOKENS, Request, Server, Step, words

Make = Callable[..., dict[str, Any]]
Write = Callable[..., Path]
Run = Callable[..., tuple[int, str]]


@pytest.fixture(autouse=True)
def no_revision(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Hide the checkout from git, so that a commit between two runs of a test does not part them."""
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "no-repository"))


@pytest.fixture
def data(record: Make, write: Write) -> Path:
    others = [record(question_id=name, question=f"Which tea, {name}?") for name in ("q2", "q3_abs")]
    return write([record(), *others])


@pytest.fixture
def run(data: Path, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command with the server as generator; return the exit code and what was printed."""
    monkeypatch.setattr("habitus.agent.defaults.default_encoder", lambda: HashingEncoder(64))

    def run(*arguments: object, out: str = "out", judge: bool = True) -> tuple[int, str]:
        app = typer.Typer()
        add_commands(app)
        model = f"{server.url}#loopback"
        common: list[object] = ["--data", data, "--out", tmp_path / out, "--generator", model]
        common += ["--judge", model] if judge else []
        result = CliRunner().invoke(app, ["eval", "longmemeval", *map(str, [*common, *arguments])])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, result.output

    return run


def full(*more: object) -> tuple[object, ...]:
    return ("--arm", "full-history", "--generator-window", 10_000, *more)


def report_of(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "report.json").read_text())
    return found


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def asked(server: Server) -> list[Request]:
    """Return what the model under test was asked."""
    return [one for one in server.requests if "verdict" not in words(one)]


def judged(server: Server) -> list[Request]:
    return [one for one in server.requests if "verdict" in words(one)]


def answer(request: Request, *, judge: Step = '{"reason": "so", "verdict": "yes"}') -> Step:
    return judge if "verdict" in words(request) else "tea"


def test_replies_are_judged_counted_and_paid_for(run: Run, server: Server, tmp_path: Path) -> None:
    code, printed = run(*full("--price", "1/10", "--judge-price", "2/0", "--concurrency", 3))
    assert code == 0
    report = report_of(tmp_path / "out")
    # The loopback model repeats the end of its prompt, which holds the answer.
    assert report["judged"]["all"]["overall"]["accuracy"]["mean"] == 1.0
    assert report["judged"]["abstention"]["overall"]["accuracy"]["n"] == 1
    assert report["usage"] == {
        "n_calls": 3,
        "input_tokens": 3 * PROMPT_TOKENS,
        "output_tokens": 3 * COMPLETION_TOKENS,
        "n_estimated": 0,
        "cost": pytest.approx((3 * PROMPT_TOKENS + 3 * COMPLETION_TOKENS * 10) / 1e6),
    }
    assert report["judge"]["outcomes"] == {"judged": 3}
    assert report["judge"]["cost"] == pytest.approx(3 * PROMPT_TOKENS * 2 / 1e6)
    assert "session" not in report
    assert "judge.abstention" in report["manifest"]["prompts"]
    assert [line["label"] for line in lines(tmp_path / "out" / "judgements.jsonl")] == ["yes"] * 3
    assert lines(tmp_path / "out" / "scores.jsonl")[0]["views"]["judged.all"] == {"accuracy": 1.0}
    assert "Replies that the judge calls right" in printed
    assert "3 judged" in printed


@pytest.mark.parametrize(
    ("arm", "told", "untold"),
    [
        ("no-memory", [], ["green tea", "It rains"]),
        ("window", ["green tea", "It rains"], []),
        ("full-history", ["green tea", "It rains"], []),
        ("oracle", ["green tea"], ["It rains"]),
    ],
)
def test_each_arm_tells_the_model_what_it_should(
    run: Run, server: Server, arm: str, told: list[str], untold: list[str]
) -> None:
    assert run("--arm", arm, "--generator-window", 10_000, "--limit", 1, judge=False)[0] == 0
    prompt = words(asked(server)[0])
    assert "Which tea does Ann drink?" in prompt
    assert "30 May 2023" in prompt
    assert all(one in prompt for one in told)
    assert not any(one in prompt for one in untold)


def test_a_history_that_does_not_fit_loses_its_oldest_messages_and_says_so(
    run: Run, server: Server, tmp_path: Path
) -> None:
    code, printed = run("--arm", "full-history", "--generator-window", 1_090, "--limit", 1, judge=False)
    assert code == 0
    assert "It rains" in words(asked(server)[0])
    assert "green tea" not in words(asked(server)[0])
    assert report_of(tmp_path / "out")["cut"] == {"history": {"questions": 1, "kept": pytest.approx(3 / 7)}}
    assert "Cut to fit: history in 1 questions" in printed


def test_a_window_that_nobody_knows_is_asked_for(run: Run) -> None:
    code, printed = run("--arm", "full-history", judge=False)
    assert (code, "give --generator-window" in printed) == (2, True)


def test_our_agent_answers_through_its_own_graph_and_is_scored_on_both(
    run: Run, server: Server, tmp_path: Path
) -> None:
    assert run()[0] == 0
    assert run("--without", "evidence", out="without")[0] == 0
    whole, without = report_of(tmp_path / "out"), report_of(tmp_path / "without")
    assert whole["session"]["answerable"]["overall"]["r@1"]["n"] == 2
    assert whole["usage"]["n_calls"] == whole["usage"]["input_tokens"] / PROMPT_TOKENS == 3
    assert whole["usage"]["n_estimated"] == 0
    assert without["manifest"]["settings"]["without"] == ["evidence"]
    prompts = [words(one) for one in asked(server)]
    assert all("Ann does drink green tea" in one for one in prompts[:3])
    assert not any("Ann does drink green tea" in one for one in prompts[3:])


def test_two_arms_are_compared(run: Run, tmp_path: Path) -> None:
    run(*full(), out="a")
    run("--arm", "no-memory", out="b")
    app = typer.Typer()
    add_commands(app)
    compared = tmp_path / "compared.json"
    arguments = ["eval", "compare", str(tmp_path / "a"), str(tmp_path / "b"), "--out", str(compared)]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    found = json.loads(compared.read_text())
    views = {(one["view"], one["group"]): one for one in found["compared"]}
    assert views["judged.all", "overall"]["mean_a"] == 1.0
    assert views["judged.all", "overall"]["mean_b"] == 0.0
    assert any("settings.agent" in entry for entry in found["manifest"])


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault != "broken"])
def test_a_passing_fault_of_the_server_changes_nothing(
    run: Run, server: Server, tmp_path: Path, fault: Step
) -> None:
    server.faults = [fault]
    assert run(*full("--timeout", 1 if fault == "hang" else 30, "--limit", 1))[0] == 0
    assert len(server.requests) == 3
    assert report_of(tmp_path / "out")["judged"]["all"]["overall"]["accuracy"]["mean"] == 1.0


@pytest.mark.parametrize("fault", FAULTS)
def test_a_lasting_fault_costs_its_sample_and_no_other(
    run: Run, server: Server, tmp_path: Path, fault: Step
) -> None:
    server.faults = [fault]
    timeout = 1 if fault == "hang" else 30
    code, printed = run(*full("--timeout", timeout, "--retries", 0))
    assert (code, "Failed questions" in printed) == (1, True)
    report = report_of(tmp_path / "out")
    assert report["questions"]["failed"] == 1
    assert report["judged"]["all"]["overall"]["accuracy"]["n"] == 2
    n_before = len(server.requests)
    assert run(*full("--timeout", timeout, "--retries", 0))[0] == 0
    assert len(server.requests) == n_before + 2
    assert report_of(tmp_path / "out")["judged"]["all"]["overall"]["accuracy"]["n"] == 3


@pytest.mark.parametrize(
    ("verdict", "outcome"),
    [('{"verdict": "cannot_judge"}', "refused"), ("I would say so.", "unparsed"), (500, "failed")],
)
def test_what_the_judge_does_not_say_is_counted_and_is_no_score(
    run: Run, server: Server, tmp_path: Path, verdict: Step, outcome: str
) -> None:
    server.script = lambda request: answer(request, judge=verdict)
    code, printed = run(*full("--retries", 0))
    report = report_of(tmp_path / "out")
    assert report["judge"]["outcomes"] == {outcome: 3}
    assert "judged" not in report
    assert f"3 {outcome}" in printed
    assert code == (1 if outcome == "failed" else 0)
    server.script = answer
    run(*full("--retries", 0))
    # A refusal is the judge's answer; what failed or could not be read is asked for again.
    n_right = 0 if outcome == "refused" else 3
    assert report_of(tmp_path / "out")["judge"]["outcomes"].get("judged", 0) == n_right
    assert len(asked(server)) == 3


def test_shards_merge_without_asking_again(run: Run, server: Server, tmp_path: Path) -> None:
    assert run(*full("--shard", "1/2"))[0] == 0
    assert run(*full("--shard", "2/2"))[0] == 0
    n_asked = len(server.requests)
    assert run(*full())[0] == 0
    assert len(server.requests) == n_asked == 6
    report = report_of(tmp_path / "out")
    assert report["questions"]["finished"] == 3
    assert report["judge"]["n_cached"] == 3
    assert len(lines(tmp_path / "out" / "scores.jsonl")) == 3


def test_votes_are_taken_and_the_majority_counts(run: Run, server: Server, tmp_path: Path) -> None:
    said = iter(["yes", "no", "yes"])

    def script(request: Request) -> Step:
        return json.dumps({"verdict": next(said)}) if "verdict" in words(request) else "tea"

    server.script = script
    assert run(*full("--votes", 3, "--limit", 1))[0] == 0
    assert report_of(tmp_path / "out")["judge"]["n_votes"] == 3
    assert lines(tmp_path / "out" / "judgements.jsonl")[0]["label"] == "yes"
    assert "temperature" not in judged(server)[0]


def test_agreement_with_labels_is_told(run: Run, tmp_path: Path) -> None:
    labels = tmp_path / "labels.jsonl"
    told = {"q1": "yes", "q2": "no", "q3_abs": "yes"}
    labels.write_text("".join(json.dumps({"id": id_, "label": one}) + "\n" for id_, one in told.items()))
    code, printed = run(*full("--labels", labels))
    assert code == 0
    found = report_of(tmp_path / "out")["judge"]["agreement"]
    assert (found["n"], found["agreed"], found["kappa"]) == (3, pytest.approx(2 / 3), 0.0)
    assert "Cohen's kappa 0.000" in printed
    labels.write_text('{"id": "another", "label": "yes"}\n')
    code, printed = run(*full("--labels", labels), out="others")
    assert (code, "none to tell (n=0" in printed) == (0, True)
    # The verdicts of one run are the labels of another.
    run(*full("--labels", tmp_path / "out" / "judgements.jsonl"), out="again")
    assert report_of(tmp_path / "again")["judge"]["agreement"]["agreed"] == 1.0


def test_the_official_prompts_are_those_of_the_clone(run: Run, server: Server, tmp_path: Path) -> None:
    source = tmp_path / "clone" / "src" / "evaluation" / "evaluate_qa.py"
    source.parent.mkdir(parents=True)
    source.write_text(
        "def get_anscheck_prompt(task, question, answer, response, abstention=False):\n"
        "    return f'THEIRS {task} {abstention}: {response} {question}'\n"
    )
    server.script = answer
    assert run(*full("--official-prompts", tmp_path / "clone"))[0] == 0
    told = [words(one) for one in judged(server)]
    assert sum("THEIRS single-session-user False: tea" in one for one in told) == 2
    assert sum("THEIRS single-session-user True: tea" in one for one in told) == 1
    prompts = report_of(tmp_path / "out")["manifest"]["prompts"]
    assert prompts["judge.temporal-reasoning"] == "THEIRS temporal-reasoning False: {reply} {question}"


AGENT = """
class Mine:
    def ingest(self, user_id, sessions): self.said = [m.text for s in sessions for m in s.messages]
    def answer(self, user_id, question, at): return self.said[0] if len(self.said) == 7 else "?"

def make(folder, parts): return Mine()
"""


def test_anybodys_agent_is_evaluated(
    run: Run, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "somebodys.py").write_text(AGENT)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [str(tmp_path)])
    assert run("--agent", "somebodys:make")[0] == 0
    assert {line["hypothesis"] for line in lines(tmp_path / "out" / "run.jsonl")} == {"Hello there"}
    assert asked(server) == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--arm", "nobody"], "must be MODULE:FACTORY"),
        (["--without", "soul"], "there is no part 'soul'"),
        (["--arm", "oracle", "--without", "profile"], "--without leaves parts of habitus out"),
        (["--votes", "2"], "--votes must be odd"),
        (["--price", "cheap"], "--price must be READ/WRITTEN"),
        (["--shard", "3/2"], "--shard must be I/N"),
        (["--retrieval-only"], "--judge judges replies"),
        (["--official-prompts", "/nowhere"], "clone of LongMemEval"),
    ],
)
def test_what_cannot_be_run_is_told(run: Run, arguments: list[str], told: str) -> None:
    code, printed = run(*arguments)
    assert code == 2
    assert told in " ".join(printed.split())
