"""What a chat model inferred from edits: a fold over the log, verified by the edits that follow (PROSE).

| an edit | the finding's score moves by |
| --- | --- |
| shows it for the first time | to `HELD`: it is acted on at once |
| shows it again, or keeps to it | 0.25 up, to `FIRM` at most |
| goes against it | 0.6 down |

Below `HELD` it is dropped. So one edit against a finding that nothing bore out ends it, and two end any.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from habitus.memory.learning.log import Given

HELD, FIRM = 0.5, 1.5
BORNE_OUT, AGAINST = 0.25, 0.6
MAX_SUPPORT = 5


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something inferred that holds.

    Attributes:
        statement: in one sentence of the first person.
        score: 0.5 to 1.5.
        since: when it was first shown.
        support: ids of the feedback that shows it, latest last, each with its quotation; few.
        n_shown: edits that show it or keep to it.
        seen_at: when one last did.
    """

    statement: str
    about: Literal["form", "content"]
    score: float
    since: datetime
    support: tuple[tuple[str, str], ...]
    n_shown: int
    seen_at: datetime


def findings(log: Sequence[Given]) -> list[Finding]:
    """Return what holds after a log, the surest first.

    Args:
        log: what counts, oldest first, see `counted`.
    """
    held: dict[str, Finding] = {}
    for given in log:
        reading = given.feedback.reading
        if reading is None:
            continue
        for statement in reading.borne_out:
            _more(held, statement, given)
        for statement in reading.contradicted:
            _less(held, statement)
        for one in reading.inferred:
            if not _more(held, one.statement, given, one.quote):
                held[one.statement.lower()] = Finding(
                    statement=one.statement,
                    about=one.about,
                    score=HELD,
                    since=given.at,
                    support=((given.id, one.quote),),
                    n_shown=1,
                    seen_at=given.at,
                )
    return sorted(held.values(), key=lambda found: (-found.score, found.since, found.statement))


def _more(held: dict[str, Finding], statement: str, given: Given, quote: str = "") -> bool:
    found = held.get(statement.lower())
    if found is None:
        return False
    held[statement.lower()] = replace(
        found,
        score=min(FIRM, found.score + BORNE_OUT),
        support=(*found.support, (given.id, quote))[-MAX_SUPPORT:],
        n_shown=found.n_shown + 1,
        seen_at=given.at,
    )
    return True


def _less(held: dict[str, Finding], statement: str) -> None:
    found = held.get(statement.lower())
    if found is None:
        return
    score = found.score - AGAINST
    if score < HELD - 1e-9:
        del held[statement.lower()]
    else:
        held[statement.lower()] = replace(found, score=score)
