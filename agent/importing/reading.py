"""What every reader gives: conversations, and what it had to leave out, with the reason."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from habitus.agent.errors import AgentError
from habitus.memory.records import Conversation, Message, Role


class FileFormatError(AgentError, ValueError):
    """A file cannot be brought in; the message says what is wrong with it and what to do."""


@dataclass(frozen=True)
class Skipped:
    """Something of a file that was left out.

    Attributes:
        where: in the file, for people: `conversation 3, message 7`. Never its words.
        why: the reason, the same for all of a kind, so that reasons can be counted.
    """

    where: str
    why: str


_BROKEN_ARCHIVE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)
"""What `zipfile` raises: damaged, cut short, an unknown compression, a password."""

Part = Conversation | Skipped
Parts = Iterator[Part]


def load_json(path: Path, member: str = "conversations.json") -> Any:
    """Return the content of a JSON file, or of one member of a zip file as services export it.

    Raises:
        FileFormatError: it is not there, not JSON, or a zip file without that member.
    """
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                inside = [name for name in archive.namelist() if name.rsplit("/", 1)[-1] == member]
                if not inside:
                    raise FileFormatError(
                        f"{path.name!r} holds no {member}; give the archive as it was exported"
                    )
                return json.loads(archive.read(inside[0]))
        return json.loads(path.read_bytes())
    except OSError as error:
        raise FileFormatError(f"cannot read {str(path)!r}: {error.strerror}") from error
    except FileFormatError:
        raise
    except RecursionError:
        raise FileFormatError(f"{path.name!r} is nested too deeply for an export") from None
    except (*_BROKEN_ARCHIVE, ValueError) as error:
        raise FileFormatError(f"{path.name!r} is not valid JSON ({error}); export it again") from error


def is_list_with(content: Any, name: str) -> bool:
    """Tell whether a file's content is a list whose first entry has a field of that name."""
    return isinstance(content, list) and bool(content) and isinstance(content[0], dict) and name in content[0]


def as_object(value: Any) -> dict[str, Any]:
    """Return a JSON object, an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def entries(content: Any, path: Path, what: str) -> list[Any]:
    """Return a list that a file must hold.

    Raises:
        FileFormatError: it holds something else.
    """
    if not isinstance(content, list):
        raise FileFormatError(f"{path.name!r} must hold a list of {what}, got {type(content).__name__}")
    return content


def instant_of(value: Any) -> datetime | None:
    """Return an instant from seconds since 1970 or from ISO 8601 (UTC where no zone is said); else None."""
    try:
        if isinstance(value, bool) or value is None:
            return None
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value, tz=UTC)
        at = datetime.fromisoformat(str(value))
    except (ValueError, OverflowError, OSError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class RawMessage:
    """A message as a file has it, not checked yet."""

    role: Role
    text: Any
    at: Any = None
    meta: Mapping[str, Any] | None = None


def conversation(where: str, conversation_id: str, at: Any, messages: list[RawMessage]) -> Parts:
    """Yield a conversation of the messages that can be stored, after those that cannot."""
    kept: list[Message] = []
    for place, raw in enumerate(messages):
        here = f"{where}, message {place + 1}"
        if not isinstance(raw.text, str) or not raw.text.strip():
            yield Skipped(here, "it holds no text")
            continue
        try:
            kept.append(
                Message(role=raw.role, text=raw.text, at=instant_of(raw.at), meta=dict(raw.meta or {}))
            )
        except ValidationError as error:
            yield Skipped(here, error.errors()[0]["msg"].removeprefix("Value error, ").split(";")[0])
    if not kept:
        yield Skipped(where, "it holds no message that can be stored")
        return
    begun = instant_of(at) or next((one.at for one in kept if one.at), None)
    if begun is None:
        yield Skipped(where, "it says no date")
        return
    try:
        yield Conversation(id=conversation_id, at=begun, messages=tuple(kept))
    except ValidationError as error:
        yield Skipped(where, error.errors()[0]["msg"].removeprefix("Value error, "))


@dataclass(frozen=True, kw_only=True)
class Service:
    """What the exports of chat services differ in.

    Attributes:
        name: before the ids of its conversations.
        holds: the field of a conversation that holds its messages.
        ids: fields that may hold its id, the first one first.
        begun: the field that says when it began.
        messages: returns the messages of a conversation; it may hold anything in `holds`.
    """

    name: str
    holds: str
    ids: tuple[str, ...]
    begun: str
    messages: Callable[[dict[str, Any]], list[RawMessage] | None]

    def recognise(self, content: Any) -> bool:
        """Tell by a file's content whether it is an export of this service."""
        return is_list_with(content, self.holds)

    def read(self, path: Path) -> Parts:
        """Yield the conversations of an export.

        Raises:
            FileFormatError: the file is no such export.
        """
        for place, one in enumerate(entries(load_json(path), path, "conversations")):
            where = f"conversation {place + 1}"
            messages = self.messages(as_object(one))
            if messages is None:
                yield Skipped(where, "it has no messages in the form of an export")
                continue
            name = next((one[field] for field in self.ids if one.get(field)), place)
            yield from conversation(where, f"{self.name}:{name}", one.get(self.begun), messages)
