"""Bringing in whole conversations: their turns, and what is learnt from them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from datetime import datetime, timedelta

from habitus.agent.inputs import instant, record
from habitus.agent.progress import progress_bar
from habitus.agent.sessions import Sessions
from habitus.agent.settings import Settings
from habitus.agent.upkeep.background import Background
from habitus.memory.errors import InvalidInputError
from habitus.memory.extraction import extract
from habitus.memory.known.knowledge import Knowledge
from habitus.memory.masking import mask_conversation
from habitus.memory.records import Changes, Conversation, Norm, Turn
from habitus.memory.store import MemoryStore, Progress
from habitus.memory.tokens import CountTokens

_CONTEXT_TURNS = 4
_COMMIT_TURNS = 2_000
"""Turns written at once."""


class Ingester:
    """Stores conversations in batches, each with what is learnt from it.

    Args:
        store: where to.
        sessions: keeps a user's turns out meanwhile.
        background: what goes on when it is done.
        drop: drops what is kept of a user beside the store.
        settings, norms, count_tokens: those of the agent.
    """

    def __init__(
        self,
        store: MemoryStore,
        sessions: Sessions,
        background: Background,
        *,
        drop: Callable[[str], None],
        settings: Settings,
        norms: Sequence[Norm],
        count_tokens: CountTokens,
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._background = background
        self._drop = drop
        self._settings = settings
        self._norms = norms
        self._count_tokens = count_tokens

    def ingest(
        self, user_id: str, conversations: Iterable[Conversation], *, learn: bool, progress: Progress | bool
    ) -> int:
        """See `Agent.ingest`."""
        kinds = self._settings.masking
        ordered = sorted((mask_conversation(one, kinds) for one in conversations), key=lambda one: one.at)
        if len({one.id for one in ordered}) < len(ordered):
            raise InvalidInputError("two conversations of one call have the same id; give each its own")
        shown = progress_bar("Bringing in messages") if progress is True else nullcontext(progress or _unseen)
        with shown as report, self._sessions.turn_of(user_id):
            # A conversation that goes on here may get turns that its short-term memory does not know.
            self._drop(user_id)
            n_stored = self._store_all(user_id, ordered, learn, report)
        if ordered:
            self._background.after_ingest(user_id, ordered[-1].at)
        if learn and n_stored and self._settings.learn_from_writing:
            self._background.observe(user_id)
        return n_stored

    def _store_all(
        self, user_id: str, conversations: Sequence[Conversation], learn: bool, progress: Progress
    ) -> int:
        """Store what is not stored yet; returns the number of new turns."""
        n_all = sum(len(one.messages) for one in conversations)
        n_stored = n_seen = 0
        known = {one.id for one in self._store.sessions(user_id)}
        batch: list[Turn] = []
        for position, conversation in enumerate(conversations):
            turns = _turns_of(user_id, conversation)
            n_seen += len(turns)
            if conversation.id in known:
                stored = {turn.id for turn in self._store.turns(user_id, session_id=conversation.id)}
                turns = [turn for turn in turns if turn.id not in stored]
            batch += turns
            if len(batch) >= _COMMIT_TURNS or position == len(conversations) - 1:
                learnt = self._learnt(user_id, batch) if learn and batch else Changes()
                self._commit(user_id, batch, learnt)
                n_stored += len(batch)
                batch = []
                progress(n_seen, n_all)
        return n_stored

    def _commit(self, user_id: str, turns: Sequence[Turn], learnt: Changes) -> None:
        ended = tuple(dict.fromkeys(turn.session_id for turn in turns))
        changes = learnt.model_copy(update={"turns": tuple(turns), "ends_sessions": ended})
        self._store.commit(user_id, changes)

    def _learnt(self, user_id: str, turns: Sequence[Turn]) -> Changes:
        """Return what turns that are to be stored tell of the user: preferences, facts, persona, profile.

        Args:
            user_id: whose.
            turns: in time order, those of a session together.
        """
        known = Knowledge.read(self._store, user_id, norms=self._norms)
        for position, turn in enumerate(turns):
            if turn.role == "user":
                before = turns[max(0, position - _CONTEXT_TURNS) : position]
                context = [one for one in before if one.session_id == turn.session_id]
                known.learn(extract(turn, context=context), turn.at)
        changes = self._changes(known, max(turn.at for turn in turns))
        if self._background.reader is None:
            return changes
        return changes.model_copy(update={"unread": tuple(one.id for one in turns if one.role == "user")})

    def _changes(self, known: Knowledge, at: datetime) -> Changes:
        if not known.written and not known.told:
            return Changes(corrections=known.corrections)
        persona = known.compiled_persona(
            at,
            reason="ingest",
            max_tokens=self._settings.persona_tokens,
            count_tokens=self._count_tokens,
        )
        profile = known.summarised(at)
        return Changes(
            preferences=known.written,
            facts=known.told,
            corrections=known.corrections,
            persona=persona if persona is not known.persona else None,
            profile=profile if profile is not known.profile else None,
        )


def _unseen(done: int, total: int) -> None:
    """Take no notice of progress."""


def _turns_of(user_id: str, conversation: Conversation) -> list[Turn]:
    """Return a conversation's turns; the i-th has the id `<conversation id>:<i>`."""
    return [
        record(
            Turn,
            id=f"{conversation.id}:{index}",
            user_id=user_id,
            session_id=conversation.id,
            index=index,
            role=message.role,
            text=message.text,
            meta=message.meta,
            at=instant(message.at or _later(conversation.at, index)),
        )
        for index, message in enumerate(conversation.messages)
    ]


def _later(at: datetime, seconds: int) -> datetime:
    return instant(at) + timedelta(seconds=seconds)
