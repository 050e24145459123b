"""Forgetting a subject: it is named in words, and stands in records and in parts of messages."""

from __future__ import annotations

import json
from collections.abc import Sequence, Set

from habitus.memory.known.facts import matching_facts
from habitus.memory.known.preferences import matching
from habitus.memory.known.slots import Slot, named_by, tells, value_in
from habitus.memory.records import Correction, Fact, Feedback, Preference, Turn
from habitus.memory.storage.cutting import clauses_of, mentions, sentences_of, without
from habitus.memory.storage.forgetting import words as words_of
from habitus.memory.store import Forgotten, MemoryStore
from habitus.retrievers.analysis import analyze

_FRAME = frozenset(
    analyze(
        "i i'm i've i'd my me mine we our us you your he she it they a an the and or but not no don't "
        "doesn't that this what when where who is am are was were be been do does did have has had can "
        "could will would to of in on at for with from by about as so very really too please ever never "
        "always like love hate enjoy prefer dislike want need avoid said told mentioned say tell know "
        "remember forget everything anything all fact preference memory information stuff thing"
    )
)
"""Stems that frame a statement and name no subject."""


def forget_about(store: MemoryStore, user_id: str, words: str) -> Forgotten:
    """Delete for good the records that the words speak of, and every clause that mentions their subject.

    Args:
        store: where from.
        user_id: whose memory.
        words: what is to be forgotten, in the user's words: `I work as a nurse`, `my old address`.
    """
    preferences = matching(store.preferences(user_id), words, encoder=store.encoder)
    facts = matching_facts(store.facts(user_id), words, encoder=store.encoder)
    named = [*(p.target for p in preferences), *(f.value for f in facts)]
    if not _is_clause(words):
        named.append(words)
    subjects = [stems for text in named if (stems := set(analyze(text)) - _FRAME)]
    turns = store.turns(user_id)
    told = _told(turns, words)
    repeated = [*subjects, *(stems for of_turn in told.values() for stems in of_turn)]
    left: dict[str, str] = {}
    for said in turns:
        gone = [*subjects, *told.get(said.id, ())] if said.role == "user" else repeated
        if said.meta and mentions(json.dumps(said.meta, ensure_ascii=False), subjects):
            left[said.id] = ""  # what stands beside a message cannot be cut into
        elif mentions(said.text, gone):
            left[said.id] = without(said.text, gone)
    return store.forget(
        user_id,
        turn_ids=[turn_id for turn_id, text in left.items() if not text],
        preference_ids=[p.id for p in preferences],
        fact_ids=[f.id for f in facts],
        correction_ids=[c.id for c in store.corrections(user_id) if _says(c, subjects)],
        feedback_ids=[f.id for f in store.feedback(user_id) if _says(f, subjects)],
        rewrites={turn_id: text for turn_id, text in left.items() if text},
    )


def forget_said(store: MemoryStore, user_id: str, said: Sequence[str]) -> Forgotten:
    """Delete for good sentences that the user said, wherever they stand, and the records that rest on them.

    Args:
        store: where from.
        user_id: whose memory.
        said: sentences, verbatim.
    """
    cores = [core for text in said if (core := _core(text))]
    escaped = [json.dumps(core, ensure_ascii=False)[1:-1] for core in cores]
    left: dict[str, str] = {}
    for turn in store.turns(user_id):
        if _quotes(json.dumps(turn.meta, ensure_ascii=False), escaped):
            left[turn.id] = ""  # what stands beside a message cannot be cut into
        elif _quotes(turn.text, cores) and (text := _without_said(turn, cores)) != turn.text:
            left[turn.id] = text

    def rests(record: Preference | Fact) -> bool:
        return any(
            one.turn_id in left
            and any(_core(one.quote) in core or core in one.quote.lower() for core in cores)
            for one in record.evidence
        )

    return store.forget(
        user_id,
        turn_ids=[turn_id for turn_id, text in left.items() if not text],
        preference_ids=[p.id for p in store.preferences(user_id) if rests(p)],
        fact_ids=[f.id for f in store.facts(user_id) if rests(f)],
        correction_ids=[c.id for c in store.corrections(user_id) if _quotes(" ".join(words_of(c)), cores)],
        feedback_ids=[f.id for f in store.feedback(user_id) if _quotes(" ".join(words_of(f)), cores)],
        rewrites={turn_id: text for turn_id, text in left.items() if text},
    )


def _core(sentence: str) -> str:
    return sentence.strip().rstrip(".!?… ").lower()


def _quotes(text: str, cores: Sequence[str]) -> bool:
    return any(core in text.lower() for core in cores)


def _without_said(turn: Turn, cores: Sequence[str]) -> str:
    """Return a message of the user without these very sentences, a reply without those that repeat them."""
    kept = [
        one
        for one in sentences_of(turn.text)
        if not (_core(one) in cores if turn.role == "user" else _quotes(one, cores))
    ]
    left = "".join(kept).strip()
    return left if analyze(left) else ""


def perhaps_meant(store: MemoryStore, user_id: str, words: str) -> list[str]:
    """Return what the user said that the words may speak of, by meaning alone, newest first: to be asked."""
    slot = named_by(words)
    if slot is None or not slot.things:
        return []
    said = [text.strip() for turn in _by_user(store.turns(user_id)) for text in sentences_of(turn.text)]
    return [said[place] for place in reversed(tells(slot, said, store.encoder))]


def _is_clause(words: str) -> bool:
    """Tell whether words name a thing by what is done with it: "live" in "where I live" is no subject."""
    slot = named_by(words)
    return slot is not None and not value_in(words) and (slot.relation != "possession" or slot.verb != "")


def _by_user(turns: Sequence[Turn]) -> list[Turn]:
    return sorted((turn for turn in turns if turn.role == "user"), key=lambda turn: (turn.at, turn.index))


def _told(turns: Sequence[Turn], words: str) -> dict[str, list[set[str]]]:
    """Return, by turn, the stems of the user's clauses that tell what the words name, however worded.

    "Where I live" is told by "my flat is in Porto". If the words say what it is ("my van is a Volvo"), only
    what tells the same of it counts.
    """
    slot, value = named_by(words), value_in(words)
    if slot is None or not (value or slot.things or slot.relation in ("residence", "occupation")):
        return {}
    said = [(turn.id, text) for turn in _by_user(turns) for text in sentences_of(turn.text)]
    wide = Slot(slot.relation) if value and slot.relation == "possession" else slot
    places = tells(wide, [text for _, text in said], None)
    found: dict[str, list[set[str]]] = {}
    for turn_id, text in (said[place] for place in places):
        if value <= set(analyze(text)):
            clauses = [
                one for one in clauses_of(text) if value <= set(analyze(one)) and tells(wide, [one], None)
            ]
            found.setdefault(turn_id, []).extend(set(analyze(one)) - _FRAME for one in clauses or [text])
    return found


def _says(record: Correction | Feedback, subjects: Sequence[Set[str]]) -> bool:
    return any(mentions(text, subjects) for text in words_of(record))
