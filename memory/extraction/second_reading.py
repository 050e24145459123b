"""Two readers of one turn: what the rules found, and what a chat model found in it.

The rules' reading stands; a model's can confirm it, throw doubt on it, or add to it.

- Both found it: the record stays as the rules wrote it, and is surer. Readers err independently, so the
  odds of the record are multiplied by those of a model's checked reading, `ODDS` (naive Bayes).
- They differ in stance: the record keeps the rules' stance, and its odds are divided by `ODDS`; below
  `PENDING_BELOW` it waits to be confirmed. The model's reading is not stored: a contradiction side by
  side helps nobody.
- Only the model found it: it is added, less sure than the rules' records. Where that would end something
  that the user said before, it is stored as pending instead: a model alone overrules nobody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

from habitus.memory.extraction import Extraction
from habitus.memory.extraction.by_model import ModelReading
from habitus.memory.extraction.by_model.words import stems
from habitus.memory.known.facts import merge_facts, retract_facts
from habitus.memory.known.knowledge import Knowledge
from habitus.memory.known.preferences import is_positive, retract, with_confidence
from habitus.memory.records import Evidence, Fact, Preference, Turn

ODDS = 3.0
"""A model's reading that passed the checks is taken to be right three times out of four: an assumption."""
SUREST = 0.99
HELD = "only a model read this, and it contradicts what the user said"
DOUBTED = "a second reading took it the other way: waits to be confirmed"

Record = TypeVar("Record", Preference, Fact)

_LIVE = ("active", "pending")


def confirmed(confidence: float) -> float:
    """Return the confidence in what a second reader found too: odds times `ODDS`, up to `SUREST`."""
    return max(confidence, min(SUREST, _scaled(confidence, ODDS)))


def doubted(confidence: float) -> float:
    """Return the confidence in what a second reader took the other way: odds divided by `ODDS`."""
    return _scaled(confidence, 1.0 / ODDS)


def _scaled(confidence: float, factor: float) -> float:
    return round(factor * confidence / (factor * confidence + 1.0 - confidence), 4)


def reconcile(
    known: Knowledge,
    turn: Turn,
    rules: Extraction,
    reading: ModelReading,
    *,
    at: datetime,
) -> Counter[str]:
    """Bring what is known up to date with a model's reading of a turn that the rules have read.

    Args:
        known: holds what the rules found in the turn; later turns may have been learnt since.
        turn: what was read.
        rules: what the rules found in it.
        reading: what the model found in it.
        at: now.

    Returns:
        how many readings were `confirmed`, `doubted`, `added` and `held` back.
    """
    counts: Counter[str] = Counter()
    for preference in reading.preferences:
        first = _first_reading(preference, rules.preferences, turn)
        if first is not None:
            agrees = is_positive(first.stance) == is_positive(preference.stance)
            known.put(preferences=_weighed(known.preferences, first, agrees=agrees))
            counts["confirmed" if agrees else "doubted"] += 1
        else:
            _add(known, _learnt(preference, at), at, counts)
    for fact in reading.facts:
        if any(_same_fact(fact, told) for told in rules.facts):
            known.put(facts=_sure(known.facts, fact))
            counts["confirmed"] += 1
        else:
            _add_fact(known, _learnt(fact, at), at, counts)
    for words in rules.retractions:
        # What was added late may have been taken back by this turn, before it was known.
        late = [p for p in known.preferences if p.valid_from < turn.at < p.learnt_at]
        known.put(preferences=retract(late, words, encoder=known.encoder, at=turn.at))
        late_facts = [f for f in known.facts if f.valid_from < turn.at < f.learnt_at]
        known.put(facts=retract_facts(late_facts, words, encoder=known.encoder, at=turn.at))
    return counts


def _learnt(record: Record, at: datetime) -> Record:
    return record.model_copy(update={"learnt_at": max(record.valid_from, at)})


def _first_reading(second: Preference, first: Sequence[Preference], turn: Turn) -> Preference | None:
    """Return what the rules found in the same words about the same thing, first what agrees."""
    same = [
        one
        for one in first
        if _overlap(one.evidence, second.evidence, turn.text)
        and _is_same_target(one, second)
        and (one.scope is None or second.scope is None or stems(one.scope) & stems(second.scope))
    ]
    agreeing = [one for one in same if is_positive(one.stance) == is_positive(second.stance)]
    return next(iter(agreeing or same), None)


