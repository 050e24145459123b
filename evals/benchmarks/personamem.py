"""PersonaMem (Jiang et al., COLM 2025, arXiv 2504.14225): which reply fits the user as they are now?

Two files of one size: `questions_32k.csv` and `shared_contexts_32k.jsonl` (or 128k, 1M). Each line of the
second is an object with one key, the id of a context, and its messages. A question sees the messages before
its `end_index_in_shared_context` and nothing after. Nothing has dates; a `system` message, which describes
the user, begins a session and is not shown, since it would give the profile away.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from habitus.evals.benchmarks.cases import Case, History, Source
from habitus.evals.benchmarks.files import Place, checked_ids, place, read_csv, read_jsonl, storable
from habitus.evals.longmemeval.files import DatasetError
from habitus.memory.records import Conversation, Message

SOURCE = Source(
    "PersonaMem",
    "arXiv 2504.14225",
    "https://huggingface.co/datasets/bowen-upenn/PersonaMem",
    "see the dataset's page (the repository names none that could be verified)",
)
COLUMNS: tuple[str, ...] = (
    "question_id",
    "question_type",
    "user_question_or_message",
    "correct_answer",
    "all_options",
    "shared_context_id",
    "end_index_in_shared_context",
)
_START = datetime(2025, 1, 6, 12, tzinfo=UTC)
_INDEX = re.compile(r"[0-9]{1,9}")
_LETTER = re.compile(r"^\s*\(?([a-d])\)?[\s.:)]*", re.IGNORECASE)


def read_personamem(questions: Path, contexts: Path, limit: int | None = None) -> list[Case]:
    """Read one size of the benchmark.

    Args:
        questions: its `questions_*.csv`.
        contexts: its `shared_contexts_*.jsonl`.
        limit: only the first questions.

    Raises:
        DatasetError: a file is missing or malformed, or the files are not of one size.
    """
    known = _contexts(contexts)
    cases: list[Case] = []
    for where, row in read_csv(questions, SOURCE, COLUMNS):
        if limit is not None and len(cases) == limit:
            break
        cases.append(_case(row, known, where))
    if not cases:
        raise DatasetError(f"{questions.name} holds no question")
    checked_ids([case.id for case in cases], SOURCE, questions)
    return cases


def _contexts(path: Path) -> dict[str, list[Place]]:
    found: dict[str, list[Place]] = {}
    for where, value in read_jsonl(path, SOURCE):
        for name, messages in place(value, where, SOURCE).fields():
            found[name] = list(messages.items())
    return found


def _case(row: Mapping[str, str], contexts: Mapping[str, list[Place]], where: str) -> Case:
    context = row["shared_context_id"]
    if context not in contexts:
        raise DatasetError(f"{where}: there is no context {context!r}; are the two files of one size?")
    if not _INDEX.fullmatch(row["end_index_in_shared_context"]):
        raise DatasetError(f"{where}: `end_index_in_shared_context` is no whole number")
    end = int(row["end_index_in_shared_context"])
    if end > len(contexts[context]):
        raise DatasetError(f"{where}: `end_index_in_shared_context` is beyond the end of its context")
    with storable(where):
        sessions = _sessions(contexts[context][:end], context)
    options = _options(row["all_options"], where)
    letter = _LETTER.match(row["correct_answer"])
    if letter is None or ord(letter[1].lower()) - ord("a") >= len(options):
        raise DatasetError(f"{where}: `correct_answer` names none of the options")
    last = sessions[-1].at if sessions else _START
    return Case(
        id=row["question_id"],
        type=row["question_type"],
        kind="choice",
        history=History(f"{context}:{end}", sessions),
        question=row["user_question_or_message"],
        at=last + timedelta(days=1),
        options=options,
        right=ord(letter[1].lower()) - ord("a"),
    )


def _sessions(messages: list[Place], context: str) -> tuple[Conversation, ...]:
    blocks: list[list[Message]] = [[]]
    for message in messages:
        role = message.field("role").value
        if role == "system":
            blocks.append([])
        elif role in ("user", "assistant"):
            blocks[-1].append(Message(role=role, text=message.field("content").text()))
        else:
            raise message.error("has a `role` other than system, user and assistant")
    return tuple(
        Conversation(id=f"{context}-{number}", at=_START + timedelta(days=number), messages=tuple(block))
        for number, block in enumerate(block for block in blocks if block)
    )


def _options(text: str, where: str) -> tuple[str, ...]:
    """Read the options, an array in JSON or in Python's spelling, without their letters."""
    try:
        options = json.loads(text)
    except (ValueError, RecursionError):
        try:
            options = ast.literal_eval(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            options = None
    if not isinstance(options, list) or len(options) < 2 or not all(isinstance(one, str) for one in options):
        raise DatasetError(f"{where}: `all_options` is no array of texts")
    return tuple(_LETTER.sub("", one, count=1).strip() for one in options)
