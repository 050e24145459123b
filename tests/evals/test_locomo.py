"""LoCoMo: what is read, what an agent is shown, and which share of the evidence counts as found."""

from __future__ import annotations

import copy
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from habitus.evals.locomo import LocomoConversation, read_locomo
from habitus.evals.locomo_run import ask_all, cosine_rankings, print_locomo, run_locomo, share_found
from habitus.evals.longmemeval import DatasetError
from habitus.evals.running import AgentUnderTest, habitus_on
from habitus.retrievers.encoder import HashingEncoder

DATA = Path(__file__).parents[2] / ".." / "shared" / "data" / "locomo" / "locomo_dev.json"

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


def test_adversarial_questions_are_left_out_and_joined_ids_are_parted(tmp_path: Path) -> None:
    questions = read(tmp_path).questions
    assert [asked.category for asked in questions] == ["temporal", "multi-hop", "open-domain"]
    assert [asked.evidence for asked in questions] == [{"D1:1"}, {"D1:2", "D2:1"}, set()]
    assert [asked.n_unknown for asked in questions] == [0, 1, 0]


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
        results = list(ask_all(agent, conversation, conversation.questions[:2]))
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


def test_a_run_over_the_real_agent_scores_every_question_with_evidence(tmp_path: Path) -> None:
    encoder = HashingEncoder()
    report = run_locomo(write(tmp_path), tmp_path / "out", lambda: (habitus_on(encoder, 100), encoder))
    assert report["questions"] == {"scored": 2, "without_evidence": 1, "unknown_evidence_ids": 1}
    agent = report["recall"]["agent"]
    assert list(agent) == ["overall", "multi-hop", "temporal"]
    # Three messages in all: every one is among the first five.
    assert agent["overall"]["turn_recall@5"] == {"n": 2, "mean": 1.0, "low": 1.0, "high": 1.0}
    assert json.loads((tmp_path / "out" / "report.json").read_text()) == report
    console = Console(file=io.StringIO(), width=100)
    print_locomo(report, console)
    assert isinstance(console.file, io.StringIO)
    assert "overall: turn cosine" in console.file.getvalue()


def test_a_finished_run_is_scored_again_without_the_agent(agents: Any, tmp_path: Path) -> None:
    encoder = HashingEncoder()
    under_test = AgentUnderTest(open=agents, encoder="words")
    first = run_locomo(write(tmp_path), tmp_path / "out", lambda: (under_test, encoder))
    again = run_locomo(write(tmp_path), tmp_path / "out", lambda: (under_test, encoder))
    assert again == first
    assert len(agents.opened) == 1


def test_the_development_file_is_read_whole() -> None:
    if not DATA.exists():
        pytest.skip(f"{DATA} is absent")
    conversations = read_locomo(DATA)
    questions = [asked for one in conversations for asked in one.questions]
    assert len(conversations) == 3
    assert sum(len(one.session_of) for one in conversations) == 689 + 681 + 419
    assert (len(questions), sum(not asked.evidence for asked in questions)) == (493, 2)
    assert sum(asked.n_unknown for asked in questions) == 1
