"""What tools and middleware need of an agent; `habitus.agent.Agent` has it, and they never import it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from habitus.memory.records import Conversation, Fact, Persona, Preference, Profile, Status
from habitus.memory.retrieval.packing import Packed
from habitus.memory.store import Forgotten

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage


class Recalled(Protocol):
    """What memory holds on a question."""

    @property
    def packed(self) -> Packed: ...


class PreparedPrompt(Protocol):
    """All that a generator should read to answer a message."""

    @property
    def messages(self) -> Sequence[BaseMessage]: ...
    @property
    def session_id(self) -> str: ...
    @property
    def is_command(self) -> bool: ...


class Said(Protocol):
    """A reply."""

    @property
    def text(self) -> str: ...


class PersonalMemory(Protocol):
    """An agent, as far as tools and middleware use it: `habitus.agent.Agent` is one.

    Arguments and errors are those of its methods of the same names.
    """

    def chat(
        self, user_id: str, text: str, *, session_id: str | None = None, at: datetime | None = None
    ) -> Said:
        """Answer a message and remember it."""
        ...

    def prepare(
        self, user_id: str, text: str, *, session_id: str | None = None, at: datetime | None = None
    ) -> PreparedPrompt:
        """Return all that a generator should read to answer a message; nothing is written."""
        ...

    def observe(
        self,
        user_id: str,
        text: str,
        reply: str,
        *,
        session_id: str | None = None,
        at: datetime | None = None,
    ) -> Said:
        """Remember, and learn from, a message that somebody else has answered."""
        ...

    def recall(
        self, user_id: str, text: str, *, at: datetime | None = None, context_tokens: int | None = None
    ) -> Recalled:
        """Return what memory holds on a question; nothing is written."""
        ...

    def ingest(self, user_id: str, conversations: Iterable[Conversation]) -> int:
        """Bring in whole conversations from elsewhere; returns the number of messages stored."""
        ...

    def forget_about(self, user_id: str, words: str) -> Forgotten:
        """Delete for good what the words speak of."""
        ...

    def preferences(self, user_id: str, *, status: Status | None = None) -> list[Preference]:
        """Return the user's preferences, oldest first."""
        ...

    def facts(self, user_id: str) -> list[Fact]:
        """Return what is known of the user and their people."""
        ...

    def profile(self, user_id: str) -> Profile | None:
        """Return the summary of the user; None if nothing is known."""
        ...

    def persona(self, user_id: str) -> Persona | None:
        """Return the block of the system prompt in force; None if nothing is known."""
        ...


class UserMissingError(LookupError):
    """The program did not say whose memory is to be used."""


def user_of(user_id: str | None, configurable: Mapping[str, Any]) -> str:
    """Return the user that was fixed, else the one named in a run's `configurable`.

    The model is never asked who the user is: it could be talked into naming another.

    Raises:
        UserMissingError: neither names a user.
    """
    found = user_id if user_id is not None else configurable.get("user_id")
    if not isinstance(found, str) or not found:
        raise UserMissingError(
            "no user: give user_id when you make the tools or the middleware, or call with "
            'config={"configurable": {"user_id": ...}}'
        )
    return found
