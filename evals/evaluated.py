"""What a benchmark of retrieval asks of an agent; Habitus is one, and tests bring their own.

For answers alone the two methods of `habitus.evals.harness.agents` are enough.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Protocol

from habitus.agent.prompting.budgets import Cut
from habitus.memory.records import Conversation

USER_ID = "user"


class PackedTurn(Protocol):
    """A turn that was packed into the context."""

    @property
    def turn_id(self) -> str: ...
    @property
    def text(self) -> str:
        """Its words as they go into the prompt."""
        ...


class Recalled(Protocol):
    """What an agent found for a question."""

    @property
    def routes(self) -> AbstractSet[str]: ...
    @property
    def ranked_session_ids(self) -> Sequence[str]:
        """Best first."""
        ...

    @property
    def ranked_turn_ids(self) -> Sequence[str]:
        """Best first."""
        ...

    @property
    def evidence(self) -> Sequence[PackedTurn]:
        """What goes into the prompt, in its order."""
        ...

    @property
    def context_tokens(self) -> int:
        """Length of that part of the prompt."""
        ...

    @property
    def timings_ms(self) -> Mapping[str, float]:
        """By node."""
        ...


class Replied(Protocol):
    """An agent's reply."""

    @property
    def text(self) -> str: ...
    @property
    def recall(self) -> Recalled: ...
    @property
    def cut(self) -> Sequence[Cut]:
        """What was left out of the prompt."""
        ...


class RecallingAgent(Protocol):
    """What a benchmark of retrieval asks of an agent.

    The id of an ingested turn is `<conversation id>:<0-based index of the message>`.
    """

    def ingest(self, user_id: str, conversations: Iterable[Conversation], *, learn: bool = True) -> int: ...
    def recall(
        self, user_id: str, text: str, *, at: datetime, context_tokens: int | None = None
    ) -> Recalled: ...
    def chat(self, user_id: str, text: str, *, at: datetime) -> Replied: ...


AgentFactory = Callable[[Path], AbstractContextManager[RecallingAgent]]
"""Opens a fresh agent on an empty folder."""
