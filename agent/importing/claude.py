"""Claude's export: `conversations.json`, alone or in the archive."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from habitus.agent.importing.reading import Parts, RawMessage, Skipped, conversation, entries, load_json
from habitus.memory.records import Role

_ROLES: dict[str, Role] = {"human": "user", "assistant": "assistant"}


def recognise(content: Any) -> bool:
    return (
        isinstance(content, list)
        and bool(content)
        and isinstance(content[0], dict)
        and "chat_messages" in content[0]
    )


def read(path: Path) -> Parts:
    """Yield the conversations of an export.

    Raises:
        FileFormatError: the file is no such export.
    """
    for place, one in enumerate(entries(load_json(path), path, "conversations")):
        where = f"conversation {place + 1}"
        said = one.get("chat_messages") if isinstance(one, dict) else None
        if not isinstance(said, list):
            yield Skipped(where, "it has no messages in the form of an export")
            continue
        messages = [
            RawMessage(role=_ROLES[str(message["sender"])], text=_text(message), at=message.get("created_at"))
            for message in said
            if isinstance(message, dict) and str(message.get("sender")) in _ROLES
        ]
        yield from conversation(where, f"claude:{one.get('uuid') or place}", one.get("created_at"), messages)


def _text(message: dict[str, Any]) -> str:
    """Return the words that were shown: the text blocks, or the flat text of older exports."""
    blocks = message.get("content")
    if isinstance(blocks, list):
        texts = [one.get("text") for one in blocks if isinstance(one, dict) and one.get("type") == "text"]
        if any(texts):
            return "\n".join(text for text in texts if isinstance(text, str))
    text = message.get("text")
    return text if isinstance(text, str) else ""
