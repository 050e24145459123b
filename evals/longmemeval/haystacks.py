"""Larger haystacks than a file has: many filler sessions, or everybody's sessions as one memory.

Fillers are the file's own sessions that are evidence of no question at all. What is under test never sees
an id; here ids and marks of evidence only decide what may be filler.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import zip_longest
from random import Random

from habitus.evals.longmemeval.files import DatasetError, HaystackSession, Sample
from habitus.evals.longmemeval.retrieval import ask_at

_Words = tuple[str, ...]


def select(samples: Iterable[Sample], n: int | None, seed: int = 0) -> list[Sample]:
    """Choose answerable questions evenly over question types; all questions, in their order, if `n` is None.

    Types take turns until `n` are chosen, each in a random order of its own; a type that is used up is
    passed over. The choice for a smaller `n` is the beginning of that for a larger one.
    """
    if n is None:
        return list(samples)
    by_type: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        if not sample.is_abstention:
            by_type[sample.type].append(sample)
    for name, group in by_type.items():
        Random(f"{seed}:{name}").shuffle(group)
    rounds = zip_longest(*(by_type[name] for name in sorted(by_type)))
    return [sample for one in rounds for sample in one if sample is not None][:n]


def fillers(samples: Iterable[Sample]) -> list[HaystackSession]:
    """Return the sessions of all haystacks that are evidence of no question, each text once, sorted by id.

    Args:
        samples: every question of the file, not only those that are asked.
    """
    evidence: set[str] = set()
    found: dict[str, HaystackSession] = {}
    for sample in samples:
        evidence |= sample.evidence_session_ids
        for session in sample.sessions:
            if not any(turn.has_answer for turn in session.turns):
                found.setdefault(session.id, session)
    by_words: dict[_Words, HaystackSession] = {}
    for session_id in sorted(found.keys() - evidence):
        by_words.setdefault(_words(found[session_id]), found[session_id])
    return list(by_words.values())


def enlarge(sample: Sample, pool: Sequence[HaystackSession], n_sessions: int, seed: int = 0) -> Sample:
    """Add fillers until a haystack has `n_sessions`; one that has as many already stays as it is.

    None of them is in the haystack already, by id or by words. Each gets a date of its own, uniform over
    the range that the haystack's own sessions span: their own dates are years away from some questions,
    where a time expression would tell them apart.

    Args:
        sample: the question.
        pool: what `fillers` returns.
        n_sessions: sessions wanted in all.
        seed: the same seed, question and pool give the same haystack.

    Raises:
        DatasetError: there are too few fillers.
    """
    n_missing = n_sessions - len(sample.sessions)
    if n_missing <= 0:
        return sample
    ids = {session.id for session in sample.sessions}
    words = {_words(session) for session in sample.sessions}
    usable = [session for session in pool if session.id not in ids and _words(session) not in words]
    if len(usable) < n_missing:
        raise DatasetError(
            f"question {sample.id!r}: {n_sessions} sessions need {n_missing} fillers, "
            f"but the file has only {len(usable)}; give a smaller --sessions"
        )
    random = Random(f"{seed}:{sample.id}")
    first, last = sample.sessions[0].at, sample.sessions[-1].at
    added = [
        replace(session, at=_between(first, last, random)) for session in random.sample(usable, n_missing)
    ]
    return replace(sample, sessions=_by_date([*sample.sessions, *added]))


def pool(samples: Sequence[Sample]) -> list[Sample]:
    """Return the questions over one common haystack: all their sessions, each once.

    A session keeps its date; one with several dates has that of the question which it is evidence of, else
    the first. Fillers of the same words under several ids count once. Every question is asked when it
    would be over its own haystack, so memory holds sessions that are later than the question.
    """
    evidence: dict[str, HaystackSession] = {}
    others: dict[str, HaystackSession] = {}
    for sample in samples:
        for session in sample.sessions:
            group = evidence if session.id in sample.evidence_session_ids else others
            group.setdefault(session.id, session)
    words = {_words(session) for session in evidence.values()}
    common = list(evidence.values())
    for session_id, session in others.items():
        if session_id not in evidence and _words(session) not in words:
            words.add(_words(session))
            common.append(session)
    sessions = _by_date(common)
    return [replace(sample, at=ask_at(sample), sessions=sessions) for sample in samples]


def _words(session: HaystackSession) -> _Words:
    return tuple(turn.text for turn in session.turns)


def _by_date(sessions: Iterable[HaystackSession]) -> tuple[HaystackSession, ...]:
    return tuple(sorted(sessions, key=lambda session: session.at))


def _between(first: datetime, last: datetime, random: Random) -> datetime:
    minutes = (last - first) // timedelta(minutes=1)
    return first + timedelta(minutes=random.randint(0, minutes))
