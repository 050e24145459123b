"""Bringing a file in: what would be stored, what was, and what was left out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from habitus.agent.agent import Agent
from habitus.agent.importing.formats import FORMATS, FormatName, recognise
from habitus.agent.importing.reading import Skipped
from habitus.memory.masking import mask
from habitus.memory.records import Conversation


@dataclass(frozen=True, kw_only=True)
class Imported:
    """What came of a file.

    Attributes:
        format: it was in.
        n_conversations, n_messages: that can be stored.
        n_new: messages that were not stored before; stored now, unless it was a dry run.
        n_masked: messages in which secrets are masked.
        skipped: what was left out.
    """

    format: FormatName
    n_conversations: int
    n_messages: int
    n_new: int
    n_masked: int = 0
    skipped: tuple[Skipped, ...] = field(default=())

    @property
    def reasons(self) -> dict[str, int]:
        """How often something was left out, by reason."""
        return dict(Counter(one.why for one in self.skipped).most_common())


def bring_in(
    agent: Agent,
    user_id: str,
    path: Path,
    *,
    format: FormatName | None = None,
    dry_run: bool = False,
    learn: bool = True,
    progress: bool = False,
) -> Imported:
    """Bring in a file; the same file can be brought in again, and only what is new is stored.

    Args:
        agent: whose memory is written.
        user_id: whose conversations they are.
        path: the file.
        format: None tells by its content.
        dry_run: only say what would be done.
        learn: take preferences and facts from the user's messages, where they are the user's words.
        progress: show a bar on stderr.

    Raises:
        FileFormatError: the file cannot be read.
    """
    format = format or recognise(path)
    conversations: list[Conversation] = []
    skipped: list[Skipped] = []
    for part in FORMATS[format].read(path):
        if isinstance(part, Skipped):
            skipped.append(part)
        else:
            conversations.append(part)
    conversations = _merged(conversations)
    n_messages = sum(len(one.messages) for one in conversations)
    if dry_run:
        n_new = n_messages - _n_known(agent, user_id, conversations)
    else:
        learn = learn and FORMATS[format].verbatim
        n_new = agent.ingest(user_id, conversations, learn=learn, progress=progress)
    return Imported(
        format=format,
        n_conversations=len(conversations),
        n_messages=n_messages,
        n_new=n_new,
        n_masked=sum(
            bool(mask(message.text, agent.settings.masking).kinds)
            for one in conversations
            for message in one.messages
        ),
        skipped=tuple(skipped),
    )


def _merged(conversations: list[Conversation]) -> list[Conversation]:
    """Return the conversations with one of each id: the longest."""
    by_id: dict[str, Conversation] = {}
    for one in conversations:
        if one.id not in by_id or len(one.messages) > len(by_id[one.id].messages):
            by_id[one.id] = one
    return list(by_id.values())


def _n_known(agent: Agent, user_id: str, conversations: list[Conversation]) -> int:
    known = {one.id: one.n_turns for one in agent.store.sessions(user_id)}
    return sum(min(known.get(one.id, 0), len(one.messages)) for one in conversations)
