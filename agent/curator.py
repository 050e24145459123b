"""What is changed by hand, outside a conversation: preferences and the persona, in one commit each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime

from habitus.agent.settings import Settings
from habitus.memory.errors import NotFoundError
from habitus.memory.known import curation
from habitus.memory.known.knowledge import Knowledge
from habitus.memory.known.persona import diff, rollback
from habitus.memory.masking import mask_all
from habitus.memory.records import Changes, Norm, Persona, Preference
from habitus.memory.store import MemoryStore
from habitus.memory.tokens import CountTokens


class Curator:
    """Applies what a user or an app decides about what is known.

    Args:
        store: where it is.
        turn_of: keeps a user's turns out meanwhile.
        settings: the persona's budget.
        norms: rules that block.
        count_tokens: counts the persona's tokens.
    """

    def __init__(
        self,
        store: MemoryStore,
        turn_of: Callable[[str], AbstractContextManager[None]],
        *,
        settings: Settings,
        norms: Sequence[Norm],
        count_tokens: CountTokens,
    ) -> None:
        self._store = store
        self._turn_of = turn_of
        self._settings = settings
        self._norms = norms
        self._count_tokens = count_tokens

    def confirm(self, user_id: str, preference_id: str, at: datetime) -> Preference:
        """See `Agent.confirm`."""
        with self._turn_of(user_id):
            known = self._known(user_id)
            known.confirm(preference_id, at)
            return self._write(known, user_id, at, "confirmed by hand", preference_id)

    def reject(self, user_id: str, preference_id: str, at: datetime) -> Preference:
        """See `Agent.reject`."""
        with self._turn_of(user_id):
            known = self._known(user_id)
            known.reject(preference_id, at)
            return self._write(known, user_id, at, "taken back by hand", preference_id)

    def edit(
        self, user_id: str, preference_id: str, at: datetime, changes: Mapping[str, object]
    ) -> Preference:
        """See `Agent.edit`."""
        with self._turn_of(user_id):
            known = self._known(user_id)
            new_id = known.edit(preference_id, mask_all(changes, self._settings.masking), at)
            return self._write(known, user_id, at, "edited by hand", new_id)

    def rollback(self, user_id: str, version: int, at: datetime) -> Persona:
        """See `Agent.rollback_persona`."""
        with self._turn_of(user_id):
            old, current = self._version(user_id, version), self._store.personas(user_id)[-1]
            made = rollback(user_id, old, current, at, preferences=self._store.preferences(user_id))
            if made is not current:
                self._store.commit(user_id, Changes(persona=made))
            return made

    def diff(self, user_id: str, old: int, new: int) -> list[str]:
        """See `Agent.persona_diff`."""
        return diff(self._version(user_id, old), self._version(user_id, new))

    def _version(self, user_id: str, version: int) -> Persona:
        versions = self._store.personas(user_id)
        for persona in versions:
            if persona.version == version:
                return persona
        there = f"there are 1 to {versions[-1].version}" if versions else "there is no persona yet"
        raise NotFoundError(f"user {user_id!r} has no version {version} of the persona; {there}")

    def _known(self, user_id: str) -> Knowledge:
        return Knowledge.read(self._store, user_id, norms=self._norms)

    def _write(
        self, known: Knowledge, user_id: str, at: datetime, reason: str, preference_id: str
    ) -> Preference:
        """Store changed preferences with the persona and profile that follow; return one of them."""
        persona = known.compiled_persona(
            at, reason=reason, max_tokens=self._settings.persona_tokens, count_tokens=self._count_tokens
        )
        profile = known.summarised(at)
        changes = Changes(
            preferences=known.written,
            persona=persona if persona is not known.persona else None,
            profile=profile if profile is not known.profile else None,
        )
        self._store.commit(user_id, changes)
        return curation.find(known.preferences, preference_id)
