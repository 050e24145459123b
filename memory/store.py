"""What a store of memories must do, whatever it is made of."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import compress
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Protocol, Self

import numpy as np
import numpy.typing as npt

from habitus.memory.records import (
    Access,
    AskedQuestion,
    Changes,
    Correction,
    Exported,
    Fact,
    Feedback,
    Persona,
    Preference,
    Profile,
    RewardWeights,
    Session,
    Status,
    Turn,
)
from habitus.retrievers.encoder import Encoder, Vectors

if TYPE_CHECKING:
    from habitus.memory.storage.verifying import Verified

Progress = Callable[[int, int], None]
"""Called with (done, total)."""


@dataclass(frozen=True, kw_only=True)
class Query:
    """A question to long-term memory.

    Attributes:
        text: the words, for lexical search.
        vector: shape `(dim,)`, length 1, in the space of the store's encoder.
        limit: how many candidates are wanted at least from each arm, where there are so many.
    """

    text: str
    vector: Vectors
    limit: int = 200


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Where turns and sessions stand, as a store that keeps all of a user's turns in memory knows it anyway.

    Attributes:
        rows: by turn id; there may be more turns than candidates.
        session_ids: in the order in which they first occur; the same holds.
        sessions: shape `(n_rows,)`, of each candidate the place of its session among these.
    """

    rows: Mapping[str, int]
    session_ids: Sequence[str]
    sessions: npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Candidates:
    """Turns of one user that may answer a query, column by column; n rows, one per turn.

    Attributes:
        turn_ids: n ids.
        session_ids: n ids.
        index: shape `(n,)`, the turn's place in its session.
        is_user: shape `(n,)`, True where the user said it.
        at: shape `(n,)`, seconds since 1970 UTC.
        arms: per arm a score of shape `(n,)`, higher is better:
            `cosine` (-1..1), `bm25` (0 and up), and for the whole session of the turn, over the
            user's own words, `session_cosine` and `session_bm25`.
        complete: True when every turn of the user is a row, False when these are the best of more.
        layout: of the rows, where it is known; else it is made when it is needed.
    """

    turn_ids: list[str]
    session_ids: list[str]
    index: npt.NDArray[np.int64]
    is_user: npt.NDArray[np.bool_]
    at: npt.NDArray[np.float64]
    arms: dict[str, npt.NDArray[np.float32]]
    complete: bool
    layout: Layout | None = None

    def __len__(self) -> int:
        return len(self.turn_ids)

    @cached_property
    def grouping(self) -> tuple[tuple[str, ...], npt.NDArray[np.int64]]:
        """The distinct sessions, as they first occur, and shape `(n,)`, the place of each row's."""
        if self.layout is not None:
            n_sessions = int(self.layout.sessions.max(initial=-1)) + 1
            return tuple(self.layout.session_ids[:n_sessions]), self.layout.sessions
        names = tuple(dict.fromkeys(self.session_ids))
        places = {name: place for place, name in enumerate(names)}
        group = np.fromiter(map(places.__getitem__, self.session_ids), dtype=np.int64, count=len(self))
        return names, group

    @cached_property
    def newest_first(self) -> npt.NDArray[np.int64]:
        """Shape `(n,)`, the rows from the newest to the oldest; of one instant by their place."""
        return np.lexsort((self.index, -self.at))

    def rows_of(self, turn_ids: Collection[str]) -> list[tuple[str, int]]:
        """Return those of some turns that are here, each with its row, in the order of rows.

        Args:
            turn_ids: distinct ones.
        """
        n, row_of = len(self), self._row_of
        return [
            (self.turn_ids[row], row) for row in sorted(row_of.get(one, n) for one in turn_ids) if row < n
        ]

    def first(self, n: int) -> Candidates:
        """Return the first `n` rows."""
        layout = self.layout
        return replace(
            self,
            turn_ids=self.turn_ids[:n],
            session_ids=self.session_ids[:n],
            index=self.index[:n],
            is_user=self.is_user[:n],
            at=self.at[:n],
            arms={name: scores[:n] for name, scores in self.arms.items()},
            layout=None if layout is None else replace(layout, sessions=layout.sessions[:n]),
        )

    def kept(self, mask: npt.NDArray[np.bool_]) -> Candidates:
        """Return the rows where the mask, shape `(n,)`, is True."""
        chosen = mask.tolist()
        return replace(
            self,
            turn_ids=list(compress(self.turn_ids, chosen)),
            session_ids=list(compress(self.session_ids, chosen)),
            index=self.index[mask],
            is_user=self.is_user[mask],
            at=self.at[mask],
            arms={name: scores[mask] for name, scores in self.arms.items()},
            layout=None,
        )

    @cached_property
    def _row_of(self) -> Mapping[str, int]:
        if self.layout is not None:
            return self.layout.rows
        return dict(zip(self.turn_ids, range(len(self)), strict=True))


