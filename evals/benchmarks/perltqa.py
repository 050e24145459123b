"""PerLTQA (Du et al., SIGHAN 2024, arXiv 2402.16288): questions on a character's life.

Two files: the memories of each character (`perltmem_en_v2.json`) and the questions (`perltqa_en_v2.json`).
Every memory becomes a message of the user in a session of its own, worded with its character's name; a
dialogue becomes one message. What is measured is the rank of the memory that a question refers to.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from habitus.evals.benchmarks.cases import Case, History, Source
from habitus.evals.benchmarks.files import Place, place, read_json, storable
from habitus.evals.longmemeval.files import DatasetError
from habitus.memory.records import Conversation, Message

SOURCE = Source("PerLTQA", "arXiv 2402.16288", "https://github.com/Elvin-Yiming-Du/PerLTQA", "CC BY-NC 4.0")
TYPES = ("profile", "social_relationship", "events", "dialogues")
_START = datetime(2024, 1, 1, 12, tzinfo=UTC)
_ID = re.compile(r"\d+(?:_\d+)+(?:#\d+)?")


def read_perltqa(memories: Path, questions: Path, limit: int | None = None) -> list[Case]:
    """Read the benchmark; questions that refer to no known memory are left out.

    Args:
        memories: `perltmem_*.json`.
        questions: `perltqa_*.json`.
        limit: only the first questions.

    Raises:
        DatasetError: a file is missing or malformed, or there is no question to ask.
    """
    known = dict(_characters(place(read_json(memories, SOURCE), memories.name, SOURCE)))
    histories = {
        name: History(
            name,
            tuple(_session(memories.name, name, key, text, n) for n, (key, text) in enumerate(told.items())),
        )
        for name, told in known.items()
    }
    cases: list[Case] = []
    for character in place(read_json(questions, SOURCE), questions.name, SOURCE).items():
        for name, asked in character.fields():
            if name not in histories:
                raise character.error(f"asks of {name!r}, of whom {memories.name} holds nothing")
            cases += _cases(asked, histories[name], known[name])
            if limit is not None and len(cases) >= limit:
                return cases[:limit]
    if not cases:
        raise DatasetError(f"{questions.name} holds no question that refers to a memory of {memories.name}")
    return cases


def _characters(root: Place) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield each character's memories, texts by id."""
    # The file of the first version is an array, that of the second an object by name.
    people = root.items() if isinstance(root.value, list) else (one for _, one in root.fields())
    for person in people:
        name = person.field("profile").field("Protagonist").text()
        yield name, dict(_memories(name, person))


def _memories(name: str, person: Place) -> Iterator[tuple[str, str]]:
    for field, value in person.field("profile").fields():
        if str(value.value).strip():
            yield field, f"{name}, {field}: {value.value}"
    for key, one in person.field("social_relationship").fields():
        other, how = one.field("Supporting Characters").text(), one.field("Relationship").text()
        yield key, f"{other} is {name}'s {how}. {one.field('Description').text()}"
    for key, one in person.field("events").fields():
        yield key, f"{one.field('Creation Time').value}: {one.field('content').text()}"
    for key, one in person.field("dialogues").fields():
        lines = [
            f"{when}:\n" + "\n".join(line.text() for line in said.items())
            for when, said in one.field("contents").fields()
        ]
        if lines:
            yield key, "\n".join(lines)


def _session(file: str, name: str, key: str, text: str, number: int) -> Conversation:
    with storable(f"memory {key!r} of {name!r} in {file}"):
        message = Message(role="user", text=text.replace("\x00", " "))
        return Conversation(id=f"{name}/{key}", at=_START + timedelta(days=number), messages=(message,))


def _cases(asked: Place, history: History, known: Mapping[str, str]) -> Iterator[Case]:
    at = history.sessions[-1].at + timedelta(days=1)
    for number, (kind, question) in enumerate(_questions(asked), 1):
        refers = str(question.field("Reference Memory").value)
        evidence = {key for key in (refers, *_ID.findall(refers)) if key in known}
        text = question.field("Question").text()
        if evidence:
            yield Case(
                id=f"{history.id}-{number}",
                type=kind,
                kind="retrieval",
                history=history,
                question=text,
                at=at,
                evidence=frozenset(f"{history.id}/{key}:0" for key in evidence),
                gold=str(question.field("Answer").value),
            )


def _questions(asked: Place) -> Iterator[tuple[str, Place]]:
    """Yield every question with its type: those of the profile are a list, the others lists by memory."""
    for kind in TYPES:
        for item in asked.field(kind).items():
            if kind == "profile":
                yield kind, item
                continue
            for _, questions in item.fields():
                for question in questions.items():
                    yield kind, question
