"""Plain formats: sessions as LongMemEval has them, and one message a line."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from habitus.agent.importing.reading import (
    FileFormatError,
    Parts,
    RawMessage,
    Skipped,
    conversation,
    entries,
    is_list_with,
    load_json,
)
from habitus.memory.records import Role

_ROLES: dict[str, Role] = {"user": "user", "human": "user", "assistant": "assistant", "ai": "assistant"}
_DATE = re.compile(r"(\d{4})/(\d{2})/(\d{2})(?: \([^)]*\))? (\d{2}):(\d{2})")


def recognise_longmemeval(content: Any) -> bool:
    return is_list_with(content, "haystack_sessions")


def read_longmemeval(path: Path) -> Parts:
    """Yield the sessions of all records of a file in LongMemEval's format, each once.

    Raises:
        FileFormatError: the file is no such list.
    """
    seen: set[str] = set()
    for place, one in enumerate(entries(load_json(path), path, "records")):
        if not isinstance(one, dict) or not isinstance(one.get("haystack_sessions"), list):
            yield Skipped(f"record {place + 1}", "it has no sessions")
            continue
        said = one["haystack_sessions"]
        names, dates = (_as_many(one.get(key), said) for key in ("haystack_session_ids", "haystack_dates"))
        for number, (session, name, date) in enumerate(zip(said, names, dates, strict=True)):
            name = f"{place}.{number}" if name is None else name
            if str(name) in seen:
                continue
            seen.add(str(name))
            where = f"record {place + 1}, session {number + 1}"
            yield from conversation(where, f"longmemeval:{name}", _date(date), _messages(session))


def _as_many(values: Any, sessions: list[Any]) -> list[Any]:
    """Return a value for every session, None where there is none."""
    known = values[: len(sessions)] if isinstance(values, list) else []
    return [*known, *[None] * (len(sessions) - len(known))]


def _date(text: Any) -> datetime | Any:
    found = _DATE.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is None:
        return text
    year, month, day, hour, minute = map(int, found.groups())
    try:
        return datetime(year, month, day, hour, minute, tzinfo=UTC)
    except ValueError:
        return None


def _messages(session: Any) -> list[RawMessage]:
    return [
        RawMessage(
            role=_ROLES[str(one["role"])], text=one.get("content", one.get("text")), at=one.get("timestamp")
        )
        for one in (session if isinstance(session, list) else ())
        if isinstance(one, dict) and str(one.get("role")) in _ROLES
    ]


def read_jsonl(path: Path) -> Parts:
    """Yield conversations from one message a line: `{"role", "text", "at", "session"}`.

    `content` is read for `text`, `timestamp` for `at`, `conversation` or `session_id` for `session`. Lines
    without a session are one conversation.

    Raises:
        FileFormatError: the file cannot be read, or none of its lines is an object.
    """
    try:
        # Not splitlines(): JSON strings may hold what else ends a line in Unicode.
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise FileFormatError(f"cannot read {str(path)!r} as UTF-8 text: {error}") from error
    said: dict[str, list[RawMessage]] = defaultdict(list)
    damaged: list[Skipped] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        one = _object(line)
        role = _ROLES.get(str(one.get("role"))) if one is not None else None
        if one is None or role is None:
            damaged.append(Skipped(f"line {number}", "it is no message with a role of user or assistant"))
            continue
        session = one.get("session") or one.get("session_id") or one.get("conversation") or "all"
        text, at = one.get("text", one.get("content")), one.get("at", one.get("timestamp"))
        said[str(session)].append(RawMessage(role=role, text=text, at=at))
    if damaged and not said:
        raise FileFormatError(
            f"{path.name!r} holds no message; each line must be an object with role, text and at"
        )
    yield from damaged
    for session, messages in said.items():
        yield from conversation(f"session {session!r}", f"jsonl:{session}", None, messages)


def _object(line: str) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
