"""Checks on what callers hand in: clear errors before anything is stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from habitus.memory.errors import InvalidInputError
from habitus.memory.records import Choice, Turn

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from habitus.agent.settings import Settings

R = TypeVar("R")


def check_generator(generator: object, name: str = "generator") -> None:
    """Refuse what is no LangChain chat model.

    Raises:
        InvalidInputError: such as for a model's name, which has to be made a model first.
    """
    from langchain_core.language_models import BaseChatModel

    if not isinstance(generator, BaseChatModel):
        raise InvalidInputError(
            f"the {name} must be a LangChain chat model, got {generator!r}; Agent.open makes one of a name"
        )


def extraction_model(
    extractor: BaseChatModel | None, generator: BaseChatModel, settings: Settings
) -> BaseChatModel | None:
    """Return the chat model that reads turns and words profiles; None where the settings ask for none.

    Raises:
        InvalidInputError: one is given that would not be used, or one is asked for and there is none.
    """
    from habitus.agent.generators.extractive import ExtractiveChat

    if settings.extraction == settings.profile == "rules":
        if extractor is not None:
            raise InvalidInputError(
                "an extractor is given, but only rules are to read: set Settings(extraction='model'),"
                " or Settings(profile='model')"
            )
        return None
    if extractor is not None:
        check_generator(extractor, "extractor")
    model = extractor or generator
    if isinstance(model, ExtractiveChat):
        raise InvalidInputError(
            f"Settings(extraction={settings.extraction!r}, profile={settings.profile!r}) needs a language "
            "model, and ExtractiveChat is none: give another as `extractor` or as `generator`"
        )
    return model


_EARLIEST, _LATEST = 1900, 9000
"""Years in which a date can be told and reckoned from, forth and back."""


def instant(at: datetime | None) -> datetime:
    """Return an aware datetime in UTC; None is now.

    Raises:
        InvalidInputError: the datetime does not say its time zone.
    """
    if at is None:
        return datetime.now(UTC)
    if not isinstance(at, datetime):
        raise InvalidInputError(f"`at` must be a datetime, got {at!r}")
    if not _EARLIEST <= at.year <= _LATEST:
        raise InvalidInputError(
            f"`at` must lie between the years {_EARLIEST} and {_LATEST}, got {at.isoformat()}"
        )
    if at.tzinfo is None or at.utcoffset() is None:
        raise InvalidInputError(
            f"a datetime must say its time zone, got naive {at!r}; for UTC use at.replace(tzinfo=UTC)"
        )
    return at.astimezone(UTC)


@dataclass(frozen=True)
class Incoming:
    """A message of the user as it came in; the fields are the arguments of `Agent.chat`."""

    user_id: str
    text: str
    session_id: str | None = None
    at: datetime | None = None
    instructions: str | None = None
    generation: Mapping[str, Any] | None = None
    strength: float = 1.0

    def check(self, max_chars: int) -> None:
        """Refuse what cannot be stored, before anything else is done.

        Raises:
            InvalidInputError: a blank or too long text, an id that cannot be stored, or a strength
                that is not in 0..1.
        """
        if not 0.0 <= self.strength <= 1.0:
            raise InvalidInputError(f"strength must be in 0..1, got {self.strength!r}")
        session_id, at = "new" if self.session_id is None else self.session_id, instant(self.at)
        user_turn(self.user_id, session_id, 0, self.text, at, max_chars=max_chars)


def record(kind: Callable[..., R], **fields: object) -> R:
    """Make a record, turning what pydantic finds wrong into one readable line.

    Raises:
        InvalidInputError: a field is wrong.
    """
    try:
        return kind(**fields)
    except ValidationError as error:
        wrong = (
            f"{'.'.join(map(str, one['loc'])) or 'input'}: {one['msg'].removeprefix('Value error, ')}"
            for one in error.errors()
        )
        raise InvalidInputError("; ".join(wrong)) from error


def user_turn(user_id: str, session_id: str, index: int, text: str, at: datetime, *, max_chars: int) -> Turn:
    """Make the turn of a user's message.

    Raises:
        InvalidInputError: a blank or too long text, NUL characters, or an id that cannot be stored.
    """
    if not isinstance(text, str):
        raise InvalidInputError(f"a message must be text, got {type(text).__name__}")
    if len(text) > max_chars:
        raise InvalidInputError(
            f"a message must not be longer than {max_chars:,} characters, got {len(text):,}; "
            "shorten it, or raise Settings.max_message_chars"
        )
    return record(Turn, user_id=user_id, session_id=session_id, index=index, role="user", text=text, at=at)


def choice_of(winner: str, losers: Sequence[str]) -> Choice:
    """Return a choice among replies.

    Raises:
        InvalidInputError: a blank reply, no loser, one text in place of a sequence of them, or a winner that
            is among the losers: none of these says what was preferred to what.
    """
    if isinstance(losers, str):
        raise InvalidInputError("choice: give the replies that were not taken as a sequence of texts")
    chosen = record(Choice, winner=winner, losers=tuple(losers))
    if not chosen.losers:
        raise InvalidInputError("choice: name at least one reply that was not taken")
    if chosen.winner in chosen.losers:
        raise InvalidInputError("choice: the reply that was taken is also among those that were not")
    return chosen
