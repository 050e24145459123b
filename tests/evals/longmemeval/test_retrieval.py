"""The run over an agent: what the agent is shown, what is kept, and how it is scored."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import pytest

from habitus.evals.evaluated import RecallingAgent
from habitus.evals.harness import runner
from habitus.evals.longmemeval.files import Sample
from habitus.evals.longmemeval.retrieval import (
    Aliases,
    Outcome,
    Task,
    ask_at,
    fresh_user,
    solve,
)
from habitus.evals.longmemeval.scoring import score
from habitus.evals.reports.runlog import Finished, Manifest, RunLog
from habitus.memory.records import Conversation

Make = Callable[..., dict[str, Any]]


class WordAgents(Protocol):
    opened: list[Any]
    folders: list[Path]

    def __call__(self, folder: Path) -> AbstractContextManager[RecallingAgent]: ...


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder for an agent."""
    (tmp_path / "agent").mkdir()
    return tmp_path / "agent"


@pytest.fixture
def log(tmp_path: Path) -> Iterable[RunLog[Finished]]:
    manifest = Manifest(
        benchmark="longmemeval",
        started_at=datetime(2024, 1, 1, tzinfo=UTC),
        data_file="data.json",
        data_sha256="0",
        settings={},
        encoder="none",
        git_revision=None,
        versions={},
    )
    with RunLog(tmp_path / "out", manifest, Finished) as log:
        yield log


def run(
    samples: Iterable[Sample], agents: WordAgents, log: RunLog[Finished], scratch: Path, **options: Any
) -> Outcome:
    solver = fresh_user(agents, scratch, Task(context_tokens=100))
    return runner.run(samples, solver=solver, scorer=score, log=log, **options)


def test_the_result_is_in_official_ids(
    sample: Callable[..., Sample], agents: WordAgents, folder: Path
) -> None:
    found = solve(sample(), agents, folder, Task(context_tokens=100))
    assert found.question_id == "q1"
    assert found.routes == ("extraction",)
    assert found.ranked_session_ids[0] == "answer_1"
    assert set(found.ranked_session_ids) == {"late", "answer_1", "middle"}
    assert found.ranked_turn_ids[0] == "answer_1_3"
    assert len(found.ranked_turn_ids) == 7
    assert found.context_turn_ids[0] == "answer_1_3"
    assert found.context_texts[0] == "Ann does drink green tea"
    assert found.context_tokens == 7
    assert found.other_contexts is None
    assert {"open", "ingest", "recall", "recall.route", "recall.recall", "close"} == set(found.latency_ms)
    assert found.hypothesis is None


def test_a_reply_is_kept_where_one_is_asked_for(
    sample: Callable[..., Sample], agents: WordAgents, folder: Path
) -> None:
    found = solve(sample(), agents, folder, Task(context_tokens=100, with_replies=True))
    assert found.hypothesis == 'You said: "Ann does drink green tea".'
    assert "chat" in found.latency_ms


def test_other_budgets_are_asked_for_and_kept_beside_the_main_one(
    sample: Callable[..., Sample], agents: WordAgents, folder: Path
) -> None:
    found = solve(sample(), agents, folder, Task(context_tokens=2, other_context_tokens=(1, 3)))
    assert found.context_turn_ids == ("answer_1_3", "answer_1_2")
    assert found.other_contexts is not None
    assert {budget: len(context.turn_ids) for budget, context in found.other_contexts.items()} == {1: 1, 3: 3}
    assert found.other_contexts[1].texts == ("Ann does drink green tea",)
    again = Finished.model_validate_json(found.model_dump_json())
    assert again == found


def test_rankings_can_be_cut_off(sample: Callable[..., Sample], agents: WordAgents, folder: Path) -> None:
    found = solve(sample(), agents, folder, Task(max_ranked=2))
    assert found.ranked_turn_ids == ("answer_1_3", "answer_1_2")
    assert len(found.ranked_session_ids) == 2


def test_the_agent_sees_conversations_in_order_of_date_and_no_official_id(
    sample: Callable[..., Sample], agents: WordAgents, folder: Path
) -> None:
    solve(sample(), agents, folder, Task(context_tokens=100))
    seen: list[Conversation] = agents.opened[0].conversations
    assert [conversation.at.day for conversation in seen] == [20, 25, 29]
    assert [len(conversation.messages) for conversation in seen] == [3, 2, 2]
    for conversation in seen:
        assert "answer" not in conversation.model_dump_json()
        assert conversation.id not in ("late", "answer_1", "middle")


