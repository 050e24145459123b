"""ChatGPT's export: `conversations.json`, alone or in the archive.

Each conversation is a tree of messages; the branch that ends in `current_node` is what was shown last.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from habitus.agent.importing.reading import (
    Parts,
    RawMessage,
    Skipped,
    as_object,
    conversation,
    entries,
    load_json,
)
from habitus.memory.records import Role

_ROLES: dict[str, Role] = {"user": "user", "assistant": "assistant"}


def recognise(content: Any) -> bool:
    return (
        isinstance(content, list)
        and bool(content)
        and isinstance(content[0], dict)
        and "mapping" in content[0]
    )


def read(path: Path) -> Parts:
    """Yield the conversations of an export.

    Raises:
        FileFormatError: the file is no such export.
    """
    for place, one in enumerate(entries(load_json(path), path, "conversations")):
        where = f"conversation {place + 1}"
        mapping = one.get("mapping") if isinstance(one, dict) else None
        if not isinstance(mapping, dict):
            yield Skipped(where, "it has no messages in the form of an export")
            continue
        name = one.get("conversation_id") or one.get("id") or f"{place}"
        yield from conversation(where, f"chatgpt:{name}", one.get("create_time"), _branch(mapping, one))


def _branch(mapping: dict[str, Any], one: dict[str, Any]) -> list[RawMessage]:
    """Return the messages from the root to the node that was shown last."""
    node, seen, found = one.get("current_node"), set[str](), list[RawMessage]()
    while isinstance(node, str) and node in mapping and node not in seen:
        seen.add(node)
        entry = as_object(mapping[node])
        message = as_object(entry.get("message"))
        role = _ROLES.get(str(as_object(message.get("author")).get("role")))
        if role is not None and not _is_hidden(message):
            found.append(RawMessage(role=role, text=_text(message), at=message.get("create_time")))
        node = entry.get("parent")
    # Calls of tools and pictures leave replies without words.
    return [raw for raw in reversed(found) if raw.text]


def _text(message: dict[str, Any]) -> str:
    parts = as_object(message.get("content")).get("parts")
    if not isinstance(parts, list):
        return ""
    return "\n".join(part for part in parts if isinstance(part, str)).strip()


def _is_hidden(message: dict[str, Any]) -> bool:
    return bool(as_object(message.get("metadata")).get("is_visually_hidden_from_conversation"))
