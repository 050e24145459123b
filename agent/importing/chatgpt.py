"""ChatGPT's export: `conversations.json`, alone or in the archive.

Each conversation is a tree of messages; the branch that ends in `current_node` is what was shown last.
"""

from __future__ import annotations

from typing import Any

from habitus.agent.importing.reading import RawMessage, Service, as_object
from habitus.memory.records import Role

_ROLES: dict[str, Role] = {"user": "user", "assistant": "assistant"}


def _branch(one: dict[str, Any]) -> list[RawMessage] | None:
    """Return the messages from the root to the node that was shown last."""
    mapping = one.get("mapping")
    if not isinstance(mapping, dict):
        return None
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
    texts = [part for part in parts if isinstance(part, str)] if isinstance(parts, list) else []
    return "\n".join(texts).strip()


def _is_hidden(message: dict[str, Any]) -> bool:
    return bool(as_object(message.get("metadata")).get("is_visually_hidden_from_conversation"))


CHATGPT = Service(
    name="chatgpt",
    holds="mapping",
    ids=("conversation_id", "id"),
    begun="create_time",
    messages=_branch,
)
