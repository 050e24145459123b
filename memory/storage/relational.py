"""What every store on a relational database does alike; how databases differ is in their connections."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from types import MappingProxyType, TracebackType
from typing import Self

from habitus.memory.errors import NotFoundError
from habitus.memory.index.phrases import preference_phrases
from habitus.memory.index.resident import Resident
from habitus.memory.index.residents import Residents
from habitus.memory.index.terms import terms_of
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
from habitus.memory.storage import forgetting, reading, writing
from habitus.memory.storage.preparing import Prepared, check_changes, check_query, prepare
from habitus.memory.storage.reading import Bounds, Size
from habitus.memory.storage.sql import Connection
from habitus.memory.storage.verifying import Verified, problems_of
from habitus.memory.store import Candidates, Forgotten, Progress, Query
from habitus.retrievers.encoder import Encoder, Vectors

RESIDENT_BYTES = 512 * 2**20
EXACT_LIMIT = 100_000


class RelationalStore(ABC):
    """The greater part of a `MemoryStore`.

    Args:
        encoder: makes the vectors.
        in_memory: users up to these bounds are searched in memory.
        resident_bytes: bound on the memory for users searched last.
    """

    def __init__(self, encoder: Encoder, *, in_memory: Bounds, resident_bytes: int) -> None:
        self._encoder = encoder
        self._in_memory = in_memory
        self._residents = Residents(resident_bytes, encoder.dim)

    @abstractmethod
    def _read(self) -> AbstractContextManager[Connection]:
        """Look at one committed state of the database throughout the block."""

    def _glance(self) -> AbstractContextManager[Connection]:
        """Run one statement that reads; where transactions cost time, without one."""
        return self._read()

    @abstractmethod
    def _change(self, user_id: str) -> AbstractContextManager[Connection]:
        """Run one transaction on a user: durable when the block ends, undone when it raises."""

    @abstractmethod
    def _search_wide(self, user_id: str, query: Query, vector: Vectors) -> Candidates:
        """Search a user who is too large for memory."""

    @abstractmethod
    def _index(self, connection: Connection, user_id: str, n_turns: int, size: Size) -> None:
        """Index in the transaction of a change, where indexes are tables; `n_turns` were given.

        The user has at most the size; a turn that was stored before is counted twice.
        """

    @abstractmethod
    def _was_changed(self, n_turns: int, size: Size) -> None:
        """Do what a change leaves to do, once it is durable."""

    @abstractmethod
    def _will_delete(self, connection: Connection, user_id: str, *, turns: bool) -> None:
        """Note, in the transaction that deletes, what is to be done about it; `turns` are among it or not."""

    @abstractmethod
    def _was_deleted(self, user_id: str) -> None:
        """Carry a deletion through to wherever copies are."""

    @abstractmethod
    def turn_of(self, user_id: str) -> AbstractContextManager[None]: ...

    @abstractmethod
    def reindex(self, progress: Progress | None = None) -> None: ...

    @abstractmethod
    def close(self) -> None: ...

    @property
    def encoder(self) -> Encoder:
        return self._encoder

    def commit(self, user_id: str, changes: Changes, *, vectors: dict[str, Vectors] | None = None) -> None:
        check_changes(user_id, changes)
        if changes == Changes():
            return
        prepared = prepare(self._encoder, changes.turns, vectors)
        phrases = preference_phrases(changes.preferences, self._encoder)
        with self._change(user_id) as connection:
            size_before = connection.begin_change(user_id)
            writing.write_turns(connection, user_id, prepared)
            writing.write_preferences(connection, user_id, changes.preferences, phrases)
            for group in _document_groups(changes):
                writing.write_documents(connection, group)
            writing.write_accesses(connection, changes.accesses)
            if changes.profile is not None:
                writing.write_profile(connection, changes.profile)
            if changes.persona is not None:
                writing.write_persona(connection, changes.persona)
            if changes.weights is not None:
                writing.write_weights(connection, changes.weights)
            writing.end_sessions(connection, user_id, changes.ends_sessions)
            writing.mark_unread(connection, user_id, changes.unread)
            writing.mark_read(connection, user_id, changes.read)
            size = size_before().grown_by(len(prepared), sum(len(item.vectors) for item in prepared))
            self._index(connection, user_id, len(prepared), size)
        self._was_changed(len(prepared), size)

    def version(self, user_id: str) -> str:
        with self._glance() as connection:
            size = reading.size(connection, user_id)
        return f"{size.epoch}.{size.version}"

    def users(self) -> list[str]:
        with self._glance() as connection:
            return reading.users(connection)

    def turns(
        self, user_id: str, *, ids: Sequence[str] | None = None, session_id: str | None = None
    ) -> list[Turn]:
        with self._read() as connection:
            return reading.turns(connection, user_id, ids, session_id)

    def texts(self, user_id: str, ids: Sequence[str]) -> dict[str, str]:
        with self._read() as connection:
            return reading.texts(connection, user_id, ids)

    def turn_vectors(self, user_id: str, ids: Sequence[str]) -> dict[str, Vectors]:
        with self._read() as connection:
            return reading.vectors(connection, user_id, ids, self._encoder.dim)

    def sessions(self, user_id: str, *, open_only: bool = False) -> list[Session]:
        with self._glance() as connection:
            return reading.sessions(connection, user_id, open_only=open_only)

    def preferences(self, user_id: str, *, status: Status | None = None) -> list[Preference]:
        with self._glance() as connection:
            return reading.documents(connection, user_id, Preference, status)

    def preference_vectors(self, user_id: str) -> Mapping[str, Vectors]:
        with self._glance() as connection:
            return reading.preference_vectors(connection, user_id, self._encoder.dim)

    def facts(self, user_id: str, *, status: Status | None = None) -> list[Fact]:
        with self._glance() as connection:
            return reading.documents(connection, user_id, Fact, status)

    def corrections(self, user_id: str) -> list[Correction]:
        with self._glance() as connection:
            return reading.documents(connection, user_id, Correction)

    def feedback(self, user_id: str, *, limit: int | None = None) -> list[Feedback]:
        with self._glance() as connection:
            return reading.documents(connection, user_id, Feedback, limit=limit)

    def weights(self, user_id: str) -> RewardWeights | None:
        with self._glance() as connection:
            return reading.weights(connection, user_id)

    def questions(self, user_id: str) -> list[AskedQuestion]:
        with self._glance() as connection:
            return reading.documents(connection, user_id, AskedQuestion)

    def accesses(self, user_id: str) -> list[Access]:
        with self._glance() as connection:
            return reading.accesses(connection, user_id)

    def unread(self, user_id: str) -> list[str]:
        with self._glance() as connection:
            return reading.unread(connection, user_id)

    def users_with_unread(self) -> list[str]:
        with self._glance() as connection:
            return reading.users_with_unread(connection)

    def profile(self, user_id: str) -> Profile | None:
        with self._glance() as connection:
            return reading.profile(connection, user_id)

    def personas(self, user_id: str) -> list[Persona]:
        with self._glance() as connection:
            return reading.personas(connection, user_id)

    def search(self, user_id: str, query: Query) -> Candidates:
        vector = check_query(query, self._encoder.dim)
        with self._glance() as connection:
            size = reading.size(connection, user_id)
        if self._in_memory.is_exceeded_by(size):
            return self._search_wide(user_id, query, vector)
        return self._search_in_memory(user_id, size, query, vector)

    def _search_in_memory(self, user_id: str, size: Size, query: Query, vector: Vectors) -> Candidates:
        # An unknown user must not leave a trace in memory either.
        resident = self._residents.get(user_id) if size.n_turns else Resident(self._encoder.dim)
        with resident.lock:
            has_grown = False
            with self._read() as connection:
                size = reading.size(connection, user_id)
                resident.enter(size.epoch)
                if not len(resident):
                    resident.reserve(size.n_passages)
                for rows in reading.rows_after(connection, user_id, resident.last_seq, self._encoder.dim):
                    resident.append(rows)
                    has_grown = True
            found = resident.search(vector, terms_of(query.text), limit=query.limit)
        if has_grown:
            self._residents.settle(user_id, resident)
        return found

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
        records = {*preference_ids, *fact_ids, *correction_ids, *feedback_ids}
        forgotten: Forgotten | None = None
        while forgotten is None:
            # Encoded before the transaction, which keeps others out.
            whole = self.turns(user_id, ids=list(rewrites))
            left = [turn.model_copy(update={"text": rewrites[turn.id]}) for turn in whole]
            rewritten = prepare(self._encoder, left)
            with self._change(user_id) as connection:
                if _are_stored(connection, user_id, whole):
                    forgotten = _forget(connection, user_id, set(turn_ids), records, rewritten)
                    if forgotten != Forgotten():
                        touched = bool(forgotten.turn_ids or forgotten.rewritten_ids)
                        self._will_delete(connection, user_id, turns=touched)
        self._residents.drop(user_id)
        self._was_deleted(user_id)
        return forgotten

    def _complete_preferences(self) -> None:
        """Compute the vectors that preferences of an older version, or of another encoder, lack."""
        for user_id in self.users():
            with self._glance() as connection:
                lacking = reading.without_vectors(connection, user_id)
            if lacking:
                vectors = preference_phrases(lacking, self._encoder)
                with self._change(user_id) as connection:
                    writing.add_vectors(connection, user_id, lacking, vectors)

    def export(self, user_id: str) -> Exported:
        with self._read() as connection:
            _check_known(connection, user_id)
            return Exported(
                user_id=user_id,
                sessions=tuple(reading.sessions(connection, user_id)),
                turns=tuple(reading.turns(connection, user_id)),
                preferences=tuple(reading.documents(connection, user_id, Preference)),
                facts=tuple(reading.documents(connection, user_id, Fact)),
                corrections=tuple(reading.documents(connection, user_id, Correction)),
                feedback=tuple(reading.documents(connection, user_id, Feedback)),
                questions=tuple(reading.documents(connection, user_id, AskedQuestion)),
                accesses=tuple(reading.accesses(connection, user_id)),
                profile=reading.profile(connection, user_id),
                personas=tuple(reading.personas(connection, user_id)),
                weights=reading.weights(connection, user_id),
            )

    def verify(self, progress: Progress | None = None) -> Verified:
        users, n_users, n_turns, problems = self.users(), 0, 0, list[str]()
        for done, user_id in enumerate(users, start=1):
            with self._read() as connection:
                # Whoever was deleted since the list was made has nothing left to check.
                if reading.is_known(connection, user_id):
                    n_users += 1
                    n_turns += reading.size(connection, user_id).n_turns
                    problems += problems_of(connection, user_id, self._encoder.dim)
            if progress:
                progress(done, len(users))
        return Verified(n_users=n_users, n_turns=n_turns, problems=tuple(problems))

    def delete_user(self, user_id: str) -> None:
        with self._change(user_id) as connection:
            _check_known(connection, user_id)
            writing.delete_user(connection, user_id)
            self._will_delete(connection, user_id, turns=True)
        self._residents.drop(user_id)
        self._was_deleted(user_id)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _document_groups(changes: Changes) -> tuple[Sequence[writing.AnyDocument], ...]:
    return (
        changes.facts,
        changes.corrections,
        changes.feedback,
        changes.questions,
    )


def _check_known(connection: Connection, user_id: str) -> None:
    if not reading.is_known(connection, user_id):
        raise NotFoundError(f"nothing is stored of user {user_id!r}")


def _are_stored(connection: Connection, user_id: str, turns: Sequence[Turn]) -> bool:
    """Tell whether turns are stored as they are here."""
    stored = reading.stored_turns(connection, user_id, [turn.id for turn in turns])
    return {turn.id: turn for _, turn in stored.values()} == {turn.id: turn for turn in turns}


def _forget(
    connection: Connection,
    user_id: str,
    turn_ids: set[str],
    record_ids: set[str],
    rewritten: Sequence[Prepared],
) -> Forgotten:
    """Delete turns and records, and clean what refers to them; ids that are not stored are left out."""
    before = reading.stored_turns(connection, user_id, [item.turn.id for item in rewritten])
    rewritten = [item for item in rewritten if item.turn.id in before]
    rewrites = {item.turn.id: item.turn.text for item in rewritten}
    stored = reading.stored_turns(connection, user_id, sorted(turn_ids - set(rewrites)))
    touched = [turn for _, turn in (*stored.values(), *before.values())]
    preferences = reading.documents(connection, user_id, Preference)
    facts = reading.documents(connection, user_id, Fact)
    corrections = reading.documents(connection, user_id, Correction)
    feedback = reading.documents(connection, user_id, Feedback)
    gone_feedback = forgetting.about(feedback, touched) | _chosen(feedback, record_ids)
    # What was read off a message has its id; the message itself stays.
    given = {one.id for one in feedback if one.id in gone_feedback and not one.implicit}
    is_lost = forgetting.lost(set(stored) | given, rewrites)
    gone_preferences = forgetting.unsupported(preferences, is_lost) | _chosen(preferences, record_ids)
    gone_facts = forgetting.unsupported(facts, is_lost) | _chosen(facts, record_ids)
    gone_corrections = forgetting.about(corrections, touched) | _chosen(corrections, record_ids)
    forgotten = Forgotten(
        turn_ids=tuple(sorted(stored)),
        rewritten_ids=tuple(sorted(rewrites)),
        preference_ids=tuple(sorted(gone_preferences)),
        fact_ids=tuple(sorted(gone_facts)),
        correction_ids=tuple(sorted(gone_corrections)),
        feedback_ids=tuple(sorted(gone_feedback)),
    )
    if forgotten == Forgotten():
        return forgotten
    connection.begin_change(user_id)
    writing.forget_turns(connection, user_id, [seq for seq, _ in stored.values()])
    writing.write_turns(connection, user_id, rewritten)
    writing.delete_documents(connection, user_id, Preference, gone_preferences)
    writing.delete_documents(connection, user_id, Fact, gone_facts)
    writing.delete_documents(connection, user_id, Correction, gone_corrections)
    writing.delete_documents(connection, user_id, Feedback, gone_feedback)
    if gone_feedback:
        writing.delete_weights(connection, user_id)
    writing.rewrite_preferences(
        connection, user_id, forgetting.cleaned(preferences, is_lost, gone_preferences)
    )
    writing.write_documents(connection, forgetting.cleaned(facts, is_lost, gone_facts))
    gone = set(stored) | gone_preferences | gone_facts
    questions = reading.documents(connection, user_id, AskedQuestion)
    touched_ids = gone | set(rewrites)
    writing.delete_documents(connection, user_id, AskedQuestion, forgetting.pointless(questions, touched_ids))
    profile = forgetting.cleaned_profile(reading.profile(connection, user_id), gone)
    if profile is not None:
        writing.write_profile(connection, profile)
    for persona in forgetting.cleaned_personas(reading.personas(connection, user_id), gone_preferences):
        writing.write_persona(connection, persona)
    return forgotten


def _chosen(records: Iterable[Preference | Fact | Correction | Feedback], ids: set[str]) -> set[str]:
    return {record.id for record in records} & ids
