"""Claude's export: `conversations.json`, alone or in the archive."""

from __future__ import annotations

from typing import Any

from habitus.agent.importing.reading import RawMessage, Service, as_object
from habitus.memory.records import Role

_ROLES: dict[str, Role] = {"human": "user", "assistant": "assistant"}


def _messages(one: dict[str, Any]) -> list[RawMessage] | None:
    said = one.get("chat_messages")
    if not isinstance(said, list):
        return None
    found: list[RawMessage] = []
    for message in map(as_object, said):
        role = _ROLES.get(str(message.get("sender")))
        if role is not None:
            found.append(RawMessage(role=role, text=_text(message), at=message.get("created_at")))
    return found


def _text(message: dict[str, Any]) -> str:
    """Return the words that were shown: the text blocks, or the flat text of older exports."""
    blocks = message.get("content")
    if isinstance(blocks, list):
        texts = [as_object(one).get("text") for one in blocks if as_object(one).get("type") == "text"]
        if any(texts):
            return "\n".join(text for text in texts if isinstance(text, str))
    text = message.get("text")
    return text if isinstance(text, str) else ""


CLAUDE = Service(
    name="claude",
    holds="chat_messages",
    ids=("uuid",),
    begun="created_at",
    messages=_messages,
)
