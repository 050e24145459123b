"""LoCoMo: what is read, what an agent is shown, and which share of the evidence counts as found."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from habitus.evals.cli import add_commands
from habitus.evals.locomo.files import LocomoConversation, read_locomo
from habitus.evals.locomo.run import LocomoOptions, run_locomo
from habitus.evals.locomo.solving import Asked, conversations, cosine_rankings, recall, share_found
from habitus.evals.longmemeval.files import DatasetError
from habitus.evals.reports.scored_runs import read_run
from habitus.evals.running import AgentUnderTest, UsageError, habitus_on
from habitus.retrievers.encoder import HashingEncoder
from tests.evals.loopback import Request, Server, Step, words

DATA = Path(__file__).parents[3] / ".." / "shared" / "data" / "locomo" / "locomo_dev.json"

RECORD: dict[str, Any] = {
    "sample_id": "conv-1",
    "conversation": {
        "speaker_a": "Ann",
        "speaker_b": "Bob",
        "session_1_date_time": "1:56 pm on 8 May, 2023",
        "session_1": [
            {"speaker": "Ann", "dia_id": "D1:1", "text": "I went sailing yesterday."},
            {"speaker": "Bob", "dia_id": "D1:2", "text": "Look!", "blip_caption": "a photo of a red kayak"},
        ],
        "session_2_date_time": "12:05 am on 1 May, 2023",
        "session_2": [{"speaker": "Bob", "dia_id": "D2:1", "text": "My dog learnt to swim."}],
        "session_3_date_time": "9:00 am on 9 May, 2023",
    },
    "qa": [
        {"question": "When did Ann go sailing?", "answer": "7 May", "evidence": ["D1:1"], "category": 2},
        {"question": "Kayak and dog?", "answer": 1, "evidence": ["D1:2; D2:1", "D9:9"], "category": 1},
        {"question": "What might Bob like?", "answer": "water", "evidence": [], "category": 3},
        {"question": "When did Ann fly?", "evidence": ["D1:1"], "category": 5, "adversarial_answer": "x"},
    ],
}


def write(tmp_path: Path, content: Any = None) -> Path:
    path = tmp_path / "locomo.json"
    path.write_text(json.dumps([RECORD] if content is None else content))
    return path


def read(tmp_path: Path) -> LocomoConversation:
    return read_locomo(write(tmp_path))[0]


def test_sessions_are_in_order_of_date_and_those_without_messages_are_left_out(tmp_path: Path) -> None:
    sessions = read(tmp_path).sessions
    assert [session.id for session in sessions] == ["session_2", "session_1"]
    assert [session.at for session in sessions] == [
        datetime(2023, 5, 1, 0, 5, tzinfo=UTC),
        datetime(2023, 5, 8, 13, 56, tzinfo=UTC),
    ]


def test_a_message_is_told_with_its_speaker_and_its_picture(tmp_path: Path) -> None:
    ann, bob = read(tmp_path).sessions[1].turns
    assert ann.said == 'Ann said, "I went sailing yesterday."'
    assert bob.said == 'Bob said, "Look!" and shared a photo of a red kayak'


def test_questions_have_their_gold_and_joined_ids_are_parted(tmp_path: Path) -> None:
    questions = read(tmp_path).questions
    assert [asked.category for asked in questions] == ["temporal", "multi-hop", "open-domain", "adversarial"]
    assert [asked.answer for asked in questions] == ["7 May", "1", "water", "x"]
    assert [asked.evidence for asked in questions] == [{"D1:1"}, {"D1:2", "D2:1"}, set(), {"D1:1"}]
    assert [asked.n_unknown for asked in questions] == [0, 1, 0, 0]


def test_a_category_that_there_is_not_is_refused(tmp_path: Path) -> None:
    broken = copy.deepcopy(RECORD)
    broken["qa"][0]["category"] = 6
    with pytest.raises(DatasetError, match="category 6, expected 1 to 5"):
        read_locomo(write(tmp_path, [broken]))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, "expected an array"),
        ([], "expected an array"),
        ([{"qa": []}], "conversation 1 is not LoCoMo: it has no 'conversation'"),
        ([3], "conversation 1 is not LoCoMo"),
    ],
)
def test_other_files_are_refused(content: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=message):
        read_locomo(write(tmp_path, content))


def test_dates_and_ids_that_cannot_be_are_refused(tmp_path: Path) -> None:
    broken = copy.deepcopy(RECORD)
    broken["conversation"]["session_1_date_time"] = "yesterday"
    with pytest.raises(DatasetError, match="'yesterday' does not match"):
        read_locomo(write(tmp_path, [broken]))
    broken = copy.deepcopy(RECORD)
    broken["conversation"]["session_2"][0]["dia_id"] = "D1:1"
    with pytest.raises(DatasetError, match="repeats a dia_id"):
        read_locomo(write(tmp_path, [broken]))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no such file"):
        read_locomo(tmp_path / "none.json")


def test_the_agent_sees_both_speakers_as_the_user_and_no_id_of_the_file(agents: Any, tmp_path: Path) -> None:
    conversation = read(tmp_path)
    (tmp_path / "agent").mkdir()
    with agents(tmp_path / "agent") as agent:
        agent.ingest("user", conversations(conversation))
        results = [recall(agent, Asked(conversation, one)) for one in conversation.questions[:2]]
    seen = agents.opened[0].conversations
    assert [[message.role for message in one.messages] for one in seen] == [["user"], ["user", "user"]]
    assert not any("D1" in one.model_dump_json() or "session_" in one.model_dump_json() for one in seen)
    assert agents.opened[0].asked_at == [datetime(2023, 5, 8, 13, 56, 2, tzinfo=UTC)] * 2
    # The words shared with "When did Ann go sailing?" are most in Ann's message.
    assert results[0].ranked_turn_ids[0] == "D1:1"
    assert results[0].ranked_session_ids[0] == "session_1"
    assert [result.question_id for result in results] == ["conv-1:1", "conv-1:2"]


def test_the_baseline_ranks_by_cosine_alone(tmp_path: Path) -> None:
    conversation = read(tmp_path)
    found = cosine_rankings(conversation, conversation.questions, HashingEncoder())
    assert found["conv-1:1"][0] == "D1:1"
    assert {frozenset(ranked) for ranked in found.values()} == {frozenset({"D1:1", "D1:2", "D2:1"})}


@pytest.mark.parametrize(("k", "expected"), [(1, 0.0), (2, 0.5), (3, 0.5), (4, 1.0), (9, 1.0)])
def test_recall_is_the_share_of_the_evidence_found(k: int, expected: float) -> None:
    assert share_found(["x", "a", "y", "b"], {"a", "b"}, k) == expected


def report_of(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "report.json").read_text())
    return found


def test_a_run_over_the_real_agent_scores_every_question_with_evidence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    encoder = HashingEncoder()
    options = LocomoOptions(data=write(tmp_path), out=tmp_path / "out")
    assert run_locomo(options, lambda: (habitus_on(encoder, 100), encoder)) == 0
    report = report_of(tmp_path / "out")
    assert report["questions"] == {
        "scored": 2,
        "failed": 0,
        "without_evidence": 1,
        "unknown_evidence_ids": 1,
    }
    agent = report["recall"]["agent"]
    assert list(agent) == ["overall", "multi-hop", "temporal"]
    # Three messages in all: every one is among the first five.
    assert agent["overall"]["turn_recall@5"] == {"n": 2, "mean": 1.0, "low": 1.0, "high": 1.0}
    assert "overall: turn cosine" in capsys.readouterr().out
    run = read_run(tmp_path / "out")
    assert run.scores["conv-1:1"].views["recall.agent"]["turn_recall@5"] == 1.0


def test_a_finished_run_is_scored_again_without_the_agent(agents: Any, tmp_path: Path) -> None:
    encoder = HashingEncoder()
    under_test = AgentUnderTest(open=agents, encoder="words")
    options = LocomoOptions(data=write(tmp_path), out=tmp_path / "out")
    run_locomo(options, lambda: (under_test, encoder))
    first = report_of(tmp_path / "out")
    run_locomo(options, lambda: (under_test, encoder))
    again = report_of(tmp_path / "out")
    assert again["recall"] == first["recall"]
    assert len(agents.opened) == 1


def locomo(server: Server, tmp_path: Path, *arguments: object) -> dict[str, Any]:
    """Run the command with the server as generator and judge, and return the report."""
    app = typer.Typer()
    add_commands(app)
    model = f"{server.url}#loopback"
    common = ["--data", write(tmp_path), "--out", tmp_path / "out", "--replies"]
    common += ["--generator", model, "--judge", model]
    result = CliRunner().invoke(app, ["eval", "locomo", *map(str, [*common, *arguments])])
    assert result.exit_code == 0, result.output
    return report_of(tmp_path / "out")


def script(request: Request) -> Step:
    said = words(request)
    if "verdict" in said:
        return json.dumps({"verdict": "yes" if "never said" in said or "7 May" in said else "no"})
    return "No information available." if "fly" in said else "On 7 May, and water"


@pytest.mark.parametrize("arm", ["habitus", "full-history"])
def test_replies_are_scored_in_five_categories(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arm: str
) -> None:
    monkeypatch.setattr("habitus.agent.defaults.default_encoder", lambda: HashingEncoder(64))
    server.script = script
    report = locomo(server, tmp_path, "--arm", arm, "--generator-window", 9_000, "--concurrency", 2)
    answers = report["answers"]
    assert list(answers["answer"]) == ["overall", "multi-hop", "temporal", "open-domain"]
    # "on 7 may water" against "7 may": precision 1/2, recall 1.
    assert answers["answer"]["temporal"]["f1"]["mean"] == pytest.approx(2 / 3)
    assert answers["answer"]["temporal"]["bleu1"]["mean"] == pytest.approx(1 / 2)
    assert answers["adversarial"]["overall"]["official"] == {"n": 1, "mean": 1.0, "low": 1.0, "high": 1.0}
    assert answers["judged.all"]["adversarial"]["accuracy"]["mean"] == 1.0
    assert report["judge"]["outcomes"] == {"judged": 4}
    assert report["usage"]["n_calls"] == 4
    assert ("agent" in report["recall"]) == (arm == "habitus")
    prompts = [words(one) for one in server.requests if "verdict" not in words(one)]
    assert all("No information available" in one and "I went sailing yesterday" in one for one in prompts)
    # None of the questions was remembered.
    assert not any("When did Ann fly?" in one and "Kayak and dog?" in one for one in prompts)


def test_agents_that_only_answer_are_asked_for_replies(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="give --replies"):
        LocomoOptions(data=tmp_path, out=tmp_path, agent="no-memory")
    with pytest.raises(UsageError, match="not for LoCoMo"):
        LocomoOptions(data=tmp_path, out=tmp_path, agent="oracle", with_replies=True)


def test_the_development_file_is_read_whole() -> None:
    if not DATA.exists():
        pytest.skip(f"{DATA} is absent")
    conversations = read_locomo(DATA)
    questions = [asked for one in conversations for asked in one.questions]
    assert len(conversations) == 3
    assert sum(len(one.session_of) for one in conversations) == 689 + 681 + 419
    assert (len(questions), sum(not asked.evidence for asked in questions)) == (628, 2)
    assert sum(asked.n_unknown for asked in questions) == 1
