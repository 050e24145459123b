"""The profile: a summary of the user in prose, each section linked to the records it was made from."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from habitus.memory.extraction.outcome import record_id
from habitus.memory.known.lasting import in_force, with_term
from habitus.memory.records import Fact, Preference, Profile, ProfileSection

MAX_RECORDS = 60
"""Per section; the strongest are kept."""

_SECTIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Needs and limits", ("require", "avoid")),
    ("Likes", ("like",)),
    ("Dislikes", ("dislike",)),
    ("Indifferent to", ("neutral",)),
)
_ATTRIBUTES = {
    "name": "name is",
    "age": "age is",
    "job": "works as",
    "works_at": "works at",
    "studies": "studies",
    "lives_in": "lives in",
    "from": "comes from",
    "born": "was born in",
    "birthday": "birthday is",
    "status": "is",
    "is": "is",
    "speaks": "speaks",
    "has": "has",
    "condition": "has",
    "event": "told:",
}


@dataclass(frozen=True)
class Part:
    """What the rules say on one topic.

    Attributes:
        sentences: each with the id of the record that it tells.
    """

    title: str
    sentences: tuple[tuple[str, str], ...]

    @property
    def section(self) -> ProfileSection:
        return ProfileSection(
            title=self.title,
            text=" ".join(text for _, text in self.sentences),
            record_ids=tuple(record_id for record_id, _ in self.sentences),
        )

    @property
    def digest(self) -> str:
        """Changes with any of the sentences."""
        return record_id(self.title, *(text for sentence in self.sentences for text in sentence))


def summarise(
    user_id: str,
    preferences: Sequence[Preference],
    facts: Sequence[Fact],
    *,
    previous: Profile | None,
    at: datetime,
) -> Profile:
    """Summarise what holds at `at`; the same records always give the same text.

    A section that a chat model has put into words stays as long as its records do.

    Returns:
        A new version, or `previous` itself when nothing that it says has changed.
    """
    sections = _sections(preferences, facts, previous, at)
    return with_sections(user_id, sections, previous=previous, at=at)


def with_sections(
    user_id: str, sections: Sequence[ProfileSection], *, previous: Profile | None, at: datetime
) -> Profile:
    """Return a new version of the profile, or `previous` itself if it has these sections."""
    if previous is not None and previous.sections == tuple(sections):
        return previous
    version = 1 if previous is None else previous.version + 1
    return Profile(user_id=user_id, version=version, made_at=at, sections=tuple(sections))


def is_stale(
    profile: Profile | None, preferences: Sequence[Preference], facts: Sequence[Fact], at: datetime
) -> bool:
    """Tell whether a summary of these records at this instant would differ from `profile`."""
    sections = _sections(preferences, facts, profile, at)
    return bool(sections) if profile is None else profile.sections != sections


def _sections(
    preferences: Sequence[Preference], facts: Sequence[Fact], previous: Profile | None, at: datetime
) -> tuple[ProfileSection, ...]:
    worded = {one.worded_from: one for one in previous.sections} if previous is not None else {}
    return tuple(worded.get(part.digest, part.section) for part in parts(preferences, facts, at))


def parts(preferences: Sequence[Preference], facts: Sequence[Fact], at: datetime) -> list[Part]:
    """Return what the rules say of what holds at `at`, topic by topic."""
    live = in_force(preferences, at)
    told = [f for f in facts if f.status == "active"]
    tastes = [p for p in live if not p.topic.startswith("style.")]
    made = [
        _of_facts("About the user", [f for f in told if f.subject == "user" and f.attribute != "event"]),
        _of_facts("People", [f for f in told if f.subject != "user"]),
        _of_facts("Events", [f for f in told if f.subject == "user" and f.attribute == "event"]),
        *(_of_tastes(title, [p for p in tastes if p.stance in stances]) for title, stances in _SECTIONS),
        _of_tastes("How to reply", [p for p in live if p.topic.startswith("style.")]),
    ]
    return [part for part in made if part.sentences]


def without(profile: Profile, left_out: Collection[str], preferences: Iterable[Preference]) -> Profile:
    """Return a profile that is silent on some preferences; sections that do not tell them stay as they are.

    What is left of the others is told in the rules' words, also where a chat model had worded the section.

    Args:
        profile: of the same version afterwards; not to be stored.
        left_out: ids of preferences.
        preferences: all that the profile may tell.
    """
    known = {preference.id: preference for preference in preferences}
    sections = []
    for section in profile.sections:
        kept = [one for one in section.record_ids if one not in left_out]
        if len(kept) == len(section.record_ids):
            sections.append(section)
        elif kept:
            sections.append(_of_tastes(section.title, [known[one] for one in kept if one in known]).section)
    return profile.model_copy(update={"sections": tuple(sections)})


def _of_tastes(title: str, preferences: list[Preference]) -> Part:
    kept = sorted(preferences, key=lambda p: (-p.strength, p.valid_from, p.id))[:MAX_RECORDS]
    return Part(title, tuple((p.id, with_term(f"“{' '.join(p.statement.split())}”", p)) for p in kept))


def _of_facts(title: str, facts: list[Fact]) -> Part:
    kept = sorted(facts, key=lambda f: (f.valid_from, f.id))[-MAX_RECORDS:]
    return Part(title, tuple((f.id, _told(f)) for f in kept))


def _told(fact: Fact) -> str:
    who = "The user" if fact.subject == "user" else f"The user's {fact.subject}"
    verb = _ATTRIBUTES.get(fact.attribute, fact.attribute.replace("_", " "))
    if verb.endswith((" is", "age is")) and verb.split()[0] in ("name", "age", "birthday"):
        return f"{who}'s {verb} {fact.value}."
    return f"{who} {verb} {fact.value}."
