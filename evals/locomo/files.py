"""LoCoMo's file, read and checked (Maharana et al., ACL 2024, arXiv 2402.17753).

Two people talk over months, and questions about them name the messages that hold the answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from habitus.evals.benchmarks.files import decoded
from habitus.evals.longmemeval.files import DatasetError

CATEGORIES = {1: "multi-hop", 2: "temporal", 3: "open-domain", 4: "single-hop", 5: "adversarial"}
ADVERSARIAL = CATEGORIES[5]
"""What it asks was never said, or said of the other speaker."""
_SESSION = re.compile(r"session_\d+")
_DIA_ID = re.compile(r"D\d+:\d+")
_DATE = "%I:%M %p on %d %B, %Y"


@dataclass(frozen=True, slots=True)
class LocomoTurn:
    """One message; `id` is the file's `dia_id`, such as `D4:36`."""

    id: str
    speaker: str
    text: str
    caption: str = ""
    """What is seen on a picture sent along, by a captioning model."""

    @property
    def said(self) -> str:
        """The message with its speaker, as the official code gives it to models and retrievers."""
        shared = f" and shared {self.caption}" if self.caption else ""
        return f'{self.speaker} said, "{self.text}"{shared}'


@dataclass(frozen=True, slots=True)
class LocomoSession:
    """Messages of one sitting."""

    id: str
    at: datetime
    turns: tuple[LocomoTurn, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LocomoQuestion:
    """One question and the messages that answer it."""

    id: str
    category: str
    question: str
    answer: str
    """The gold; of an adversarial question the answer that would be wrong."""
    evidence: frozenset[str]
    """Those that occur in the conversation."""
    n_unknown: int
    """Ids given as evidence that occur nowhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocomoConversation:
    """Two people's conversation, sessions in order of date, and its questions."""

    id: str
    sessions: tuple[LocomoSession, ...]
    questions: tuple[LocomoQuestion, ...]

    @property
    def session_of(self) -> dict[str, str]:
        """The session of each turn, by id."""
        return {turn.id: session.id for session in self.sessions for turn in session.turns}


def read_locomo(path: Path) -> list[LocomoConversation]:
    """Read a file such as `locomo10.json`.

    Raises:
        DatasetError: it is missing or not LoCoMo.
    """
    try:
        content = decoded(path.read_text(encoding="utf-8"), path.name)
    except FileNotFoundError:
        raise DatasetError(f"no such file: {str(path)!r}; give --data the path of a LoCoMo file") from None
    except OSError as error:
        raise DatasetError(f"cannot read {str(path)!r}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path.name} is not UTF-8: {error.reason} at byte {error.start}") from None
    if not isinstance(content, list) or not content:
        raise DatasetError(f"{path.name} is not LoCoMo: expected an array of conversations")
    return [_conversation(record, f"{path.name}, conversation {n}") for n, record in enumerate(content, 1)]


def _conversation(record: Any, where: str) -> LocomoConversation:
    try:
        spoken = record["conversation"]
        name = str(record.get("sample_id", where))
        sessions = [
            LocomoSession(session, _date(spoken[f"{session}_date_time"]), tuple(map(_turn, turns)))
            for session, turns in spoken.items()
            if _SESSION.fullmatch(session) and turns
        ]
        known = {turn.id for session in sessions for turn in session.turns}
        questions = [
            _question(f"{name}:{number}", asked, known) for number, asked in enumerate(record["qa"], start=1)
        ]
    except KeyError as error:
        raise DatasetError(f"{where} is not LoCoMo: it has no {error}") from None
    except (TypeError, AttributeError, ValueError) as error:
        raise DatasetError(f"{where} is not LoCoMo: {error}") from None
    if len(known) != sum(len(session.turns) for session in sessions):
        raise DatasetError(f"{where} repeats a dia_id")
    return LocomoConversation(
        id=name,
        sessions=tuple(sorted(sessions, key=lambda session: session.at)),
        questions=tuple(questions),
    )


def _turn(turn: Any) -> LocomoTurn:
    caption = _words(turn, "blip_caption") if "blip_caption" in turn else ""
    return LocomoTurn(_words(turn, "dia_id"), _words(turn, "speaker"), _words(turn, "text"), caption)


def _words(record: Any, name: str) -> str:
    value = record[name]
    if not isinstance(value, str):
        raise ValueError(f"`{name}` is {value!r}, expected a text")
    return value


def _question(name: str, asked: Any, known: set[str]) -> LocomoQuestion:
    # A few entries hold several ids at once ("D8:6; D9:17").
    ids = {found for entry in asked["evidence"] for found in _DIA_ID.findall(entry)}
    if asked["category"] not in CATEGORIES:
        raise ValueError(f"question {name} is of category {asked['category']!r}, expected 1 to 5")
    return LocomoQuestion(
        id=name,
        category=CATEGORIES[asked["category"]],
        question=_words(asked, "question"),
        answer=str(asked["adversarial_answer" if asked["category"] == 5 else "answer"]),
        evidence=frozenset(ids & known),
        n_unknown=len(ids - known),
    )


def _date(text: str) -> datetime:
    return datetime.strptime(text.strip(), _DATE).replace(tzinfo=UTC)
