"""BEAM (Tavakoli et al., ICLR 2026, arXiv 2510.27246): ten abilities on conversations of 100K to 10M tokens.

A folder a conversation: `chat.json` (batches of turns, each a list of messages with a number) and
`probing_questions/probing_questions.json` (by ability). What is measured without a model is the rank of the
messages named by `source_chat_ids`; questions without any (abstention) are left out. A batch is a session; it
has the date of its first `time_anchor`, or the day after the batch before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from habitus.evals.benchmarks.cases import Case, History, Source
from habitus.evals.benchmarks.files import Place, place, read_json, storable
from habitus.evals.longmemeval.files import DatasetError
from habitus.memory.records import Conversation, Message

SOURCE = Source(
    "BEAM",
    "arXiv 2510.27246",
    "https://github.com/mohammadtavakoli78/BEAM",
    "CC BY-SA 4.0 as data sets made from it state; the repository holds no licence file",
)
_START = datetime(2024, 1, 1, 12, tzinfo=UTC)
_YEARS = (1900, 9000)
_MARK = re.compile(r"\s*->->\s*[\d,]+\s*$")
"""What the generation of the data left behind at the end of a message."""
_GOLDS = ("answer", "ideal_response", "ideal_answer", "ideal_summary", "expected_compliance")


def read_beam(folders: list[Path], limit: int | None = None) -> list[Case]:
    """Read conversations with their questions.

    Args:
        folders: of single conversations, such as `chats/100K/1`.
        limit: only the first questions.

    Raises:
        DatasetError: a file is missing or malformed, or there is no question with evidence.
    """
    cases: list[Case] = []
    for folder in folders:
        path = folder / "chat.json"
        history, places = _history(place(read_json(path, SOURCE), path.name, SOURCE), folder)
        asked = folder / "probing_questions" / "probing_questions.json"
        cases += _cases(place(read_json(asked, SOURCE), asked.name, SOURCE), history, places)
    if not cases:
        asked_in = ", ".join(
            str(folder / "probing_questions" / "probing_questions.json") for folder in folders
        )
        raise DatasetError(f"no question of these folders names its evidence: {asked_in}")
    return cases[:limit]


def _history(root: Place, folder: Path) -> tuple[History, dict[int, str]]:
    """Return the conversation, and where each message went, by its number."""
    sessions: list[Conversation] = []
    places: dict[int, str] = {}
    at = _START
    for batch in root.items():
        name = f"{folder.parent.name}-{folder.name}-{batch.field('batch_number').number()}"
        messages: list[Message] = []
        anchor: datetime | None = None
        for turn in batch.field("turns").items():
            for message in turn.items():
                anchor = anchor or _anchor(message)
                places[message.field("id").number()] = f"{name}:{len(messages)}"
                messages.append(_message(message))
        if not messages:
            raise batch.error("holds no message")
        at = max(anchor or at, at) if not sessions else max(anchor or at, at + timedelta(days=1))
        with storable(batch.name):
            sessions.append(Conversation(id=name, at=at, messages=tuple(messages)))
    if not sessions:
        raise root.error("holds no batch")
    return History(f"{folder.parent.name}-{folder.name}", tuple(sessions)), places


def _message(message: Place) -> Message:
    role = message.field("role").value
    if role not in ("user", "assistant"):
        raise message.error("has a `role` other than user and assistant")
    text = message.field("content").text()
    with storable(message.name):
        return Message(role=role, text=_MARK.sub("", text) or text)


def _anchor(message: Place) -> datetime | None:
    found = message.get("time_anchor")
    if found is None or not found.value:
        return None
    try:
        at = datetime.strptime(found.text(), "%B-%d-%Y").replace(hour=12, tzinfo=UTC)
    except ValueError:
        raise found.error("is no date such as March-15-2024") from None
    if not _YEARS[0] <= at.year <= _YEARS[1]:
        raise found.error(f"is not between the years {_YEARS[0]} and {_YEARS[1]}")
    return at


def _cases(root: Place, history: History, places: dict[int, str]) -> Iterator[Case]:
    at = history.sessions[-1].at + timedelta(days=1)
    for ability, questions in root.fields():
        for number, asked in enumerate(questions.items(), 1):
            text, sources = asked.field("question").text(), asked.get("source_chat_ids")
            ids = set() if sources is None else set(_numbers(sources.value))
            unknown = ids - set(places)
            if unknown:
                raise asked.error(f"names the message {min(unknown)}, which its chat.json does not hold")
            if ids:
                gold = next((asked.field(name).value for name in _GOLDS if asked.get(name)), None)
                yield Case(
                    id=f"{history.id}-{ability}-{number}",
                    type=ability,
                    kind="retrieval",
                    history=history,
                    question=text,
                    at=at,
                    evidence=frozenset(places[one] for one in ids),
                    gold=None if gold is None else str(gold),
                )


def _numbers(value: Any) -> Iterator[int]:
    if isinstance(value, int) and not isinstance(value, bool):
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from _numbers(one)
    elif isinstance(value, dict):
        for one in value.values():
            yield from _numbers(one)
