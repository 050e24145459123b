"""What the SQL of every store is written against: statements in the common part of SQLite and PostgreSQL.

Placeholders are `?`; instants are microseconds since 1970, truth values 0 and 1, records JSON texts. What
one database does in its own way is a method of its connection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from habitus.memory.storage.reading import Size

NO_TEXT = "an id or a text holds what is no text, a NUL character or a lone surrogate: take it out"
"""What a database says of it would repeat the text, so it is not told."""

FeatureRow = tuple[int, int, int, bytes, bytes, bytes]
"""Of a turn: sequence number, passages, terms, then hashes and counts of the terms, and the vectors."""


class Result(Protocol):
    """The rows that a statement yields."""

    def fetchone(self) -> Any: ...

    def fetchmany(self, size: int, /) -> list[Any]: ...

    def fetchall(self) -> list[Any]: ...

    def __iter__(self) -> Iterator[Any]: ...


class Statements(Protocol):
    """Runs statements within a transaction.

    A statement may be sent no sooner than its result is asked for, with all that were run before it: run
    first what can be run, and then look at results. An error is then raised late, but before the transaction
    is over.
    """

    def execute(self, sql: str, values: Sequence[Any] = ..., /) -> Result: ...

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]], /) -> object: ...


class Connection(Statements, Protocol):
    """A transaction on one of the stores."""

    @property
    def with_features(self) -> str:
        """Joins `features f` to `turns t`."""
        ...

    @property
    def derived_tables(self) -> tuple[str, ...]:
        """Tables beside those that every store has, with a column `user_id`."""
        ...

    def begin_change(self, user_id: str) -> Callable[[], Size]:
        """Make the user known, and give them another version; who else changes them waits.

        The result tells what there was of the user then.
        """
        ...

    def reserve(self, user_id: str, n: int) -> int:
        """Return the first of `n` sequence numbers, all higher than any that a turn of the user has.

        The change must have begun.
        """
        ...

    def add_features(self, user_id: str, rows: Sequence[FeatureRow]) -> None:
        """Store what is derived from turns just stored, and see to it that indexes get to know them."""
        ...

    def was_removed(self, user_id: str, seqs: Sequence[int]) -> None:
        """See to it that indexes let go of turns; they are about to be deleted, their features with them."""
        ...
