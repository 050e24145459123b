"""Keeping facts right over time: repeated ones gain evidence, a new job, home or name ends the old one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from habitus.memory.known.preferences import MATCHES, likenesses, no_longer_true, united
from habitus.memory.records import Fact
from habitus.retrievers.analysis import analyze
from habitus.retrievers.encoder import Encoder

SINGLE_VALUED = frozenset(
    {
        *("name", "age", "job", "left_job", "works_at", "studies", "lives_in", "birthday", "born", "from"),
        *("status", "is"),
    }
)
"""Attributes of which a subject has one at a time."""

_ENDS = {
    "left_job": ("job", "works_at"),
    "job": ("left_job",),
    "works_at": ("left_job",),
}
"""Attributes besides its own that a new fact brings to an end."""


def merge_facts(stored: Sequence[Fact], new: Sequence[Fact], *, at: datetime) -> tuple[Fact, ...]:
    """Return the facts to write: repeated ones gain evidence, a new job, home or name ends the old one."""
    known = {fact.id: fact for fact in stored}
    written: dict[str, Fact] = {}
    for fact in new:
        for change in [] if fact.id in known else _fact_taken_in(list(known.values()), fact, at):
            known[change.id] = written[change.id] = change
    return tuple(written.values())


def _fact_taken_in(known: list[Fact], new: Fact, at: datetime) -> list[Fact]:
    changes: list[Fact] = []
    for old in known:
        if old.status != "active" or old.subject != new.subject:
            continue
        if old.attribute in _ENDS.get(new.attribute, ()) and new.valid_from >= old.valid_from:
            changes.append(_ended(old, new, at))
            new = new.model_copy(update={"supersedes": old.id})
        if old.attribute != new.attribute:
            continue
        if analyze(old.value) == analyze(new.value):
            return [
                old.model_copy(
                    update={
                        "evidence": united(old.evidence, new.evidence),
                        "confidence": max(old.confidence, new.confidence),
                    }
                )
            ]
        if new.attribute not in SINGLE_VALUED:
            continue
        if new.valid_from < old.valid_from:
            # Old history brought in late: it was true until what is known began.
            new = new.model_copy(update={"status": "superseded", "valid_to": old.valid_from})
        elif new.status == "active":
            changes.append(_ended(old, new, at))
            new = new.model_copy(update={"supersedes": old.id})
    return [*changes, new]


def _ended(old: Fact, new: Fact, at: datetime) -> Fact:
    ends = max(min(at, new.valid_from), old.valid_from)
    return old.model_copy(update={"status": "superseded", "valid_to": ends})


def matching_facts(stored: Sequence[Fact], words: str, *, encoder: Encoder) -> list[Fact]:
    """Return the active facts that `words` speak of, best first."""
    live = [fact for fact in stored if fact.status == "active"]
    texts = [f"{'' if fact.subject == 'user' else fact.subject + ' '}{fact.value}" for fact in live]
    scores = likenesses([fact.statement for fact in live], texts, words, words, encoder)
    ranked = sorted(zip(scores, live, strict=True), key=lambda pair: (-pair[0], pair[1].id))
    return [fact for score, fact in ranked if score >= MATCHES]


def retract_facts(stored: Sequence[Fact], words: str, *, encoder: Encoder, at: datetime) -> tuple[Fact, ...]:
    """Return the facts that the user takes back, changed to `retracted`."""
    found = matching_facts(stored, words, encoder=encoder)[:1]
    return tuple(
        fact.model_copy(
            update={
                "status": "retracted",
                "valid_to": max(at, fact.valid_from),
                "status_reason": no_longer_true(words),
            }
        )
        for fact in found
    )
