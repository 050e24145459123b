"""Keeping preferences right over time: merge, supersede, block, hold back, retract. Pure functions.

Latest wins, with history: a preference that contradicts an older one on the same target and scope
supersedes it. A scoped exception ("not in the morning") leaves the general taste alone, what the user
only showed (a choice, a habit) never overrules what they said, and to love peanuts ends no allergy to them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime

import numpy as np

from habitus.memory.extraction import extract
from habitus.memory.extraction.comparisons import rejected_in
from habitus.memory.extraction.complaints import FAVOURITE
from habitus.memory.extraction.outcome import DIET
from habitus.memory.extraction.targets import scope_of
from habitus.memory.index.phrases import vectors_of
from habitus.memory.known.diets import given_up
from habitus.memory.known.drift import current_confidence, last_seen
from habitus.memory.known.enumerations import remaining, without
from habitus.memory.known.health import is_held_by_health, rests_on_health
from habitus.memory.known.lasting import is_over, is_passing
from habitus.memory.known.norms import DEFAULT_NORMS, conflict
from habitus.memory.known.succession import succeeded
from habitus.memory.records import Evidence, Norm, Preference, Stance, Turn
from habitus.retrievers.analysis import analyze
from habitus.retrievers.encoder import Encoder

SAME_TARGET = 0.74
"""Cosine of two targets from which they are one (MiniLM). On 66 hand-made pairs, with `_contrasts`, .74
finds 7 of 10 rewordings and joins none of 36 different ones; .60 joins one in five.
"""
MATCHES = 0.55
PENDING_BELOW = 0.5
NOT_SURE = "not sure enough: waits to be confirmed"
MAX_NEW_VECTORS = 64

_LIVE = ("active", "pending")
_EXPERTISE = "expertise"
"""Topic of how much the user knows about a target, which is no taste for it."""
_EXCLUSIVE_TOPICS = frozenset(
    {"style.length", "style.language", "style.address", "style.units", "style.tone"}
)
_ONLY = re.compile(r"\bonly\b", re.IGNORECASE)
_FUNCTION_WORDS = frozenset(
    analyze(
        "a an the of to in on at for with and or any all that which is are be my i me very really"
        " some most kind type sort using eating wearing watching playing going things stuff"
    )
)


def is_positive(stance: Stance) -> bool | None:
    """Return True for like and require, False for dislike and avoid, None for neutral."""
    return None if stance == "neutral" else stance in ("like", "require")


def merge(
    stored: Sequence[Preference],
    new: Sequence[Preference],
    *,
    encoder: Encoder,
    at: datetime,
    norms: Sequence[Norm] = DEFAULT_NORMS,
) -> tuple[Preference, ...]:
    """Return the records to write: the new preferences, and the stored ones that they change.

    Args:
        stored: what is known, in any order and of any status.
        new: what a turn or a feedback brought, oldest first. One with the id of a stored record is a
            change of that record and is passed on as it is.
        encoder: compares targets that share no words.
        at: now; a superseded record ends here (or where the new one begins, if that is earlier).
        norms: rules that block.
    """
    known = {preference.id: preference for preference in stored}
    written: dict[str, Preference] = {}
    for preference in new:
        if preference.id in known:
            changes = [preference] if preference != known[preference.id] else []
        else:
            changes = _taken_in(list(known.values()), preference, encoder, at, norms)
        for change in changes:
            known[change.id] = written[change.id] = change
    return tuple(written.values())


def _taken_in(
    known: list[Preference], new: Preference, encoder: Encoder, at: datetime, norms: Sequence[Norm]
) -> list[Preference]:
    reason = conflict(new, norms, encoder)
    if reason is not None:
        if any(
            old.status == "blocked" and old.target == new.target and old.stance == new.stance for old in known
        ):
            return []
        return [new.model_copy(update={"status": "blocked", "status_reason": reason})]
    known = [old for old in known if not is_over(old, new.valid_from)]
    if is_passing(new):
        return _taken_for_a_time(known, new, encoder, at)
    return _taken_for_good(known, new, encoder, at)


def _taken_for_good(
    known: list[Preference], new: Preference, encoder: Encoder, at: datetime
) -> list[Preference]:
    overtaken = [*_left_for(known, new, encoder), *_narrowed(known, new), *given_up(known, new, encoder)]
    overtaken += [old for old in _succeeded(known, new, encoder) if old not in overtaken]
    changes = [_superseded(old, new, at) for old in overtaken]
    if changes:
        new = new.model_copy(update={"supersedes": changes[-1].id})
        ended = {old.id for old in changes}
        known = [old for old in known if old.id not in ended]
    for old, left in _among_others(known, new):
        if is_held_by_health(old, new):
            held = f"contradicts what the user said: {old.statement}"
            return [*changes, new.model_copy(update={"status": "pending", "status_reason": held})]
        changes += [_superseded(old, new, at), without(old, left, at=new.valid_from)]
        new = new.model_copy(update={"supersedes": old.id})
    for old in _twins(known, new, encoder):
        if _agree(old, new):
            return [*changes, _strengthened(old, new)]
        unsaid = old.explicit and not new.explicit and old.status == "active"
        if unsaid or is_held_by_health(old, new):
            held = f"contradicts what the user said: {old.statement}"
            waiting = [one for one in known if one.status == "pending" and _says_same(one, new)]
            new = _strengthened(waiting[0], new) if waiting else new
            return [*changes, new.model_copy(update={"status": "pending", "status_reason": held})]
        if new.valid_from < old.valid_from:
            # Old history brought in late: it was true until what is known began.
            return [*changes, new.model_copy(update={"status": "superseded", "valid_to": old.valid_from})]
        changes.append(_superseded(old, new, at))
        new = new.model_copy(update={"supersedes": old.id})
    return [*changes, _admitted(new)]


def _taken_for_a_time(
    known: list[Preference], new: Preference, encoder: Encoder, at: datetime
) -> list[Preference]:
    """Take in what is to hold for a time: only what was for a time itself ends by it."""
    changes: list[Preference] = []
    for old in _twins(known, new, encoder):
        agrees = _agree(old, new)
        if is_passing(old):
            if agrees:
                return [*changes, _strengthened(old, new)]
            changes.append(_superseded(old, new, at))
        elif agrees and not _is_firmer(new, old):
            evidence = united(old.evidence, new.evidence)
            return [*changes, old.model_copy(update={"evidence": evidence, "seen_at": new.learnt_at})]
        elif not agrees and not is_held_by_health(old, new):
            new = new.model_copy(update={"supersedes": old.id})
    return [*changes, _admitted(new)]


def _is_firmer(new: Preference, old: Preference) -> bool:
    """Tell a need from a mere taste for the same."""
    needs = ("require", "avoid")
    return new.stance in needs and old.stance not in needs


def _superseded(old: Preference, new: Preference, at: datetime) -> Preference:
    ends = max(min(at, new.valid_from), old.valid_from)
    return old.model_copy(update={"status": "superseded", "valid_to": ends})


def _among_others(known: Sequence[Preference], new: Preference) -> list[tuple[Preference, str]]:
    """Return enumerations that hold the new target under a contrary stance, and what is left of each."""
    if new.confidence < PENDING_BELOW or new.stance == "neutral":
        return []
    found = []
    for old in known:
        left = remaining(old.target, new.target)
        if (
            left is not None
            and old.status in _LIVE
            and is_positive(old.stance) is (not is_positive(new.stance))
            and (new.explicit or not old.explicit)
            and _same_scope(old.scope, new.scope)
            and old.valid_from <= new.valid_from
        ):
            found.append((old, left))
    return found


def _left_for(known: Sequence[Preference], new: Preference, encoder: Encoder) -> list[Preference]:
    """Return the likings that end because the user puts something else before them, oldest first."""
    if not is_positive(new.stance) or new.confidence < PENDING_BELOW:
        return []
    rejected = rejected_in(new.statement)
    if rejected is None:
        return []
    live = [
        old
        for old in known
        if old.status in _LIVE
        and is_positive(old.stance)
        and not old.topic.startswith("style.")
        and (new.explicit or not old.explicit)
        and _same_scope(old.scope, new.scope)
        and _content(old.target) != _content(new.target)
    ]
    close = _same_targets(rejected, live, encoder)
    found = [old for old, same in zip(live, close, strict=True) if same]
    return sorted(found, key=lambda old: (old.learnt_at, old.id))


def _succeeded(known: Sequence[Preference], new: Preference, encoder: Encoder) -> list[Preference]:
    """Return the choices that the user now makes otherwise."""
    if new.stance != "like" or new.confidence < PENDING_BELOW:
        return []
    live = [
        old
        for old in known
        if old.status in _LIVE
        and old.stance == "like"
        and (new.explicit or not old.explicit)
        and _same_scope(old.scope, new.scope)
        and old.valid_from <= new.valid_from
    ]
    return succeeded(live, new, encoder)


def _narrowed(known: Sequence[Preference], new: Preference) -> list[Preference]:
    """Return the likings that held always and from now on hold "only on weekends"."""
    if new.scope is None or not is_positive(new.stance) or not _ONLY.search(new.statement):
        return []
    return [
        old
        for old in known
        if old.status in _LIVE
        and is_positive(old.stance)
        and old.scope is None
        and (new.explicit or not old.explicit)
        and _content(old.target) == _content(new.target)
    ]


def _is_exclusive(topic: str) -> bool:
    """Tell whether of a topic one preference holds at a time."""
    return topic in _EXCLUSIVE_TOPICS or topic.startswith(f"{FAVOURITE}.") or topic == DIET


def with_confidence(record: Preference, confidence: float, *, unsure: str = NOT_SURE) -> Preference:
    """Return a record that is surer or less sure, and begins to hold or waits where that crosses the line.

    Args:
        record: of any status; only an active one, or one that waits because it was not sure, changes it.
        confidence: 0..1.
        unsure: the reason it waits for, if it does from now on.
    """
    confidence = round(min(max(confidence, 0.0), 1.0), 6)
    status, reason = record.status, record.status_reason
    if status == "active" and confidence < PENDING_BELOW <= record.confidence:
        status, reason = "pending", unsure
    elif status == "pending" and reason == NOT_SURE and confidence >= PENDING_BELOW:
        status, reason = "active", None
    return record.model_copy(update={"confidence": confidence, "status": status, "status_reason": reason})


def _admitted(new: Preference) -> Preference:
    if new.confidence >= PENDING_BELOW or new.status != "active":
        return new
    return new.model_copy(update={"status": "pending", "status_reason": NOT_SURE})


def _agree(old: Preference, new: Preference) -> bool:
    if _is_exclusive(old.topic) and new.topic == old.topic and old.target != new.target:
        return False
    return is_positive(old.stance) == is_positive(new.stance)


def _says_same(old: Preference, new: Preference) -> bool:
    same = old.topic == new.topic and _content(old.target) == _content(new.target)
    return same and _same_scope(old.scope, new.scope) and _agree(old, new)


def _strengthened(old: Preference, new: Preference) -> Preference:
    """Add the evidence of a repeated preference; words and stance are those of the firmer statement."""
    evidence = united(old.evidence, new.evidence)
    confidence, seen_at = old.confidence, old.seen_at
    if len(evidence) > len(old.evidence):
        seen_at = max(last_seen(old), last_seen(new))
        confidence = min(0.99, 1.0 - (1.0 - current_confidence(old, seen_at)) * (1.0 - new.confidence))
    lead = old if _keeps_wording(old, new) else new
    sure = confidence >= PENDING_BELOW
    return old.model_copy(
        update={
            "statement": lead.statement,
            "stance": lead.stance,
            "target": lead.target,
            "scope": lead.scope,
            "strength": max(old.strength, new.strength) if lead is old else lead.strength,
            "explicit": old.explicit or new.explicit,
            "source": lead.source,
            "confidence": confidence,
            "seen_at": seen_at,
            "valid_to": new.valid_to if old.valid_to is not None else None,
            "evidence": evidence,
            "status": "active" if sure else old.status,
            "status_reason": None if sure else old.status_reason,
        }
    )


def _keeps_wording(old: Preference, new: Preference) -> bool:
    if old.explicit != new.explicit:
        return old.explicit
    if _is_firmer(old, new) and new.source != "correction":
        return True  # whoever must have a thing may like it, too
    # A complaint ("that was too long") says less than the wish it repeats.
    return old.topic.startswith("style.") and old.target == new.target and new.strength < old.strength


def united(old: Iterable[Evidence], new: Iterable[Evidence]) -> tuple[Evidence, ...]:
    """Return all evidence, each piece once, the older first."""
    return tuple(dict.fromkeys([*old, *new]))


def _twins(known: Sequence[Preference], new: Preference, encoder: Encoder) -> list[Preference]:
    """Return the live preferences with the same target and scope, those that agree last."""
    live = [
        old
        for old in known
        if old.status in _LIVE and old.topic != _EXPERTISE and _same_scope(old.scope, new.scope)
    ]
    if _is_exclusive(new.topic):
        found = [old for old in live if old.topic == new.topic]
    else:
        close = _same_targets(new.target, live, encoder)
        found = [old for old, same in zip(live, close, strict=True) if same]
    return sorted(found, key=lambda old: (_agree(old, new), old.learnt_at, old.id))


_EXCEPT = re.compile(r"(?:except|unless|until|till|other\s+than|apart\s+from|outside\s+of)\b", re.IGNORECASE)


def _same_scope(one: str | None, other: str | None) -> bool:
    """Compare occasions; what holds always but for an exception is compared as what holds always."""
    one, other = (None if scope is None or _EXCEPT.match(scope) else scope for scope in (one, other))
    if one is None or other is None:
        return one is other
    return _content(one) == _content(other)


def _content(words: str) -> frozenset[str]:
    terms = frozenset(analyze(words))
    return terms - _FUNCTION_WORDS or terms


def _same_targets(target: str, live: Sequence[Preference], encoder: Encoder) -> list[bool]:
    wanted = _content(target)
    same = [_content(old.target) == wanted for old in live]
    if any(same) or not live:
        return same
    # Vectors are cached, but a store just opened has none yet: a turn must not wait for thousands.
    near = sorted(range(len(live)), key=lambda row: live[row].learnt_at, reverse=True)[:MAX_NEW_VECTORS]
    vectors = vectors_of([target, *(live[row].target for row in near)], encoder)
    for row, cosine in zip(near, vectors[1:] @ vectors[0], strict=True):
        same[row] = bool(cosine >= SAME_TARGET) and not _contrasts(wanted, _content(live[row].target))
    return same


_DEGREES = frozenset(
    analyze(
        "not no non without free less low high hot cold loud quiet small large big little short long cheap"
        " expensive early late old new light dark indoor outdoor"
    )
)


def _contrasts(one: frozenset[str], other: frozenset[str]) -> bool:
    """Tell "red wine" from "white wine": small encoders put opposites and sharers of a word side by side."""
    shares_only_part = bool(one & other) and bool(one - other) and bool(other - one)
    return shares_only_part or bool((one ^ other) & _DEGREES)


def matching(stored: Sequence[Preference], words: str, *, encoder: Encoder) -> list[Preference]:
    """Return the live preferences that `words` speak of, best first; words of the user's ("I like jazz")."""
    live = [old for old in stored if old.status in (*_LIVE, "blocked")]
    target, stance = _spoken_of(words)
    scores = likenesses([old.statement for old in live], [old.target for old in live], words, target, encoder)
    ranked = sorted(zip(scores, live, strict=True), key=lambda pair: (-pair[0], pair[1].id))
    fits = [(score, old) for score, old in ranked if score >= MATCHES]
    if stance is not None:
        agreeing = [(score, old) for score, old in fits if is_positive(old.stance) == is_positive(stance)]
        fits = agreeing
    return [old for _, old in fits]


