"""What must hold between what several agents acknowledged and what one store holds."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from habitus.evals.bench.simulated import LIKED, WISHES
from habitus.memory.records import Persona, Preference, Turn

if TYPE_CHECKING:
    from habitus.memory.store import MemoryStore

Line = Mapping[str, Any]
"""What a process told: its `kind`, the `user`, and more."""

_MARK = re.compile(r"mark(u\d+)life\w+?turn\d+end")


def broken_invariants(store: MemoryStore, lines: Sequence[Line]) -> Iterator[str]:
    """Yield what does not hold.

    Every acknowledged turn is there once, unless it was to be forgotten, and then it is not. A turn that
    began after another of its user was acknowledged stands after it. No reply and no memory holds another
    user's words. Places in a session are distinct, user and assistant alternate. What is liked now and
    what is not is what was said last, and nothing else stands beside it. Versions of the persona follow
    one another and name what is stored. Ratings are there. A search sees exactly what is stored; sums and
    references agree.
    """
    of_user: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        of_user[line["user"]].append(line)
    for user_id in sorted({*store.users(), *of_user}):
        turns = store.turns(user_id)
        yield from _of_turns(user_id, turns)
        if found := _strangers(user_id, *map(str, _all_texts(store, user_id))):
            yield f"{user_id} has words of {found}"
        yield from _lost_or_doubled(user_id, turns, of_user[user_id])
        yield from _out_of_order(user_id, turns, of_user[user_id])
        preferences = store.preferences(user_id)
        yield from _of_preferences(user_id, preferences, turns)
        yield from _of_personas(user_id, store.personas(user_id), preferences)
        yield from _unseen(store, user_id, turns)
        yield from _lost_ratings(store, user_id, turns, of_user[user_id])
    yield from store.verify().problems


def _all_texts(store: MemoryStore, user_id: str) -> Iterator[object]:
    if user_id in store.users():
        yield store.export(user_id).model_dump_json()


def _strangers(user_id: str, *texts: str) -> list[str]:
    return sorted({owner for text in texts for owner in _MARK.findall(text) if owner != user_id})


def _of_turns(user_id: str, turns: Sequence[Turn]) -> Iterator[str]:
    places = Counter((turn.session_id, turn.index) for turn in turns)
    if any(n > 1 for n in places.values()):
        yield f"{user_id} has two messages at one place"
    if any((turn.role == "assistant") != bool(turn.index % 2) for turn in turns):
        yield f"messages of {user_id} do not alternate"


def _lost_or_doubled(user_id: str, turns: Sequence[Turn], lines: Sequence[Line]) -> Iterator[str]:
    doomed = {line["mark"] for line in lines if line["kind"] == "forgetting"}
    gone = {line["mark"] for line in lines if line["kind"] == "forgotten"}
    said = Counter(
        found.group() for turn in turns if turn.role == "user" for found in _MARK.finditer(turn.text)
    )
    for line in lines:
        if line["kind"] != "turn":
            continue
        if found := _strangers(user_id, line["reply"]):
            yield f"a reply to {user_id} holds words of {found}"
        n = said[line["mark"]]
        if line["mark"] in gone and n:
            yield f"{line['mark']} was forgotten and is stored"
        elif line["mark"] not in doomed and not n:
            yield f"{line['mark']} was acknowledged and is lost"
        elif n > 1:
            yield f"{line['mark']} is stored {n} times"


def _out_of_order(user_id: str, turns: Sequence[Turn], lines: Sequence[Line]) -> Iterator[str]:
    """Hold places against the clock of the machine, which all processes share."""
    places = {
        found.group(): turn.index
        for turn in turns
        if turn.role == "user"
        for found in _MARK.finditer(turn.text)
    }
    stored = [line for line in lines if line["kind"] == "turn" and line["mark"] in places]
    by_end = sorted(stored, key=lambda line: float(line["ended"]))
    done, last = 0, -1
    for line in sorted(stored, key=lambda line: float(line["began"])):
        while by_end[done]["ended"] < line["began"]:
            last = max(last, places[by_end[done]["mark"]])
            done += 1
        if places[line["mark"]] < last:
            yield f"{line['mark']} of {user_id} began after a turn before which it stands"


def _of_preferences(user_id: str, preferences: Sequence[Preference], turns: Sequence[Turn]) -> Iterator[str]:
    by_id = {one.id: one for one in preferences}
    succeeded = Counter(one.supersedes for one in preferences if one.supersedes)
    for one in preferences:
        old = by_id.get(one.supersedes or "")
        if old is not None and old.status == "active":
            yield f"{user_id} has a preference that was superseded and holds"
        if (one.status == "active") != (one.valid_to is None) and one.status in ("active", "superseded"):
            yield f"{user_id} has a preference that is {one.status} and ends at {one.valid_to}"
        if one.target in LIKED and succeeded[one.id] > 1:
            yield f"{user_id} has a preference that was superseded twice"
    for thing in LIKED:
        held = [one.stance for one in preferences if one.target == thing and one.status == "active"]
        said = _said_last(turns, thing)
        if len(held) > 1:
            yield f"{user_id} has {len(held)} preferences on one thing side by side"
        # What was forgotten leaves nothing in force, so that something may be said and nothing held.
        elif held and held[0] != said:
            yield f"the preference of {user_id} in force is not what was said last"


def _said_last(turns: Sequence[Turn], thing: str) -> str | None:
    stances = {wish.format(thing=thing): stance for stance, wish in WISHES.items()}
    said = (
        stance
        for turn in sorted(turns, key=lambda turn: turn.index, reverse=True)
        for wish, stance in stances.items()
        if turn.role == "user" and turn.text.startswith(wish)
    )
    return next(said, None)


def _of_personas(
    user_id: str, personas: Sequence[Persona], preferences: Sequence[Preference]
) -> Iterator[str]:
    versions = [one.version for one in personas]
    if versions != list(range(1, len(versions) + 1)):
        yield f"versions of the persona of {user_id} do not follow one another: {versions}"
    active = {one.id for one in preferences if one.status == "active"}
    if personas and any(line.preference_id not in active for line in personas[-1].lines):
        yield f"the persona of {user_id} has a line of a preference that does not hold"


def _unseen(store: MemoryStore, user_id: str, turns: Sequence[Turn]) -> Iterator[str]:
    from habitus.memory.store import Query

    query = Query(text="code", vector=store.encoder.encode(["code"])[0])
    if sorted(store.search(user_id, query).turn_ids) != sorted(turn.id for turn in turns):
        yield f"a search of {user_id} does not see what is stored"


def _lost_ratings(
    store: MemoryStore, user_id: str, turns: Sequence[Turn], lines: Sequence[Line]
) -> Iterator[str]:
    rated = {one.turn_id for one in store.feedback(user_id)}
    there = {turn.id for turn in turns}
    for line in lines:
        if line["kind"] == "rating" and line["turn"] in there - rated:
            yield f"a rating of {user_id} is lost"
