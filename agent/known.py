"""What is known of a user, to see, to put right and to delete."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from habitus.agent.base import BaseAgent
from habitus.agent.inputs import instant, user_turn
from habitus.memory.errors import InvalidInputError
from habitus.memory.masking import mask_all
from habitus.memory.records import Exported, Fact, Persona, Preference, Profile, Status, Turn
from habitus.memory.storage.moving import bring_back
from habitus.memory.storage.subjects import forget_about
from habitus.memory.store import Forgotten


class Known(BaseAgent):
    """The half of an agent that needs no graph: `Agent` is one. Every method looks at one user alone."""

    def memories(self, user_id: str, *, session_id: str | None = None) -> list[Turn]:
        """Return every stored message of the user, in time order."""
        return self.store.turns(user_id, session_id=session_id)

    def preferences(self, user_id: str, *, status: Status | None = None) -> list[Preference]:
        """Return the user's preferences, oldest first; of every status unless one is given."""
        return self.store.preferences(user_id, status=status)

    def facts(self, user_id: str) -> list[Fact]:
        """Return what is known of the user and their people."""
        return self.store.facts(user_id)

    def profile(self, user_id: str, *, at: datetime | None = None) -> Profile | None:
        """Return the summary of the user, made again first if it is out of date; None if nothing is known.

        Args:
            user_id: whose.
            at: the instant for which it is to hold; by default now.
        """
        self._background.refresh(user_id, instant(at))
        return self.store.profile(user_id)

    def persona(self, user_id: str) -> Persona | None:
        """Return the block of the system prompt in force; None for a user of whom nothing is known."""
        versions = self.store.personas(user_id)
        return versions[-1] if versions else None

    def personas(self, user_id: str) -> list[Persona]:
        """Return every version of the persona, oldest first, each with the reason for it."""
        return self.store.personas(user_id)

    def persona_diff(self, user_id: str, old: int, new: int) -> list[str]:
        """Return the lines that version `new` added to (`+`) or took from (`-`) version `old`, as a diff.

        Raises:
            NotFoundError: there is no such version.
        """
        return self._curator.diff(user_id, old, new)

    def rollback_persona(self, user_id: str, version: int, *, at: datetime | None = None) -> Persona:
        """Go back to the lines of an earlier version of the persona, as a new version.

        Preferences stay as they are. What came into the persona since stays out until it is said or shown
        again; what it brings back stays until it changes.

        Raises:
            NotFoundError: there is no such version.
        """
        self._check_open()
        return self._curator.rollback(user_id, version, instant(at))

    def confirm(self, user_id: str, preference_id: str, *, at: datetime | None = None) -> Preference:
        """Tell that a preference is right, such as a pending one: from now on it counts as said.

        Returns:
            the preference as it is now; `superseded` if it was known already in other words.

        Raises:
            NotFoundError: the user has no such preference.
            InvalidInputError: it is neither pending nor active.
        """
        self._check_open()
        return self._curator.confirm(user_id, preference_id, instant(at))

    def reject(self, user_id: str, preference_id: str, *, at: datetime | None = None) -> Preference:
        """Tell that a preference is wrong: it is retracted, its history stays. To delete it, `forget`.

        Raises:
            NotFoundError: the user has no such preference.
            InvalidInputError: it has ended already.
        """
        self._check_open()
        return self._curator.reject(user_id, preference_id, instant(at))

    def edit(
        self, user_id: str, preference_id: str, *, at: datetime | None = None, **changes: object
    ) -> Preference:
        """Put a preference differently.

        Args:
            user_id: whose.
            preference_id: which.
            at: when; by default now.
            changes: by name, other values of `statement`, `topic`, `target`, `stance`, `strength`, `scope`.

        Returns:
            the new preference; the old one is superseded by it.

        Raises:
            NotFoundError: the user has no such preference.
            InvalidInputError: another field, a wrong value, or a preference that has ended.
        """
        self._check_open()
        return self._curator.edit(user_id, preference_id, instant(at), changes)

    def forget(
        self,
        user_id: str,
        *,
        turn_ids: Sequence[str] = (),
        preference_ids: Sequence[str] = (),
        fact_ids: Sequence[str] = (),
    ) -> Forgotten:
        """Delete for good; see `MemoryStore.forget`."""
        self._check_open()
        self._background.settle_profile(user_id)
        with self._sessions.turn_of(user_id):
            gone = self.store.forget(
                user_id, turn_ids=turn_ids, preference_ids=preference_ids, fact_ids=fact_ids
            )
            self._turns.forgotten(user_id)
        return gone

    def forget_about(self, user_id: str, words: str) -> Forgotten:
        """Delete for good what the words speak of: records, and every clause that mentions their subject.

        Args:
            user_id: whose memory.
            words: what is to be forgotten, as one would say it: `that I work as a nurse`.

        Raises:
            InvalidInputError: blank words, which would name everything, or what no message may hold.
        """
        self._check_open()
        if not words.strip():
            raise InvalidInputError("say in words what is to be forgotten; delete_user forgets everything")
        user_turn(user_id, "forget", 0, words, instant(None), max_chars=self.settings.max_message_chars)
        self._background.settle_profile(user_id)
        with self._sessions.turn_of(user_id):
            gone = forget_about(self.store, user_id, words)
            self._turns.forgotten(user_id)
        return gone

    def when_forgotten(self, tell: Callable[[str], None]) -> None:
        """Have something called with a user's id whenever anything of theirs was deleted through this agent.

        For whoever keeps what the agent said beside the store, as the server does: it has to go too.

        Args:
            tell: called after each deletion, in the thread that deletes.
        """
        self._turns.when_forgotten.append(tell)

    def export(self, user_id: str) -> Exported:
        """Return everything stored about the user.

        Raises:
            NotFoundError: nothing is stored about them.
        """
        return self.store.export(user_id)

    def bring_back(self, exported: Exported) -> bool:
        """Store everything of an export: messages, preferences, persona, feedback and all, as they were.

        What `settings.masking` asks for is masked in it. Vectors are computed anew. Profiles and preferences
        keep their history; turns that waited for a chat model are not read again.

        Args:
            exported: what `export` returned, of any store.

        Returns:
            False where all of it was stored already.

        Raises:
            InvalidInputError: something else is stored of the user; delete them first.
        """
        self._check_open()
        masked = mask_all(exported.model_dump(mode="json"), self.settings.masking)
        self._background.settle_profile(exported.user_id)
        stored = bring_back(self.store, Exported.model_validate(masked))
        with self._sessions.turn_of(exported.user_id):
            self._turns.drop(exported.user_id)
        return stored

    def delete_user(self, user_id: str) -> None:
        """Delete everything about the user, for good.

        Raises:
            NotFoundError: nothing is stored about them.
        """
        self._check_open()
        self._background.settle_profile(user_id)
        with self._sessions.turn_of(user_id):
            self.store.delete_user(user_id)
            self._turns.forgotten(user_id)
