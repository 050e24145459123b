"""From beliefs to the preference store: which records of style appear, hold, wait and end.

What the user said stands above what was read off their edits: a belief against it waits as `pending`.
Only edits and choices can overrule words, and only by bearing each other out: three of them against a
standing wish ("always keep it short"), two against a passing one. Ratings never do.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from habitus.memory.extraction.edits import StyleWish
from habitus.memory.extraction.outcome import record_id
from habitus.memory.known.preferences import is_positive
from habitus.memory.learning.beliefs import MAX_SUPPORT, Belief, Beliefs
from habitus.memory.learning.features import TRAITS, Trait, named_traits, rivals
from habitus.memory.learning.inferring import Finding
from habitus.memory.learning.wishes import wishes_in
from habitus.memory.records import EditsHold, Evidence, Feedback, Inferred, Preference, SourceKind
from habitus.retrievers.analysis import FUNCTION_STEMS, analyze

STANDING = 0.9
OVERRULES_STANDING, OVERRULES_PASSING, OVERRULES_WEIGHED = 3, 2, 1
"""How many edits or choices overrule a wish; the last where the log holds the wish itself, which took
edits to outweigh."""
NOT_BORNE_OUT = "later feedback did not bear it out"
UNDONE = "the feedback it came from was taken back"
SHOWN_ONCE = "shown once; another edit has to bear it out"
SHOWN_THERE = "holds for requests like those that it was shown on"
VERIFIED = 2
"""Edits or choices that bear each other out."""
INFERRED = {"form": "style.inferred", "content": "taste.inferred"}
"""Topics of what a chat model inferred from edits."""
_LIVE = ("active", "pending")


@dataclass(frozen=True)
class _Wish:
    record: Preference
    traits: frozenset[str]
    """Empty for length, and for what a chat model inferred."""
    n_shown: int
    since: datetime
    is_inferred: bool = False


def reconcile(
    user_id: str,
    beliefs: Beliefs,
    stored: Sequence[Preference],
    *,
    log_ids: Collection[str],
    at: datetime,
    edits: EditsHold = "everywhere",
) -> tuple[Preference, ...]:
    """Return the records to write so that the store says what is believed.

    Args:
        user_id: whose.
        beliefs: see `believe`.
        stored: the user's preferences, of any status.
        log_ids: ids of the feedback that the beliefs were made from.
        at: now; what no longer holds ends here.
        edits: where that holds which edits and choices show.
    """
    known = {preference.id: preference for preference in stored}
    said = [p for p in stored if p.explicit and p.status in _LIVE and _is_style(p) and p.scope is None]
    written: dict[str, Preference] = {}
    desired: set[str] = set()
    for wish in _wishes(user_id, beliefs):
        record, overruled = (
            (_beside_words(wish, said), []) if wish.is_inferred else _beside(wish, said, log_ids)
        )
        if record is None:
            continue
        waits_for = waits_for_more(wish.record, wish.n_shown, edits)
        if waits_for is not None and record.status == "active":
            record, overruled = _waiting(record, waits_for), []
        for old in overruled:
            written[old.id] = _ended(old, at, f"edits since show another taste: {record.statement}")
        desired.add(record.id)
        stands = known.get(record.id)
        if stands is None or _may_replace(stands, record):
            if stands is not None and record.supersedes is None:
                record = record.model_copy(update={"supersedes": stands.supersedes})
            if record != stands:
                written[record.id] = record
    for old in stored:
        if is_learnt(old) and old.status in _LIVE and old.id not in desired:
            written[old.id] = _ended(old, at, NOT_BORNE_OUT)
    return tuple(written.values())


def waits_for_more(record: Preference, n_shown: int, edits: EditsHold) -> str | None:
    """Return why what edits or choices showed does not hold for all requests yet; None if it does.

    Args:
        record: what is believed.
        n_shown: edits and choices that bear it out.
        edits: where that holds which they show.
    """
    if record.source not in ("edit", "choice") or edits == "everywhere":
        return None
    if edits == "nearest":
        return SHOWN_THERE
    return SHOWN_ONCE if n_shown < VERIFIED else None


def _waiting(record: Preference, reason: str) -> Preference:
    return record.model_copy(update={"status": "pending", "status_reason": reason, "supersedes": None})


def wishes_of(user_id: str, beliefs: Beliefs) -> list[tuple[Preference, int]]:
    """Return what is believed as preferences, each with the number of edits and choices that bear it out."""
    return [(wish.record, wish.n_shown) for wish in _wishes(user_id, beliefs)]


def is_learnt(preference: Preference) -> bool:
    """Tell whether a preference was read off feedback, by rules or a chat model, rather than said."""
    shown = preference.source in ("edit", "choice", "rating", "correction")
    of_feedback = _is_style(preference) or preference.topic in INFERRED.values()
    return of_feedback and not preference.explicit and shown


def _is_style(preference: Preference) -> bool:
    return preference.topic.startswith("style.")


def _wishes(user_id: str, beliefs: Beliefs) -> Iterable[_Wish]:
    length = beliefs.length
    if length.words is not None and length.since is not None:
        record = _record(
            user_id,
            name=f"length:{length.target}",
            statement=length.statement,
            topic="style.length",
            target=length.target,
            wanted=True,
            source=length.source,
            score=1.0 if length.n_shown < 2 else 1.5,
            since=length.since,
            support=length.support,
            seen_at=length.seen_at,
        )
        yield _Wish(record, frozenset(), length.n_shown, length.since)
    held = beliefs.held()
    for name, belief in held.items():
        trait = TRAITS[name]
        if belief.since is not None and not _is_outdone(trait, belief, held):
            record = _record(
                user_id,
                name=name,
                statement=trait.statement(wanted=belief.wanted),
                topic=trait.topic,
                target=trait.target.lower() if trait.topic != "style.language" else trait.target,
                wanted=belief.wanted,
                source=belief.source,
                score=abs(belief.score),
                since=belief.since,
                support=belief.support,
                seen_at=belief.seen_at,
            )
            yield _Wish(record, frozenset((name,)), belief.n_shown, belief.since)
    for finding in beliefs.inferred:
        if not _is_said_by_rules(finding.statement, beliefs):
            yield _Wish(
                _inferred(user_id, finding), frozenset(), finding.n_shown, finding.since, is_inferred=True
            )


def as_preference(given: Feedback, inferred: Inferred) -> Preference:
    """Return what one edit was found to show as the preference that it would be."""
    shown = ((given.id, inferred.quote),)
    return _inferred(
        given.user_id,
        Finding(
            statement=inferred.statement,
            about=inferred.about,
            score=0.5,
            since=given.at,
            support=shown,
            n_shown=1,
            seen_at=given.at,
        ),
    )


def _inferred(user_id: str, finding: Finding) -> Preference:
    return Preference(
        id=record_id(user_id, "inferred", finding.statement.lower(), finding.since.isoformat()),
        user_id=user_id,
        statement=finding.statement,
        topic=INFERRED[finding.about],
        target=finding.statement.lower().rstrip("."),
        stance="like",
        strength=0.6,
        explicit=False,
        source="edit",
        confidence=round(min(0.95, 0.35 + 0.3 * finding.score), 3),
        evidence=tuple(Evidence(turn_id=one, quote=quote) for one, quote in finding.support),
        valid_from=finding.since,
        learnt_at=finding.since,
        seen_at=finding.seen_at,
    )


def _is_said_by_rules(statement: str, beliefs: Beliefs) -> bool:
    """Tell whether a statement says no more than what the rules hold: "I want bullet points."."""
    named = [
        (trait, is_positive(wish.stance) is True)
        for wish in wishes_in(statement)
        for trait in named_traits(wish.topic, wish.target)
    ]
    held = beliefs.held()
    if not named or any(
        trait.name not in held or held[trait.name].wanted != wanted for trait, wanted in named
    ):
        return False
    told = " ".join(word for trait, _ in named for word in (trait.target, *trait.aliases))
    return frozenset(analyze(statement)) - FUNCTION_STEMS <= frozenset(analyze(told)) | _FRAME


_FRAME = frozenset(
    analyze("want wants prefer like need use used replies reply answers please no not without")
)


def _beside_words(wish: _Wish, said: Sequence[Preference]) -> Preference:
    """Return what a chat model inferred: it waits where it goes against what was said."""
    for one in wishes_in(wish.record.statement):
        for words in said:
            if words.topic == one.topic and _clash(one, words):
                held = f"contradicts what the user said: {words.statement}"
                return wish.record.model_copy(update={"status": "pending", "status_reason": held})
    return wish.record


def _clash(one: StyleWish, words: Preference) -> bool:
    same_way = is_positive(one.stance) == is_positive(words.stance)
    if one.topic == "style.length":
        return (("short" in one.target) == ("short" in words.target)) != same_way
    named = {trait.name for trait in named_traits(one.topic, one.target)}
    return not same_way and any(t.name in named for t in named_traits(words.topic, words.target))


def _is_outdone(trait: Trait, belief: Belief, held: dict[str, Belief]) -> bool:
    """Tell whether another tone or language says it already: wanted formal, casual need not be forbidden."""
    others = [held[rival.name] for rival in rivals(trait) if rival.name in held]
    if belief.wanted:
        return any(other.wanted and other.score > belief.score for other in others)
    return trait.topic == "style.language" or any(other.wanted for other in others)


def _record(
    user_id: str,
    *,
    name: str,
    statement: str,
    topic: str,
    target: str,
    wanted: bool,
    source: SourceKind,
    score: float,
    since: datetime,
    support: Sequence[str],
    seen_at: datetime | None,
) -> Preference:
    return Preference(
        id=record_id(user_id, "learnt", name, str(wanted), since.isoformat()),
        user_id=user_id,
        statement=statement,
        topic=topic,
        target=target,
        stance="require" if wanted else "avoid",
        strength=0.6,
        explicit=False,
        source=source,
        confidence=round(min(0.95, 0.35 + 0.3 * score), 3),
        evidence=tuple(Evidence(turn_id=one, quote="") for one in support[-MAX_SUPPORT:]),
        valid_from=since,
        learnt_at=since,
        seen_at=seen_at,
    )


def _beside(
    wish: _Wish, said: Sequence[Preference], log_ids: Collection[str]
) -> tuple[Preference | None, list[Preference]]:
    """Weigh a wish against what was said: the record to keep, if any, and the words that it overrules."""
    same = [p for p in said if _speaks_of(p, wish)]
    against = [p for p in same if not _agrees(p, wish)]
    if not against:
        # Length tells a number besides; the rest would only say it twice.
        return (None if same and wish.traits else wish.record), []
    if wish.record.source != "rating" and all(_overrules(wish, p, log_ids) for p in against):
        return wish.record.model_copy(update={"supersedes": against[-1].id}), against
    held = f"contradicts what the user said: {against[-1].statement}"
    return wish.record.model_copy(update={"status": "pending", "status_reason": held}), []


def _speaks_of(preference: Preference, wish: _Wish) -> bool:
    if not wish.traits:
        return preference.topic == "style.length"
    named = {trait.name for trait in named_traits(preference.topic, preference.target)}
    if named & wish.traits:
        return True
    # Formal against casual, one language against another.
    return any(rival.name in named for name in wish.traits for rival in rivals(TRAITS[name]))


def _agrees(preference: Preference, wish: _Wish) -> bool:
    positive = is_positive(preference.stance) is True
    if not wish.traits:
        return ("short" in preference.target) == ("short" in wish.record.target) or not positive
    named = {trait.name for trait in named_traits(preference.topic, preference.target)}
    wanted = wish.record.stance == "require"
    return (positive == wanted) if named & wish.traits else (positive != wanted)


def _overrules(wish: _Wish, said: Preference, log_ids: Collection[str]) -> bool:
    if said.learnt_at > wish.since:
        return False
    if any(evidence.turn_id in log_ids for evidence in said.evidence):
        needed = OVERRULES_WEIGHED
    else:
        needed = OVERRULES_STANDING if said.strength >= STANDING else OVERRULES_PASSING
    return wish.n_shown >= needed


def _may_replace(old: Preference, new: Preference) -> bool:
    """Leave alone what the user confirmed or took back by hand or in words since."""
    if old.explicit or (old.status == "retracted" and old.status_reason != UNDONE):
        return False
    return not (old.status == "superseded" and new.status == "pending")


def _ended(old: Preference, at: datetime, reason: str) -> Preference:
    ends = max(at, old.valid_from)
    return old.model_copy(update={"status": "superseded", "valid_to": ends, "status_reason": reason})