def test_a_repeated_session_is_given_twice_and_keeps_its_best_rank(
    sample: Callable[..., Sample], agents: WordAgents, folder: Path
) -> None:
    turns = [{"role": "user", "content": "Which tea does Ann drink?"}]
    repeated = sample(
        haystack_session_ids=["twice", "answer_1", "twice"],
        haystack_sessions=[turns, [{"role": "user", "content": "tea", "has_answer": True}], turns],
    )
    found = solve(repeated, agents, folder, Task(context_tokens=100))
    assert len({conversation.id for conversation in agents.opened[0].conversations}) == 3
    assert found.ranked_session_ids == ("twice", "answer_1")
    assert found.ranked_turn_ids == ("twice_1", "answer_1_1")


def test_blank_messages_are_left_out_and_the_others_keep_their_official_index(
    sample: Callable[..., Sample],
) -> None:
    sessions = [
        [{"role": "user", "content": " \n"}],
        [{"role": "assistant", "content": ""}, {"role": "user", "content": "tea"}],
        [{"role": "user", "content": "rain"}],
    ]
    aliases = Aliases(sample(haystack_sessions=sessions).sessions)
    assert [len(conversation.messages) for conversation in aliases.conversations] == [1, 1]
    first = aliases.conversations[0].id
    assert aliases.official_turns([f"{first}:0"]) == ("answer_1_2",)


@pytest.mark.parametrize("turn", ["elsewhere:0", "session-0001:99", "answer_1_1"])
def test_an_id_that_was_never_given_is_an_error(turn: str, sample: Callable[..., Sample]) -> None:
    with pytest.raises(ValueError, match=f"returned the turn '{turn}', which it was never given"):
        Aliases(sample().sessions).official_turns([turn])


def test_a_question_is_asked_at_its_date(sample: Callable[..., Sample]) -> None:
    assert ask_at(sample()) == datetime(2023, 5, 30, 20, 42, tzinfo=UTC)


def test_a_question_dated_before_its_history_is_asked_after_it(sample: Callable[..., Sample]) -> None:
    asked = ask_at(sample(question_date="2023/05/29 (Mon) 08:00"))
    assert asked == datetime(2023, 5, 29, 10, 0, 2, tzinfo=UTC)


def test_every_question_has_a_fresh_folder_that_is_deleted(
    sample: Callable[..., Sample], agents: WordAgents, log: RunLog[Finished], tmp_path: Path
) -> None:
    run([sample(), sample(question_id="q2")], agents, log, tmp_path)
    assert len(set(agents.folders)) == 2
    assert not any(folder.exists() for folder in agents.folders)


def test_finished_questions_are_scored_from_the_log_without_the_agent(
    sample: Callable[..., Sample], agents: WordAgents, log: RunLog[Finished], tmp_path: Path
) -> None:
    first = run([sample()], agents, log, tmp_path)
    again = run([sample(), sample(question_id="q2")], agents, log, tmp_path)
    assert len(agents.opened) == 2
    assert (first.n_resumed, again.n_resumed) == (0, 1)
    assert again.scores[0] == first.scores[0]


def test_a_failing_question_is_kept_with_its_error_and_the_run_goes_on(
    sample: Callable[..., Sample], agents: WordAgents, log: RunLog[Finished], tmp_path: Path
) -> None:
    nul = [{"role": "user", "content": "a\x00b"}]
    broken = sample(question_id="bad", haystack_sessions=[nul, nul, nul])
    outcome = run([broken, sample()], agents, log, tmp_path)
    assert [failure.question_id for failure in outcome.failures] == ["bad"]
    assert outcome.failures[0].error.startswith("ValidationError: ")
    assert "solve" in outcome.failures[0].traceback
    assert [found.question_id for found in outcome.scores] == ["q1"]
    assert log.get("bad") is None


def test_an_interruption_keeps_what_is_finished(
    sample: Callable[..., Sample], agents: WordAgents, log: RunLog[Finished], tmp_path: Path
) -> None:
    def interrupt(outcome: Outcome) -> None:
        if len(outcome.scores) == 1:
            raise KeyboardInterrupt

    samples = [sample(), sample(question_id="q2")]
    assert run(samples, agents, log, tmp_path, on_sample=interrupt).interrupted
    assert log.n_finished == 1
    assert run(samples, agents, log, tmp_path).n_resumed == 1
    assert len(agents.opened) == 2
