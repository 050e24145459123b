"""The formats by name, and which one a file is in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from habitus.agent.importing import items, sessions
from habitus.agent.importing.chatgpt import CHATGPT
from habitus.agent.importing.claude import CLAUDE
from habitus.agent.importing.reading import FileFormatError, Parts, load_json

FormatName = Literal["chatgpt", "claude", "mem0", "langmem", "longmemeval", "jsonl"]


@dataclass(frozen=True)
class Format:
    """How a format is read.

    Attributes:
        read: yields conversations, and what was left out.
        verbatim: whether it holds the user's own words, so that something can be learnt from them.
        recognise: tells by a file's content.
    """

    read: Callable[[Path], Parts]
    verbatim: bool
    recognise: Callable[[Any], bool]


FORMATS: dict[FormatName, Format] = {
    "chatgpt": Format(CHATGPT.read, True, CHATGPT.recognise),
    "claude": Format(CLAUDE.read, True, CLAUDE.recognise),
    "mem0": Format(items.read_mem0, False, items.recognise_mem0),
    "langmem": Format(items.read_langmem, False, items.recognise_langmem),
    "longmemeval": Format(sessions.read_longmemeval, True, sessions.recognise_longmemeval),
    "jsonl": Format(sessions.read_jsonl, True, lambda content: False),
}


def recognise(path: Path) -> FormatName:
    """Return the format of a file.

    Raises:
        FileFormatError: it is in none of them.
    """
    if path.suffix == ".jsonl":
        return "jsonl"
    content = load_json(path)
    for name, one in FORMATS.items():
        if one.recognise(content):
            return name
    raise FileFormatError(
        f"{path.name!r} is in none of the formats {', '.join(FORMATS)}; name one with --format"
    )