def retract(
    stored: Sequence[Preference], words: str, *, encoder: Encoder, at: datetime
) -> tuple[Preference, ...]:
    """Return the preferences that the user takes back with `words`, changed to `retracted`.

    Only those about the same thing as the best match go, and of these those for the same occasion, if
    there are any: what is kept wrongly is taken back once more, what goes wrongly is lost. Of an
    enumeration, what is not spoken of stays, as a record that supersedes the whole. An allergy goes only
    where its very words are named: almonds are near to peanuts in meaning, and no reason to eat them.
    """
    spoken = _content(_spoken_of(words)[0])
    found = [
        old
        for old in matching(stored, words, encoder=encoder)
        if not rests_on_health(old) or _content(old.target) & spoken
    ]
    if not found:
        return ()
    alike = [old for old in found if _content(old.target) == _content(found[0].target)]
    scope = scope_of(words)
    of_scope = [old for old in alike if _same_scope(old.scope, scope)]
    changes: list[Preference] = []
    for old in of_scope or alike:
        left = remaining(old.target, _spoken_of(words)[0])
        ended = {"valid_to": max(at, old.valid_from), "status_reason": no_longer_true(words)}
        if left is None:
            changes.append(old.model_copy(update={"status": "retracted", **ended}))
        else:
            changes += [old.model_copy(update={"status": "superseded", **ended}), without(old, left, at=at)]
    return tuple(changes)


def no_longer_true(words: str) -> str:
    """Return the reason of a record that the user took back, with the sentence that holds no more."""
    return f"no longer true: “{words}”"


def _spoken_of(words: str) -> tuple[str, Stance | None]:
    moment = datetime.fromisoformat("2000-01-01T00:00:00+00:00")
    turn = Turn(id="words", user_id="user", session_id="words", index=0, role="user", text=words, at=moment)
    told = extract(turn).preferences
    return (told[0].target, told[0].stance) if told else (words, None)


def likenesses(
    statements: Sequence[str], targets: Sequence[str], words: str, target: str, encoder: Encoder
) -> list[float]:
    """Score texts against words, 0..1: the share of the target's stems that both have, or the cosine."""
    if not statements:
        return []
    vectors = vectors_of([words, target], encoder)
    cosines = np.maximum(
        vectors_of(statements, encoder) @ vectors[0], vectors_of(targets, encoder) @ vectors[1]
    )
    wanted = _content(target)
    scores = []
    for cosine, its in zip(cosines, targets, strict=True):
        terms = _content(its)
        overlap = len(terms & wanted) / max(1, min(len(terms), len(wanted)))
        scores.append(max(float(cosine), overlap * 0.95))
    return scores
