"""Profiles of LaMP and LongLaMP as memory: each item, something the user wrote, is a session of its own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from habitus.memory.records import Conversation, Message

START = datetime(2024, 1, 1, 12, tzinfo=UTC)
"""The items have no dates; they are a day apart, in the order of the file."""


def profile_session(name: str, number: int, item: Mapping[str, str]) -> Conversation:
    """Return an item as a session, its fields line by line."""
    text = "\n".join(f"{field}: {value}" for field, value in item.items() if value.strip()) or "(empty)"
    text = text.replace("\x00", " ")
    return Conversation(
        id=name, at=START + timedelta(days=number), messages=(Message(role="user", text=text),)
    )