def _overlap(one: Sequence[Evidence], other: Sequence[Evidence], text: str) -> bool:
    spans = [
        [(start, start + len(e.quote)) for e in some if (start := text.find(e.quote)) >= 0]
        for some in (one, other)
    ]
    return any(begin < stop and start < end for begin, end in spans[0] for start, stop in spans[1])


def _is_same_target(one: Preference, other: Preference) -> bool:
    if one.topic.startswith("style.") and other.topic.startswith("style."):
        return True
    first, second = stems(one.target), stems(other.target)
    return first <= second or second <= first or 2 * len(first & second) >= len(first | second)


def _weighed(known: Sequence[Preference], first: Preference, *, agrees: bool) -> list[Preference]:
    """Return the live records that the rules' reading went into, surer or less sure."""
    return [
        _surer(record) if agrees else _less_sure(record)
        for record in known
        if record.status in _LIVE
        and (record.id == first.id or set(first.evidence) & set(record.evidence))
        and is_positive(record.stance) == is_positive(first.stance)
        and _is_same_target(record, first)
    ]


def _surer(record: Preference) -> Preference:
    return with_confidence(record, confirmed(record.confidence))


def _less_sure(record: Preference) -> Preference:
    return with_confidence(record, doubted(record.confidence), unsure=DOUBTED)


def _add(known: Knowledge, new: Preference, at: datetime, counts: Counter[str]) -> None:
    before = {record.id: record for record in known.preferences}
    changes = known.merged([new], at)
    ended = [before[one.id] for one in changes if one.id in before and one.status == "superseded"]
    overruled = [old for old in ended if old.explicit and old.status == "active"]
    if overruled:
        held = f"{HELD}: {overruled[0].statement}"
        known.put(preferences=[_held(known, new, held)])
        counts["held"] += 1
        return
    known.put(preferences=[_in_old_words(before.get(change.id), change) for change in changes])
    counts["added"] += 1


def _held(known: Knowledge, new: Preference, reason: str) -> Preference:
    """Return the record that waits: the new one, or one that waits for the same already."""
    for old in known.preferences:
        if old.status == "pending" and (old.status_reason, old.target, old.stance) == (
            reason,
            new.target,
            new.stance,
        ):
            return old.model_copy(update={"evidence": tuple(dict.fromkeys([*old.evidence, *new.evidence]))})
    return new.model_copy(update={"status": "pending", "status_reason": reason})


def _in_old_words(old: Preference | None, change: Preference) -> Preference:
    """Of a record that a model's reading repeats, keep wording and stance: it only gains evidence."""
    if old is None or change.status == "superseded":
        return change
    gained = ("evidence", "confidence", "status", "status_reason")
    return old.model_copy(update={name: getattr(change, name) for name in gained})


def _same_fact(one: Fact, other: Fact) -> bool:
    """Compare by subject and value: what the rules call an event a model may call something else."""
    same_value = stems(one.value) <= stems(other.value) or stems(other.value) <= stems(one.value)
    return one.subject == other.subject and same_value


def _sure(known: Sequence[Fact], second: Fact) -> list[Fact]:
    return [
        fact.model_copy(update={"confidence": confirmed(fact.confidence)})
        for fact in known
        if fact.status == "active"
        and _same_fact(fact, second)
        and {e.turn_id for e in fact.evidence} & {e.turn_id for e in second.evidence}
    ]


def _add_fact(known: Knowledge, new: Fact, at: datetime, counts: Counter[str]) -> None:
    if any(
        _same_fact(new, old) and old.attribute == new.attribute
        for old in known.facts
        if old.status == "pending"
    ):
        return
    before = {fact.id for fact in known.facts}
    changes = merge_facts(known.facts, [new], at=at)
    ended = [change for change in changes if change.id in before and change.status == "superseded"]
    if ended:
        held = f"{HELD}: {ended[0].statement}"
        known.put(facts=[new.model_copy(update={"status": "pending", "status_reason": held})])
        counts["held"] += 1
        return
    known.put(facts=changes)
    counts["added"] += 1
