"""What a store acknowledged, as its writer reported it line by line: what must be found after a fault."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from habitus.memory.storage.moving import checksum
from habitus.memory.store import MemoryStore, Query

Line = dict[str, Any]

_SAMPLE = 20


@dataclass
class Ledger:
    """The acknowledged truth.

    Attributes:
        turns: by user, then by turn id, the words.
        gone: ids of turns that were deleted.
        preferences, feedback: by user, ids of records that must be there.
        moved: by user, the checksum of the copy in the store beside.
        in_flight: what had begun and was not acknowledged when the writer died; it may have happened or not.
        n_done: acknowledged operations by kind.
        n_in_flight: operations that a kill interrupted, by kind.
    """

    turns: dict[str, dict[str, str]] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    preferences: dict[str, set[str]] = field(default_factory=dict)
    feedback: dict[str, set[str]] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)
    in_flight: Line | None = None
    n_done: dict[str, int] = field(default_factory=dict)
    n_in_flight: dict[str, int] = field(default_factory=dict)

    def read(self, lines: Sequence[str]) -> None:
        """Take in what a writer printed; a last line that was cut off is left out."""
        for text in lines:
            if text.endswith("\n"):
                self.take(**json.loads(text))
        if self.in_flight is not None:
            _count(self.n_in_flight, self.in_flight["begin"])

    def take(self, **line: Any) -> None:
        """Take in what a writer said."""
        if "begin" in line:
            self.in_flight = line
            if line["begin"] == "clear":
                self.moved.pop(line["user"], None)
        elif "done" in line:
            _count(self.n_done, line["done"])
            self._acknowledge(line["user"], line)
            self.in_flight = None

    def _acknowledge(self, user_id: str, line: Line) -> None:
        if line["done"] == "delete_user":
            self._delete_user(user_id)
        elif line["done"] == "migrate":
            self.moved[user_id] = line["checksum"]
        own = self.turns.setdefault(user_id, {})
        own.update(line.get("turns", {}))
        for turn_id in line.get("forgot", ()):
            own.pop(turn_id, None)
            self.gone.add(turn_id)
        # Deleting a message takes the records with it that rest on it alone.
        held = self.preferences.setdefault(user_id, set())
        held |= set(line.get("preferences", ()))
        held -= set(line.get("forgot_preferences", ()))
        given = self.feedback.setdefault(user_id, set())
        given |= set(line.get("feedback", ()))
        given -= set(line.get("forgot_feedback", ()))

    def _delete_user(self, user_id: str) -> None:
        self.gone |= set(self.turns.pop(user_id, {}))
        self.preferences.pop(user_id, None)
        self.feedback.pop(user_id, None)

    def settle(self, store: MemoryStore) -> None:
        """Take over what the interrupted operation did: from now on it has happened, or it has not."""
        if self.in_flight is None:
            return
        user_id = self.in_flight["user"]
        stored = {turn.id: turn.text for turn in store.turns(user_id)}
        self.gone |= set(self.turns.get(user_id, {})) - set(stored)
        self.turns[user_id] = stored
        self.preferences[user_id] = {one.id for one in store.preferences(user_id)}
        self.feedback[user_id] = {one.id for one in store.feedback(user_id)}
        self.in_flight = None


def violations(store: MemoryStore, ledger: Ledger) -> list[str]:
    """Return what is not as it was acknowledged, a sentence each without any message's words.

    Every acknowledged turn is there once with its words, none that was deleted, of an interrupted operation
    all or nothing; every acknowledged preference and feedback is there; a search over everything finds
    exactly the turns that are stored.
    """
    found: list[str] = []
    for user_id in sorted({*store.users(), *ledger.turns}):
        found += [f"{user_id}: {what}" for what in _of_user(store, ledger, user_id)]
    return found


def moved_violations(target: MemoryStore, ledger: Ledger) -> list[str]:
    """Return what is not as it was acknowledged in the store that users were moved to."""
    there = {*target.users()}
    found = [f"{user_id} is lost" for user_id in ledger.moved if user_id not in there]
    found += [
        f"{user_id} has changed"
        for user_id, copied in ledger.moved.items()
        if user_id in there and checksum(target, user_id) != copied
    ]
    return found + list(target.verify().problems)


def _of_user(store: MemoryStore, ledger: Ledger, user_id: str) -> list[str]:
    turns = store.turns(user_id)
    stored = {turn.id: turn.text for turn in turns}
    interrupted = ledger.in_flight if ledger.in_flight and ledger.in_flight["user"] == user_id else None
    found = _wrong_turns(stored, ledger, user_id, interrupted)
    if len(stored) < len(turns):
        found.append(f"{len(turns) - len(stored)} turns are there twice")
    places = {(turn.session_id, turn.index) for turn in turns}
    if len(places) < len(turns):
        found.append(f"{len(turns) - len(places)} turns share their place in a session")
    if interrupted is None or interrupted["begin"] not in ("forget", "delete_user"):
        for name, must, has in (
            ("preferences", ledger.preferences, {one.id for one in store.preferences(user_id)}),
            ("pieces of feedback", ledger.feedback, {one.id for one in store.feedback(user_id)}),
        ):
            if lost := must.get(user_id, set()) - has:
                found.append(f"{len(lost)} acknowledged {name} are lost")
    counted = sum(session.n_turns for session in store.sessions(user_id))
    if counted != len(turns):
        found.append(f"sessions count {counted} turns, there are {len(turns)}")
    found += _wrong_search(store, user_id, stored)
    return found


def _wrong_turns(
    stored: Mapping[str, str], ledger: Ledger, user_id: str, interrupted: Line | None
) -> list[str]:
    must = ledger.turns.get(user_id, {})
    lost = {one for one in must if one not in stored}
    doing = interrupted["begin"] if interrupted else None
    if doing == "forget" and interrupted is not None:
        lost -= set(interrupted["turns"])
    elif doing == "delete_user" and not stored:
        lost = set()
    found = [f"{len(lost)} acknowledged turns are lost"] if lost else []
    if changed := [one for one in must if one in stored and stored[one] != must[one]]:
        found.append(f"{len(changed)} turns have other words")
    if back := ledger.gone & set(stored):
        found.append(f"{len(back)} deleted turns are back")
    new = set(stored) - set(must) - ledger.gone
    if new and doing not in ("chat", "ingest"):
        found.append(f"{len(new)} turns are there that nobody wrote")
    if doing == "chat" and len(new) not in (0, 2):
        found.append(f"an interrupted turn left {len(new)} messages, not both or none")
    return found


def _wrong_search(store: MemoryStore, user_id: str, stored: Mapping[str, str]) -> list[str]:
    """Return what searches miss: of all turns where each is scored, else of a few, by their own words."""
    if not stored:
        return []
    found = store.search(user_id, _query(store, "figs and plums", len(stored)))
    if found.complete:
        seen = sorted(found.turn_ids)
        return [] if seen == sorted(stored) else [f"a search sees {len(seen)} of {len(stored)} turns"]
    sample = random.Random(len(stored)).sample(sorted(stored), min(_SAMPLE, len(stored)))
    missed = [
        one for one in sample if one not in store.search(user_id, _query(store, stored[one], 200)).turn_ids
    ]
    unknown = set(found.turn_ids) - set(stored)
    return [f"{len(missed)} of {len(sample)} turns are not found by their words"] * bool(missed) + [
        f"a search sees {len(unknown)} turns that are not there"
    ] * bool(unknown)


def _query(store: MemoryStore, text: str, limit: int) -> Query:
    return Query(text=text, vector=store.encoder.encode([text])[0], limit=limit)


def _count(counts: dict[str, int], name: str) -> None:
    counts[name] = counts.get(name, 0) + 1
