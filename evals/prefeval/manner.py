"""What ordinary users' writing is taken for: how many get a register, a language, or a level, and which.

    python -m habitus.evals.prefeval.manner --data longmemeval_s_dev.json.gz

Each history of the file is one user; of repeated messages levels are looked for once. Nothing here is
labelled: the levels are printed with the words that they rest on, to be judged by hand.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer

from habitus.evals.longmemeval.files import Sample, SampleReader
from habitus.memory.known.manner import levels_in, manner_in
from habitus.memory.records import Turn


@dataclass(frozen=True, kw_only=True)
class Inferred:
    """Counts over users.

    Attributes:
        n_users: histories.
        n_messages: distinct messages of users.
        manners: how many users get each statement of register or language.
        levels: every level told, with its quotation.
    """

    n_users: int
    n_messages: int
    manners: dict[str, int]
    levels: list[tuple[str, str]]


def infer(samples: Iterable[Sample]) -> Inferred:
    """Look at every user's writing as the agent does when a session has ended, over all sessions."""
    manners: Counter[str] = Counter()
    levels: list[tuple[str, str]] = []
    seen: set[str] = set()
    n_users = 0
    for sample in samples:
        n_users += 1
        turns = _turns(sample)
        manners.update(found.statement for found in manner_in(turns))
        own = {turn.text: turn for turn in turns if turn.role == "user"}
        fresh = [turn for text, turn in own.items() if text not in seen]
        seen.update(own)
        levels += [(found.statement, found.evidence[0].quote) for found in levels_in(fresh)]
    return Inferred(n_users=n_users, n_messages=len(seen), manners=dict(manners), levels=levels)


def _turns(sample: Sample) -> list[Turn]:
    return [
        Turn(
            id=f"{number}.{index}",
            user_id="user",
            session_id=str(number),
            index=index,
            role=turn.role,
            text=turn.text,
            at=session.at,
        )
        for number, session in enumerate(sample.sessions)
        for index, turn in enumerate(session.turns)
        if turn.text.strip()
    ]


def main(
    data: Annotated[Path, typer.Option(help="LongMemEval-S file.", exists=True, dir_okay=False)],
) -> None:
    """Print what users' writing is taken for, as JSON."""
    with SampleReader(data) as samples:
        found = infer(samples)
    sys.stdout.write(json.dumps(asdict(found), ensure_ascii=False, indent=2) + "\n")


if __name__ == "__main__":
    typer.run(main)
