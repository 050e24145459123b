"""What must go with a turn or a record that is forgotten: rules that every store shares."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from typing import TypeVar

from habitus.memory.records import (
    AskedQuestion,
    Correction,
    Evidence,
    Fact,
    Feedback,
    Persona,
    Preference,
    Profile,
    Turn,
)

Dated = TypeVar("Dated", Preference, Fact)

REASON_AFTER_FORGETTING = "what this rested on was forgotten"


Lost = Callable[[Evidence], bool]
"""Tells whether the words of an evidence are gone."""


def lost(turn_ids: Set[str], rewrites: Mapping[str, str]) -> Lost:
    """Return the test for evidence in turns that are gone, or in a part of one that is."""

    def test(evidence: Evidence) -> bool:
        if evidence.turn_id in rewrites:
            return evidence.quote not in rewrites[evidence.turn_id]
        return evidence.turn_id in turn_ids

    return test


def unsupported(records: Iterable[Preference | Fact], is_lost: Lost) -> set[str]:
    """Return the ids of records that had evidence, all of which is lost."""
    return {record.id for record in records if record.evidence and all(map(is_lost, record.evidence))}


def cleaned(records: Iterable[Dated], is_lost: Lost, record_ids: Set[str]) -> list[Dated]:
    """Return new versions of the surviving records that lose evidence or a predecessor."""
    changed: list[Dated] = []
    for record in records:
        if record.id in record_ids:
            continue
        evidence = tuple(item for item in record.evidence if not is_lost(item))
        supersedes = None if record.supersedes in record_ids else record.supersedes
        if evidence != record.evidence or supersedes != record.supersedes:
            changed.append(record.model_copy(update={"evidence": evidence, "supersedes": supersedes}))
    return changed


def about(records: Iterable[Correction | Feedback], turns: Iterable[Turn]) -> set[str]:
    """Return the ids of corrections and feedback on forgotten turns, or that repeat the words of one."""
    gone = list(turns)
    turn_ids = {turn.id for turn in gone}
    return {
        record.id
        for record in records
        if record.turn_id in turn_ids
        or any(_repeats(said, turn.text) for turn in gone for said in words(record))
    }


def pointless(questions: Iterable[AskedQuestion], gone: Set[str]) -> set[str]:
    """Return the ids of questions whose reply, answer or preference is gone."""
    return {one.id for one in questions if gone & {one.turn_id, one.answer_id, one.preference_id}}


def words(record: Correction | Feedback) -> tuple[str, ...]:
    """Return what a correction or a feedback says, text by text."""
    if isinstance(record, Correction):
        return record.situation, record.wrong, record.right
    said = [record.comment]
    if record.edit is not None:
        said += [record.edit.before, record.edit.after]
    if record.choice is not None:
        said += [record.choice.winner, *record.choice.losers]
    return tuple(text for text in said if text)


def _repeats(said: str, text: str) -> bool:
    return bool(said.strip()) and (said in text or text in said)


def cleaned_profile(profile: Profile | None, gone: Set[str]) -> Profile | None:
    """Return the profile without the sections linked to anything that went; None if it stays as it is."""
    if profile is None:
        return None
    sections = tuple(section for section in profile.sections if gone.isdisjoint(section.record_ids))
    return None if sections == profile.sections else profile.model_copy(update={"sections": sections})


def cleaned_personas(personas: Sequence[Persona], gone: Set[str]) -> list[Persona]:
    """Return new contents of the versions that named what went, oldest first.

    The reason of a version may quote the line it brought in or took out, so the reasons of all
    versions with such a line, and of the version after each, are replaced.
    """
    changed: list[Persona] = []
    follows_a_loss = False
    for persona in personas:
        lines = tuple(line for line in persona.lines if line.preference_id not in gone)
        lost = lines != persona.lines or any(line.preference_id in gone for line in persona.pinned)
        if lost or follows_a_loss:
            pinned = tuple(line for line in persona.pinned if line.preference_id not in gone)
            update = {"lines": lines, "pinned": pinned, "reason": REASON_AFTER_FORGETTING}
            changed.append(persona.model_copy(update=update))
        follows_a_loss = lost
    return changed
