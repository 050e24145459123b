"""LongMemEval's files, read one question at a time and checked (Wu et al., ICLR 2025, arXiv 2410.10813).

A file is one JSON array, plain or gzipped; the S file takes more than a gigabyte as Python objects and
the M file ten times that, so only one record is held at a time.
"""

from __future__ import annotations

import gzip
import io
import re
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Literal, Self, cast

from habitus.evals.longmemeval.json_array import JsonArrayError, elements

_DATE = re.compile(r"(\d{4})/(\d{2})/(\d{2})(?: \([^)]*\))? (\d{2}):(\d{2})")
_ARRAYS = ("haystack_dates", "haystack_session_ids", "haystack_sessions")


class DatasetError(ValueError):
    """The file cannot be used; the message says what is wrong with it and what to do."""


@dataclass(frozen=True, slots=True)
class HaystackTurn:
    """One message of a session."""

    role: Literal["user", "assistant"]
    text: str
    has_answer: bool
    """The annotators marked it as evidence."""


@dataclass(frozen=True, slots=True)
class HaystackSession:
    """One session of the history; a few histories hold the same session on two dates."""

    id: str
    """Official id. It gives the evidence away (`answer_...`), so no system under test may see it."""
    at: datetime
    turns: tuple[HaystackTurn, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One question with its history and its gold."""

    id: str
    type: str
    question: str
    at: datetime
    """When it is asked, as the file has it; can lie before sessions of the same day."""
    answer: str
    evidence_session_ids: frozenset[str]
    """Those that occur in this history."""
    sessions: tuple[HaystackSession, ...]
    """In order of date; sessions of one minute stay in the order of the file."""

    @property
    def is_abstention(self) -> bool:
        """True if the history holds no answer and a system should say so."""
        return is_abstention(self.id)

    def evidence_turn_ids(self, *, user_only: bool = False) -> frozenset[str]:
        """Return the ids of the marked turns in evidence sessions, of both roles or the user's alone."""
        return frozenset(
            official_turn_id(session.id, index)
            for session in self.sessions
            if session.id in self.evidence_session_ids
            for index, turn in enumerate(session.turns)
            if turn.has_answer and (turn.role == "user" or not user_only)
        )

    def evidence_by_age(self) -> tuple[frozenset[str], frozenset[str]]:
        """Return the user's evidence turns of the latest day that has any, and those of earlier days."""
        dated = {
            official_turn_id(session.id, index): session.at.date()
            for session in self.sessions
            if session.id in self.evidence_session_ids
            for index, turn in enumerate(session.turns)
            if turn.has_answer and turn.role == "user"
        }
        last = max(dated.values(), default=None)
        newest = frozenset(turn for turn, day in dated.items() if day == last)
        return newest, frozenset(dated) - newest

    def user_evidence_session_ids(self) -> frozenset[str]:
        """Return the evidence sessions in which the user, not only the assistant, gives evidence.

        The official code renames the others (`answer` to `noans`), so that they do not count.
        """
        return frozenset(
            session.id
            for session in self.sessions
            if session.id in self.evidence_session_ids
            and any(turn.has_answer and turn.role == "user" for turn in session.turns)
        )

    def texts_of(self, turn_ids: Collection[str]) -> dict[str, str]:
        """Return the words of some turns by id."""
        found = {}
        for session in self.sessions:
            for index, turn in enumerate(session.turns):
                turn_id = official_turn_id(session.id, index)
                if turn_id in turn_ids:
                    found[turn_id] = turn.text
        return found

    def user_turn_ids(self) -> frozenset[str]:
        """Return the ids of all turns of the user: the corpus of the official turn-level runs."""
        return frozenset(
            official_turn_id(session.id, index)
            for session in self.sessions
            for index, turn in enumerate(session.turns)
            if turn.role == "user"
        )


def is_abstention(question_id: str) -> bool:
    """Return whether the history holds no answer to this question; the official ids say so."""
    return "_abs" in question_id


def official_turn_id(session_id: str, index: int) -> str:
    """Return the official id of a turn from its place in the session, counted from 0 over both roles."""
    return f"{session_id}_{index + 1}"


def parse_date(text: str) -> datetime:
    """Read a date such as `2023/05/30 (Tue) 01:13` as UTC; the weekday is not looked at.

    Raises:
        ValueError: it does not look like that, or there is no such day.
    """
    match = _DATE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a date like '2023/05/30 (Tue) 01:13'")
    year, month, day, hour, minute = map(int, match.groups())
    try:
        return datetime(year, month, day, hour, minute, tzinfo=UTC)
    except ValueError as error:
        raise ValueError(f"{text!r} is not a date: {error}") from None


class SampleReader:
    """Iterates over the questions of a file, holding one at a time; a context manager.

    Args:
        path: a `.json` file of the official format, or one compressed with gzip (told by its content).

    Raises:
        DatasetError: here, if the file is missing, unreadable or empty; while iterating, as soon as
            something is found that is not LongMemEval. What was yielded before stays valid.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._raw: BinaryIO = path.open("rb")
        except FileNotFoundError:
            raise DatasetError(
                f"no such file: {str(path)!r}; give --data the path of a LongMemEval file"
            ) from None
        except OSError as error:
            raise DatasetError(f"cannot read {str(path)!r}: {error.strerror}") from None
        self._size = path.stat().st_size
        magic = self._raw.read(2)
        self._raw.seek(0)
        if not magic:
            self._raw.close()
            raise DatasetError(f"{path.name} is empty; download it again")
        data = gzip.GzipFile(fileobj=self._raw) if magic == b"\x1f\x8b" else self._raw
        self._text = io.TextIOWrapper(cast(BinaryIO, data), encoding="utf-8-sig")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._text.close()
        self._raw.close()

    @property
    def fraction(self) -> float:
        """Share of the file's bytes read so far, 0..1; it runs a record or so ahead."""
        return 1.0 if self._raw.closed else self._raw.tell() / self._size

    def __iter__(self) -> Iterator[Sample]:
        seen: set[str] = set()
        n_records = 0
        try:
            for n_records, record in enumerate(elements(self._text), start=1):
                sample = _sample(record, n_records)
                if sample.id in seen:
                    raise DatasetError(f"record {n_records} repeats the question_id {sample.id!r}")
                seen.add(sample.id)
                yield sample
        except (DatasetError, JsonArrayError) as error:
            raise DatasetError(f"{self._path.name}: {error}") from None
        except EOFError:
            raise DatasetError(
                f"{self._path.name} is cut off (gzip ends early) after {n_records} whole records; "
                "download it again"
            ) from None
        except (gzip.BadGzipFile, zlib.error) as error:
            raise DatasetError(
                f"{self._path.name} is damaged after {n_records} whole records ({error}); download it again"
            ) from None
        except UnicodeDecodeError as error:
            raise DatasetError(f"{self._path.name} is not UTF-8 text ({error.reason})") from None
        if not n_records:
            raise DatasetError(f"{self._path.name} holds no questions")


def _sample(record: Any, number: int) -> Sample:
    """Check one record and put it into our terms; `number` counts records from 1."""
    if not isinstance(record, dict):
        raise DatasetError(f"not LongMemEval: record {number} is {_kind(record)}, expected an object")
    where = f"record {number}"
    if isinstance(record.get("question_id"), str):
        where += f" (question_id {record['question_id']!r})"
    sessions = _sessions(record, where)
    present = {session.id for session in sessions}
    return Sample(
        id=_field(record, "question_id", str, where),
        type=_field(record, "question_type", str, where),
        question=_field(record, "question", str, where),
        at=_date(_field(record, "question_date", str, where), "question_date", where),
        answer=str(_field(record, "answer", (str, int, float), where)),
        evidence_session_ids=frozenset(
            session_id
            for session_id in _field(record, "answer_session_ids", list, where)
            if isinstance(session_id, str) and session_id in present
        ),
        sessions=sessions,
    )


def _sessions(record: dict[str, Any], where: str) -> tuple[HaystackSession, ...]:
    dates, ids, sessions = (_field(record, name, list, where) for name in _ARRAYS)
    if not len(dates) == len(ids) == len(sessions):
        raise DatasetError(
            f"{where}: haystack_dates, haystack_session_ids and haystack_sessions differ in length "
            f"({len(dates)}, {len(ids)}, {len(sessions)})"
        )
    found = []
    for place, (date, session_id, turns) in enumerate(zip(dates, ids, sessions, strict=True)):
        if not isinstance(session_id, str) or not isinstance(turns, list):
            raise DatasetError(f"{where}: session {place} has no id that is a string, or no list of turns")
        inside = f"{where}, session {session_id!r}"
        found.append(
            HaystackSession(
                session_id,
                _date(date, f"haystack_dates[{place}]", where),
                tuple(_turn(turn, f"{inside}, turn {index}") for index, turn in enumerate(turns)),
            )
        )
    return tuple(sorted(found, key=lambda session: session.at))


def _turn(turn: Any, where: str) -> HaystackTurn:
    if not isinstance(turn, dict):
        raise DatasetError(f"{where} is {_kind(turn)}, expected an object")
    role = _field(turn, "role", str, where)
    if role not in ("user", "assistant"):
        raise DatasetError(f"{where}: role is {role!r}, expected 'user' or 'assistant'")
    return HaystackTurn(
        cast(Literal["user", "assistant"], role),
        _field(turn, "content", str, where),
        turn.get("has_answer") is True,
    )


def _field(record: dict[str, Any], name: str, kind: type | tuple[type, ...], where: str) -> Any:
    if name not in record:
        raise DatasetError(f"not LongMemEval: {where} has no field {name!r}")
    value = record[name]
    if not isinstance(value, kind) or isinstance(value, bool):
        raise DatasetError(f"not LongMemEval: {where}: {name} is {_kind(value)}")
    return value


def _date(value: Any, name: str, where: str) -> datetime:
    try:
        return parse_date(value if isinstance(value, str) else str(value))
    except ValueError as error:
        raise DatasetError(f"{where}: {name}: {error}") from None


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "an array", str: "a string", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")