@dataclass(frozen=True, kw_only=True)
class StoreStats:
    """Counts over the whole store, or over one user."""

    n_users: int
    n_sessions: int
    n_turns: int
    n_preferences: int
    n_facts: int
    n_unread: int
    """Turns that wait to be read by a chat model."""
    n_pending: int
    """Turns in the outbox, not yet in the derived indexes (searched all the same)."""
    bytes_on_disk: int
    encoder: str
    """Fingerprint of the encoder that made the vectors."""


@dataclass(frozen=True, kw_only=True)
class Forgotten:
    """What a request to forget removed.

    Attributes:
        turn_ids: messages that are gone.
        rewritten_ids: messages of which a part is gone.
        preference_ids, fact_ids, correction_ids, feedback_ids: records that are gone.
    """

    turn_ids: tuple[str, ...] = ()
    rewritten_ids: tuple[str, ...] = ()
    preference_ids: tuple[str, ...] = ()
    fact_ids: tuple[str, ...] = ()
    correction_ids: tuple[str, ...] = ()
    feedback_ids: tuple[str, ...] = ()


class MemoryStore(Protocol):
    """Truth, search and deletion. Safe to call from several threads.

    Every method looks at one user before anything else, the one named by `user_id`; nothing of another user
    can come back. Unknown users have no memories: reads return empty results, `delete_user` and `export`
    raise `NotFoundError`. `ids`, `turn_ids`, `preference_ids`, `fact_ids`, `correction_ids`, `feedback_ids`
    and `session_id` name what is stored of the user; a `status` leaves out records of any other; `progress`
    is called with how much is done and how much there is.
    """

    @property
    def encoder(self) -> Encoder:
        """What made the vectors, and encodes what is committed."""
        ...

    def commit(self, user_id: str, changes: Changes, *, vectors: dict[str, Vectors] | None = None) -> None:
        """Store all of it, durably, or nothing.

        Args:
            user_id: whose memory; every record in `changes` must carry it.
            changes: what to write.
            vectors: by turn id, vectors of shape `(n_passages, dim)` that the caller has already
                computed with `self.encoder` over `units(turn.role, turn.text)`; the rest is encoded here.

        Raises:
            InvalidInputError: a record of another user, or a turn whose (session, index) is taken by another.
            StoreFullError: the disk is full or read-only; nothing was written.
        """
        ...

    def turn_of(self, user_id: str) -> AbstractContextManager[None]:
        """Wait until no other turn of this user runs, in whatever process, and keep others out meanwhile.

        Turns of different users run side by side. The turns of a process that dies end with it. Not to be
        entered again by a thread that is within.
        """
        ...

    def version(self, user_id: str) -> str:
        """Return what changes with every change of a user, whoever makes it, and never comes back.

        Whoever keeps something of a user beside the store compares it.
        """
        ...

    def users(self) -> list[str]:
        """Return the ids of all users of whom something is stored."""
        ...

    def turns(
        self, user_id: str, *, ids: Sequence[str] | None = None, session_id: str | None = None
    ) -> list[Turn]:
        """Return turns in time order (then session, then index); unknown ids are left out."""
        ...

    def texts(self, user_id: str, ids: Sequence[str]) -> dict[str, str]:
        """Return the words of turns by id; unknown ids are left out."""
        ...

    def turn_vectors(self, user_id: str, ids: Sequence[str]) -> dict[str, Vectors]:
        """Return the stored vectors, each of shape `(n_passages, dim)`, by turn id."""
        ...

    def sessions(self, user_id: str, *, open_only: bool = False) -> list[Session]:
        """Return conversations, oldest first; with `open_only` those that have not ended."""
        ...

    def preferences(self, user_id: str, *, status: Status | None = None) -> list[Preference]:
        """Return preferences, oldest first by `learnt_at`; all states unless `status` is given."""
        ...

    def preference_vectors(self, user_id: str) -> Mapping[str, Vectors]:
        """Return vectors of shape `(dim,)` by text: the user's preferences' statements, what they are about.

        They are derived, and stored when a preference is committed. Some may be missing until `reindex`:
        after a change of encoder, or of what an older version stored.
        """
        ...

    def facts(self, user_id: str, *, status: Status | None = None) -> list[Fact]:
        """Return facts, oldest first by `learnt_at`; all states unless `status` is given."""
        ...

    def corrections(self, user_id: str) -> list[Correction]:
        """Return past mistakes with what would have been right, oldest first."""
        ...

    def feedback(self, user_id: str, *, limit: int | None = None) -> list[Feedback]:
        """Return feedback, oldest first; with `limit` the latest ones only."""
        ...

    def weights(self, user_id: str) -> RewardWeights | None:
        """Return what the user likes in the form of replies; None before anything was learnt."""
        ...

    def questions(self, user_id: str) -> list[AskedQuestion]:
        """Return what the agent asked of its own accord, oldest first."""
        ...

    def accesses(self, user_id: str) -> list[Access]:
        """Return how the user's turns were recalled; turns that never were are left out."""
        ...

    def unread(self, user_id: str) -> list[str]:
        """Return the ids of the turns that wait to be read by a chat model, in the order of commitment."""
        ...

    def users_with_unread(self) -> list[str]:
        """Return the users of whom a turn waits to be read, who waits longest first."""
        ...

    def profile(self, user_id: str) -> Profile | None:
        """Return the latest summary of the user; None before one was made."""
        ...

    def personas(self, user_id: str) -> list[Persona]:
        """Return all versions, oldest first."""
        ...

    def search(self, user_id: str, query: Query) -> Candidates:
        """Score the user's turns against the query; sees every committed turn at once."""
        ...

    def forget(
        self,
        user_id: str,
        *,
        turn_ids: Sequence[str] = (),
        preference_ids: Sequence[str] = (),
        fact_ids: Sequence[str] = (),
        correction_ids: Sequence[str] = (),
        feedback_ids: Sequence[str] = (),
        rewrites: Mapping[str, str] = MappingProxyType({}),
    ) -> Forgotten:
        """Delete for good: turns and records, and from every record the evidence quoting those turns.

        `rewrites` gives, by turn id, what is left of a message when only a part of it is to go: it
        keeps its place, and evidence in it stays where its quotation still stands.

        Corrections and feedback about those turns, or repeating their words, go with them, and so do
        questions asked in them, answered by them, or about a preference that goes. A preference or
        fact whose every evidence, feedback included, is deleted goes too, and with feedback the weights,
        which the rest of it makes again. Profile and persona lose the
        sections and lines linked to what went. Nothing of it stays in any file of a folder, or in any table
        of a database; what a server still keeps of deleted rows is its own matter (`PostgresStore`).
        """
        ...

    def export(self, user_id: str) -> Exported:
        """Return everything stored of the user, but for vectors, which follow from the texts.

        Raises:
            NotFoundError: nothing is stored of them.
        """
        ...

    def delete_user(self, user_id: str) -> None:
        """Delete all that is stored of the user; nothing of it stays, as with `forget`.

        Raises:
            NotFoundError: nothing is stored of them.
        """
        ...

    def verify(self, progress: Progress | None = None) -> Verified:
        """Check whether all that is stored holds together, user by user.

        Raises:
            StoreCorruptError: the database itself is damaged.
        """
        ...

    def reindex(self, progress: Progress | None = None) -> None:
        """Rebuild every derived index from the truth."""
        ...

    def flush(self) -> None:
        """Wait until the derived indexes hold all that was committed."""
        ...

    def stats(self, user_id: str | None = None) -> StoreStats:
        """Return counts and sizes; of one user where one is named."""
        ...

    def close(self) -> None:
        """Let go of the folder or the database; may be called twice."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
