"""What is known of a user, brought up to date turn by turn, and what of it has to be written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Self

from habitus.memory.extraction import Extraction
from habitus.memory.index.phrases import recollect
from habitus.memory.known import curation
from habitus.memory.known.drift import holds
from habitus.memory.known.facts import merge_facts, retract_facts
from habitus.memory.known.lasting import ended
from habitus.memory.known.norms import DEFAULT_NORMS
from habitus.memory.known.persona import compile_persona
from habitus.memory.known.preferences import merge, retract, with_confidence
from habitus.memory.known.profile import Part, is_stale, parts, summarise
from habitus.memory.learning.feedback import FeedbackEffect
from habitus.memory.learning.tastes import reconcile
from habitus.memory.records import Correction, EditsHold, Evidence, Fact, Norm, Persona, Preference, Profile
from habitus.memory.store import MemoryStore
from habitus.memory.tokens import CountTokens
from habitus.retrievers.encoder import Encoder


class Knowledge:
    """Preferences, facts, persona and profile of one user, with the changes made since they were read.

    Attributes:
        persona: the version in the store; None for a new user.
        profile: the one in the store; None if there is none.
        encoder: of the store.
    """

    def __init__(
        self,
        user_id: str,
        *,
        preferences: Sequence[Preference],
        facts: Sequence[Fact],
        persona: Persona | None,
        profile: Profile | None,
        encoder: Encoder,
        norms: Sequence[Norm] = DEFAULT_NORMS,
    ) -> None:
        self.persona = persona
        self.profile = profile
        self.encoder = encoder
        self._user_id = user_id
        self._norms = norms
        self._preferences = {preference.id: preference for preference in preferences}
        self._facts = {fact.id: fact for fact in facts}
        self._written: dict[str, Preference] = {}
        self._told: dict[str, Fact] = {}
        self._corrections: dict[str, Correction] = {}

    @classmethod
    def read(cls, store: MemoryStore, user_id: str, *, norms: Sequence[Norm] = DEFAULT_NORMS) -> Self:
        """Read what a store knows of the user."""
        versions = store.personas(user_id)
        preferences = store.preferences(user_id)
        recollect(store, user_id, preferences)
        return cls(
            user_id,
            preferences=preferences,
            facts=store.facts(user_id),
            persona=versions[-1] if versions else None,
            profile=store.profile(user_id),
            encoder=store.encoder,
            norms=norms,
        )

    @property
    def preferences(self) -> list[Preference]:
        """All preferences in their present state."""
        return list(self._preferences.values())

    @property
    def facts(self) -> list[Fact]:
        """All facts in their present state."""
        return list(self._facts.values())

    @property
    def written(self) -> tuple[Preference, ...]:
        """Preferences that were added or changed, each once, in its last state."""
        return tuple(self._written.values())

    @property
    def told(self) -> tuple[Fact, ...]:
        """Facts that were added or changed, each once, in their last state."""
        return tuple(self._told.values())

    @property
    def corrections(self) -> tuple[Correction, ...]:
        """Mistakes that were pointed out."""
        return tuple(self._corrections.values())

    def end_passing(self, at: datetime) -> None:
        """End what was said to hold for a time that is over."""
        self._take(ended(self.preferences, at))

    def learn(self, extraction: Extraction, at: datetime) -> None:
        """Take in what a message told: first what it takes back, then what it states."""
        for words in extraction.retractions:
            self._take(retract(self.preferences, words, encoder=self.encoder, at=at))
            self._take_facts(retract_facts(self.facts, words, encoder=self.encoder, at=at))
        self.prefer(extraction.preferences, at)
        if extraction.facts:
            self._take_facts(merge_facts(self.facts, extraction.facts, at=at))
        self.correct(extraction.corrections)

    def prefer(self, preferences: Sequence[Preference], at: datetime) -> None:
        """Merge preferences into those known: duplicates join, contradictions supersede."""
        if preferences:
            self._take(self.merged(preferences, at))

    def merged(self, preferences: Sequence[Preference], at: datetime) -> tuple[Preference, ...]:
        """Return the records that `prefer` would write, without writing them."""
        return merge(self.preferences, preferences, encoder=self.encoder, at=at, norms=self._norms)

    def confirm(self, preference_id: str, at: datetime, *, evidence: Sequence[Evidence] = ()) -> None:
        """Take a preference for said; see `curation.confirm`."""
        self.put(
            preferences=curation.confirm(
                self.preferences,
                preference_id,
                encoder=self.encoder,
                at=at,
                norms=self._norms,
                evidence=evidence,
            )
        )

    def reject(self, preference_id: str, at: datetime) -> None:
        """Take a preference back; see `curation.reject`."""
        self.put(preferences=(curation.reject(self.preferences, preference_id, at=at),))

    def edit(self, preference_id: str, changes: Mapping[str, object], at: datetime) -> str:
        """Put a preference differently; see `curation.edit`. Returns the id of the new one."""
        written = curation.edit(
            self.preferences, preference_id, changes, encoder=self.encoder, at=at, norms=self._norms
        )
        self.put(preferences=written)
        return written[-1].id

    def correct(self, corrections: Sequence[Correction]) -> None:
        """Add mistakes that were pointed out."""
        self._corrections.update((correction.id, correction) for correction in corrections)

    def take_in(self, effect: FeedbackEffect, at: datetime, *, edits: EditsHold = "everywhere") -> None:
        """Take in feedback: what it said, then what is believed and moved on account of it.

        Args:
            effect: what it changes.
            at: now.
            edits: where that holds which edits and choices show.
        """
        self.put(preferences=effect.settled)
        self.learn(
            Extraction(
                preferences=effect.preferences,
                retractions=effect.retractions,
                corrections=effect.corrections,
            ),
            at,
        )
        self.put(preferences=[self._nudged(one, by) for one, by in effect.nudges.items()])
        self.put(
            preferences=reconcile(
                self._user_id,
                effect.beliefs,
                self.preferences,
                log_ids=effect.log_ids,
                at=at,
                edits=edits,
            )
        )

    def _nudged(self, preference_id: str, by: float) -> Preference:
        known = self._preferences[preference_id]
        return with_confidence(known, known.confidence + by)

    def put(self, *, preferences: Sequence[Preference] = (), facts: Sequence[Fact] = ()) -> None:
        """Write records as they are, beside or in place of what is known, without merging them."""
        self._take(preferences)
        self._take_facts(facts)

    def _take(self, changed: Sequence[Preference]) -> None:
        for preference in changed:
            self._preferences[preference.id] = preference
            self._written[preference.id] = preference

    def _take_facts(self, changed: Sequence[Fact]) -> None:
        for fact in changed:
            self._facts[fact.id] = self._told[fact.id] = fact

    def compiled_persona(
        self, at: datetime, *, reason: str, max_tokens: int, count_tokens: CountTokens
    ) -> Persona | None:
        """Return the persona that fits what is known now: a new version only if its lines changed."""
        if self.persona is None and not any(holds(preference, at) for preference in self.preferences):
            return None
        return compile_persona(
            self._user_id,
            self.preferences,
            previous=self.persona,
            at=at,
            reason=reason,
            max_tokens=max_tokens,
            count_tokens=count_tokens,
        )

    def profile_is_stale(self, at: datetime) -> bool:
        """Tell whether the stored profile no longer says what is known at an instant."""
        return is_stale(self.profile, self.preferences, self.facts, at)

    def profile_parts(self, at: datetime) -> list[Part]:
        """Return what the rules say in the sections of the profile."""
        return parts(self.preferences, self.facts, at)

    def summarised(self, at: datetime) -> Profile:
        """Return the profile that fits what is known now."""
        return summarise(self._user_id, self.preferences, self.facts, previous=self.profile, at=at)
