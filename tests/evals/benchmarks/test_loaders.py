"""Loaders on tiny hand-made files: what is read, and what is refused with its file, place and field."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from habitus.evals.benchmarks.beam import read_beam
from habitus.evals.benchmarks.longlamp import TASKS, read_longlamp
from habitus.evals.benchmarks.perltqa import read_perltqa
from habitus.evals.benchmarks.personamem import COLUMNS, read_personamem
from habitus.evals.longmemeval.files import DatasetError

ROW = {
    "question_id": "q1",
    "question_type": "recall_user_shared_facts",
    "user_question_or_message": "What should I cook?",
    "correct_answer": "(b)",
    "all_options": json.dumps(["(a) Steak.", "(b) Lentils.", "(c) Eggs.", "(d) Fish."]),
    "shared_context_id": "ctx",
    "end_index_in_shared_context": "3",
}
CONTEXT = {
    "ctx": [
        {"role": "system", "content": "A vegan from Oslo."},
        {"role": "user", "content": "I love lentils."},
        {"role": "assistant", "content": "Noted."},
        {"role": "user", "content": "I hate lentils now."},
    ]
}


def personamem(folder: Path, *rows: dict[str, str], contexts: str | None = None) -> tuple[Path, Path]:
    questions = folder / "questions_32k.csv"
    with questions.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    shared = folder / "shared_contexts_32k.jsonl"
    shared.write_text(json.dumps(CONTEXT) + "\n" if contexts is None else contexts)
    return questions, shared


def test_personamem_shows_what_was_said_before_the_question_and_no_profile(tmp_path: Path) -> None:
    (case,) = read_personamem(*personamem(tmp_path, ROW))
    assert (case.id, case.kind, case.right) == ("q1", "choice", 1)
    assert case.options == ("Steak.", "Lentils.", "Eggs.", "Fish.")
    said = [message.text for session in case.history.sessions for message in session.messages]
    assert said == ["I love lentils.", "Noted."]


def test_personamem_options_may_be_spelled_as_python(tmp_path: Path) -> None:
    (case,) = read_personamem(*personamem(tmp_path, {**ROW, "all_options": "['(a) No', \"(b) Don't\"]"}))
    assert case.options == ("No", "Don't")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"shared_context_id": "other"}, r"questions_32k.csv, line 2: there is no context 'other'"),
        ({"end_index_in_shared_context": "x"}, "line 2: `end_index_in_shared_context` is no whole number"),
        ({"end_index_in_shared_context": "9"}, "beyond the end"),
        ({"correct_answer": "(e)"}, "line 2: `correct_answer` names none"),
        ({"all_options": "Steak"}, "line 2: `all_options` is no array"),
    ],
)
def test_personamem_rows_that_are_none_are_named(
    changes: dict[str, str], problem: str, tmp_path: Path
) -> None:
    with pytest.raises(DatasetError, match=problem):
        read_personamem(*personamem(tmp_path, {**ROW, **changes}))


def test_personamem_files_that_are_none_are_named(tmp_path: Path) -> None:
    questions, contexts = personamem(tmp_path, ROW, contexts='{"ctx": []}\n{"ctx"\n')
    with pytest.raises(DatasetError, match=r"shared_contexts_32k.jsonl, line 2 is not JSON"):
        read_personamem(questions, contexts)
    contexts.write_text(json.dumps({"ctx": [{"role": "user"}] * 3}))
    with pytest.raises(DatasetError, match=r"line 1, `ctx`, item 1 has no field `content`"):
        read_personamem(questions, contexts)
    questions.write_text("a,b\n1,2\n")
    with pytest.raises(DatasetError, match="has no column `question_id`"):
        read_personamem(questions, contexts)
    with pytest.raises(DatasetError, match="no such file.*huggingface.co"):
        read_personamem(tmp_path / "nowhere.csv", contexts)
    with pytest.raises(DatasetError, match="'q1' occurs twice"):
        read_personamem(*personamem(tmp_path, ROW, ROW))


def person() -> dict[str, Any]:
    return {
        "profile": {"Protagonist": "Ada Lind", "Hobbies": "rowing"},
        "social_relationship": {
            "1_0": {"Supporting Characters": "Bo", "Description": "They row.", "Relationship": "brother"}
        },
        "events": {"1_0_0": {"content": "They won a race.", "Creation Time": "May 2022"}},
        "dialogues": {"1_0_0#0": {"events": "1_0_0", "contents": {"2022-05-12 10:00": ["Ada: We won!"]}}},
    }


def question(text: str, refers: str) -> dict[str, Any]:
    return {"Question": text, "Answer": "An answer.", "Reference Memory": refers, "Memory Anchors": []}


def perltqa(folder: Path, **changes: Any) -> tuple[Path, Path]:
    asked = {
        "profile": [question("Which hobby?", "Hobbies")],
        "social_relationship": [{"1_0": [question("Who is Bo?", "['1_0']")]}],
        "events": [{"1_0_0": [question("What was won?", "['1_0_0']")]}],
        "dialogues": [{"1_0_0#0": [question("Who cheered?", "['1_0_0#0']"), question("Lost?", "['9_9']")]}],
        **changes,
    }
    memories, questions = folder / "mem.json", folder / "qa.json"
    memories.write_text(json.dumps({"Ada Lind": person()}))
    questions.write_text(json.dumps([{"Ada Lind": asked}]))
    return memories, questions


def test_perltqa_questions_point_to_their_memory_and_lost_references_are_left_out(tmp_path: Path) -> None:
    cases = read_perltqa(*perltqa(tmp_path))
    assert [case.type for case in cases] == ["profile", "social_relationship", "events", "dialogues"]
    texts = {f"{session.id}:0": session.messages[0].text for session in cases[0].history.sessions}
    pointed = [texts[turn] for case in cases for turn in case.evidence]
    assert pointed == [
        "Ada Lind, Hobbies: rowing",
        "Bo is Ada Lind's brother. They row.",
        "May 2022: They won a race.",
        "2022-05-12 10:00:\nAda: We won!",
    ]
    assert len({case.id for case in cases}) == 4
    assert len({id(case.history) for case in cases}) == 1


def test_perltqa_files_that_are_none_are_named(tmp_path: Path) -> None:
    memories, questions = perltqa(tmp_path, events=[{"1_0_0": [{"Answer": "x"}]}])
    with pytest.raises(DatasetError, match="qa.json, item 1, `Ada Lind`, `events`.*no field `Reference"):
        read_perltqa(memories, questions)
    questions.write_text(json.dumps([{"Cy": {}}]))
    with pytest.raises(DatasetError, match="asks of 'Cy', of whom mem.json holds nothing"):
        read_perltqa(memories, questions)
    memories.write_text(json.dumps({"Ada Lind": {**person(), "events": []}}))
    with pytest.raises(DatasetError, match="mem.json, `Ada Lind`, `events` is no object"):
        read_perltqa(memories, questions)


def beam(folder: Path, *, batches: Any = None, asked: Any = None) -> Path:
    chat = folder / "100K" / "7"
    (chat / "probing_questions").mkdir(parents=True, exist_ok=True)
    messages = [
        {"role": "user", "id": 0, "time_anchor": "March-15-2024", "content": "My sprint ends soon. ->-> 1,1"},
        {"role": "assistant", "id": 1, "content": "Good."},
    ]
    later = [{"role": "user", "id": 2, "content": "It ends on 29 March."}]
    made = [{"batch_number": 1, "turns": [messages]}, {"batch_number": 2, "turns": [later]}]
    questions = {
        "abstention": [{"question": "Who is my boss?", "ideal_response": "Not said."}],
        "knowledge_update": [
            {
                "question": "When does it end?",
                "answer": "29 March",
                "source_chat_ids": {"original_info": [0], "updated_info": [2]},
            }
        ],
    }
    (chat / "chat.json").write_text(json.dumps(batches or made))
    (chat / "probing_questions" / "probing_questions.json").write_text(json.dumps(asked or questions))
    return chat


def test_beam_batches_are_dated_sessions_and_sources_are_evidence(tmp_path: Path) -> None:
    (case,) = read_beam([beam(tmp_path)])
    first, second = case.history.sessions
    assert first.messages[0].text == "My sprint ends soon."
    assert (first.at, second.at) == (
        datetime(2024, 3, 15, 12, tzinfo=UTC),
        datetime(2024, 3, 16, 12, tzinfo=UTC),
    )
    assert (case.type, case.gold) == ("knowledge_update", "29 March")
    assert case.evidence == {"100K-7-1:0", "100K-7-2:0"}


@pytest.mark.parametrize(
    ("batches", "asked", "problem"),
    [
        ([{"batch_number": 1}], None, "chat.json, item 1 has no field `turns`"),
        ([{"batch_number": 1, "turns": [[{"role": "user", "id": 0}]]}], None, "no field `content`"),
        (
            [{"batch_number": 1, "turns": [[{"role": "tool", "id": 0, "content": "x"}]]}],
            None,
            "`role` other than",
        ),
        (
            [
                {
                    "batch_number": 1,
                    "turns": [[{"role": "user", "id": 0, "content": "x", "time_anchor": "soon"}]],
                }
            ],
            None,
            "`time_anchor` is no date",
        ),
        (None, {"a": [{"source_chat_ids": [1]}]}, "`a`, item 1 has no field `question`"),
        (None, {"a": [{"question": "?", "source_chat_ids": [77]}]}, "message 77, which its chat.json"),
        (None, {"a": [{"question": "?"}]}, "no question of these folders names its evidence"),
    ],
)
def test_beam_files_that_are_none_are_named(batches: Any, asked: Any, problem: str, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=problem):
        read_beam([beam(tmp_path, batches=batches, asked=asked)])


def longlamp(task: str, **changes: Any) -> dict[str, Any]:
    kind = TASKS[task]
    item = {name: f"a {name}" for name in kind.fields}
    return {kind.user: "u1", "input": "Write it.", "output": "Written.", "profile": [item], **changes}


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("suffix", [".json", ".jsonl"])
def test_longlamp_tasks_are_read_with_their_own_fields(task: str, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"test{suffix}"
    record = longlamp(task)
    path.write_text(json.dumps([record]) if suffix == ".json" else json.dumps(record) + "\n")
    (case,) = read_longlamp(task, path)
    assert (case.kind, case.question, case.gold) == ("generation", "Write it.", "Written.")
    told = case.history.sessions[0].messages[0].text
    assert all(f"a {name}" in told for name in TASKS[task].fields)


@pytest.mark.parametrize(
    ("write", "problem"),
    [
        (lambda path: path.write_text('{"author": "u1"}\n'), "line 1 has no field `profile`"),
        (
            lambda path: path.write_text(json.dumps(longlamp("topic_writing", output=3))),
            "`output` is no text",
        ),
        (
            lambda path: path.write_text(json.dumps(longlamp("product_review", author="u"))),
            "`profile`, item 1 has no field `summary`|has no field",
        ),
        (lambda path: path.write_text("\n"), "holds no sample"),
    ],
)
def test_longlamp_files_that_are_none_are_named(
    write: Callable[[Path], object], problem: str, tmp_path: Path
) -> None:
    path = tmp_path / "test.jsonl"
    write(path)
    with pytest.raises(DatasetError, match=problem):
        read_longlamp("topic_writing", path)
    with pytest.raises(DatasetError, match="has the tasks"):
        read_longlamp("poems", path)


def test_a_limit_takes_the_first(tmp_path: Path) -> None:
    path = tmp_path / "test.jsonl"
    path.write_text(f"{json.dumps(longlamp('topic_writing'))}\n" * 3)
    assert len(read_longlamp("topic_writing", path, limit=2)) == 2
