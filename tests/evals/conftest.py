"""A small LongMemEval file, and an agent that ranks by shared words."""

from __future__ import annotations

import copy
import gzip
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from habitus.agent.prompting.budgets import Cut
from habitus.evals.longmemeval.files import Sample, SampleReader
from habitus.memory.records import Conversation
from tests.evals.loopback import Server, serving

Record = dict[str, Any]

RECORD: Record = {
    "question_id": "q1",
    "question_type": "single-session-user",
    "question": "Which tea does Ann drink?",
    "question_date": "2023/05/30 (Tue) 20:42",
    "answer": "green tea",
    "answer_session_ids": ["answer_1"],
    "haystack_dates": ["2023/05/29 (Mon) 10:00", "2023/05/20 (Sat) 06:13", "2023/05/25 (Thu) 09:49"],
    "haystack_session_ids": ["late", "answer_1", "middle"],
    "haystack_sessions": [
        [{"role": "user", "content": "It rains."}, {"role": "assistant", "content": "Take a coat."}],
        [
            {"role": "user", "content": "Hello there", "has_answer": False},
            {"role": "assistant", "content": "What does Ann drink?", "has_answer": False},
            {"role": "user", "content": "Ann does drink green tea", "has_answer": True},
        ],
        [{"role": "user", "content": "A poem, please."}, {"role": "assistant", "content": "Roses."}],
    ],
}


def make_record(**changes: Any) -> Record:
    return {**copy.deepcopy(RECORD), **changes}


@pytest.fixture
def server() -> Iterator[Server]:
    """A server that speaks the OpenAI protocol."""
    with serving() as server:
        yield server


@pytest.fixture
def record() -> Callable[..., Record]:
    """Make a valid record with some fields changed."""
    return make_record


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write records to a file, gzipped if its name says so."""

    def write(records: Any, name: str = "data.json") -> Path:
        path = tmp_path / name
        content = json.dumps(records).encode()
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return path

    return write


@dataclass(frozen=True)
class Packed:
    turn_id: str
    text: str


@dataclass(frozen=True)
class ScriptedRecall:
    routes: frozenset[str]
    ranked_session_ids: tuple[str, ...]
    ranked_turn_ids: tuple[str, ...]
    evidence: tuple[Packed, ...]
    context_tokens: int
    timings_ms: Mapping[str, float]


@dataclass(frozen=True)
class ScriptedReply:
    text: str
    recall: ScriptedRecall
    cut: tuple[Cut, ...] = ()


def _words(text: str) -> set[str]:
    return {word.strip("?.,").lower() for word in text.split()}


@dataclass
class WordAgent:
    """Ranks turns by the words they share with the question, and sessions by their best turn.

    A turn costs one token.
    """

    conversations: list[Conversation] = field(default_factory=list)
    asked_at: list[datetime] = field(default_factory=list)

    def ingest(self, user_id: str, conversations: Iterable[Conversation], *, learn: bool = True) -> int:
        self.conversations += conversations
        return len(self.conversations)

    def recall(
        self, user_id: str, text: str, *, at: datetime, context_tokens: int | None = None
    ) -> ScriptedRecall:
        self.asked_at.append(at)
        shared = {
            f"{conversation.id}:{index}": len(_words(message.text) & _words(text))
            for conversation in self.conversations
            for index, message in enumerate(conversation.messages)
        }
        ranked = sorted(shared, key=lambda turn: -shared[turn])
        return ScriptedRecall(
            routes=frozenset({"extraction"}),
            ranked_session_ids=tuple(dict.fromkeys(turn.split(":")[0] for turn in ranked)),
            ranked_turn_ids=tuple(ranked),
            evidence=tuple(Packed(turn, self.text_of(turn)) for turn in ranked[:context_tokens]),
            context_tokens=min(context_tokens or 1, len(ranked)),
            timings_ms={"route": 0.25, "recall": 1.5},
        )

    def chat(self, user_id: str, text: str, *, at: datetime) -> ScriptedReply:
        found = self.recall(user_id, text, at=at)
        return ScriptedReply(f'You said: "{self.text_of(found.ranked_turn_ids[0])}".', found)

    def text_of(self, turn_id: str) -> str:
        session, _, index = turn_id.partition(":")
        return next(c.messages[int(index)].text for c in self.conversations if c.id == session)


@dataclass
class Agents:
    """Opens word agents, and remembers what they were given."""

    opened: list[WordAgent] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)

    @contextmanager
    def __call__(self, folder: Path) -> Iterator[WordAgent]:
        assert not list(folder.iterdir())
        self.folders.append(folder)
        (folder / "store").write_text("kept")
        self.opened.append(WordAgent())
        yield self.opened[-1]


@pytest.fixture
def agents() -> Agents:
    return Agents()


@pytest.fixture
def sample(record: Callable[..., Record], write: Callable[..., Path]) -> Callable[..., Sample]:
    """Make a sample from a record with some fields changed."""

    def make(**changes: Any) -> Sample:
        with SampleReader(write([record(**changes)], "sample.json")) as reader:
            return next(iter(reader))

    return make
