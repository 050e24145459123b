"""Kill a writer at random moments, many times over, and look each time at what it left."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from statistics import median
from time import perf_counter, sleep

from habitus.evals.bench.memories import MadeUp, fill
from habitus.evals.faults.ledger import Ledger, Line, violations
from habitus.evals.faults.places import DIM, open_store
from habitus.evals.running import UsageError
from habitus.memory.relational import EXACT_LIMIT
from habitus.retrievers.encoder import HashingEncoder

MOST_LINES = 60
"""A life ends after so many lines of its writer at most, two for each operation: counted, not timed, so that
a slow machine gets as much done."""
_LINGERS = 0.03
"""Seconds at most from that line to the kill, which falls anywhere in what comes next."""
_OPENING = 0.5
"""The same where no line is waited for, and the store may not be open yet."""
_WIDE_EVERY = 5
"""One life in so many searches and writes through the derived indexes."""


@dataclass
class Killed:
    """What many kills left.

    Attributes:
        n_kills: writers that were killed.
        n_done: acknowledged operations by kind.
        n_in_flight: operations that a kill interrupted, by kind.
        n_turns: turns that were acknowledged and not deleted, in the end.
        opening_s: seconds to open the store after each kill.
        found: what was lost or doubled, with the number of the kill.
    """

    n_kills: int = 0
    n_done: dict[str, int] = field(default_factory=dict)
    n_in_flight: dict[str, int] = field(default_factory=dict)
    n_turns: int = 0
    opening_s: list[float] = field(default_factory=list)
    found: list[str] = field(default_factory=list)

    @property
    def opening(self) -> tuple[float, float]:
        """Median and longest opening, in seconds."""
        return median(self.opening_s), max(self.opening_s)


def kill(
    place: str,
    n_kills: int,
    *,
    seed: int = 0,
    n_memories: int = 0,
    most_lines: int = MOST_LINES,
    progress: Callable[[int, int], None] | None = None,
) -> Killed:
    """Let writers live on one store, one after the other, and kill each with SIGKILL.

    Args:
        place: an empty data folder or database.
        n_kills: how many.
        seed: of what writers do and when they die.
        n_memories: made-up memories that the store holds before.
        most_lines: bound on a life; each is drawn evenly between 0 and it.
        progress: called with (kills, all kills).
    """
    chance, encoder = random.Random(seed), HashingEncoder(DIM)
    ledger, killed = Ledger(), Killed()
    with open_store(place, encoder, exact_limit=EXACT_LIMIT) as store:
        if store.users():
            raise UsageError("the store holds users already: faults are tried on an empty one only")
        if n_memories:
            fill(store, MadeUp(DIM, seed), "crowd", 0, n_memories)
            ledger.turns["crowd"] = {turn.id: turn.text for turn in store.turns("crowd")}
    unfinished: Line | None = None
    for life in range(n_kills):
        exact_limit = 0 if life % _WIDE_EVERY == _WIDE_EVERY - 1 else EXACT_LIMIT
        order = [place, str(seed), str(life), str(exact_limit)]
        if unfinished is not None:
            order.append(json.dumps(unfinished))
        lines = _live_and_die(order, chance.randint(0, most_lines), chance.random())
        ledger.read(lines)
        begun = perf_counter()
        with open_store(place, encoder, exact_limit=exact_limit) as store:
            killed.opening_s.append(perf_counter() - begun)
            killed.found += [f"kill {life + 1}: {what}" for what in violations(store, ledger)]
            if lines:  # else it died before it came to what was left for it
                doing = ledger.in_flight
                unfinished = doing if doing is not None and doing["begin"] == "ingest" else None
            ledger.settle(store)
            if exact_limit == 0:
                store.flush()
                killed.found += [f"kill {life + 1}, indexed: {what}" for what in violations(store, ledger)]
        killed.n_kills += 1
        if progress is not None:
            progress(killed.n_kills, n_kills)
    killed.n_done, killed.n_in_flight = ledger.n_done, ledger.n_in_flight
    killed.n_turns = sum(map(len, ledger.turns.values()))
    return killed


def start_writer(order: Sequence[str]) -> tuple[subprocess.Popen[str], Iterator[str]]:
    """Start a writer; return it and what it prints, line by line, the first of which is a sign of life."""
    process = subprocess.Popen(
        [sys.executable, "-m", "habitus.evals.faults.writer", *order], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, process.stdout


def _live_and_die(order: Sequence[str], n_lines: int, moment: float) -> list[str]:
    """Run a writer, kill it a moment (0..1) after so many lines, and return what it printed."""
    process, output = start_writer(order)
    with process:
        next(output, None)
        lines = list(islice(output, n_lines))
        sleep(moment * (_LINGERS if n_lines else _OPENING))
        process.send_signal(signal.SIGKILL)
        lines += output
    if process.returncode != -signal.SIGKILL:
        raise RuntimeError(f"the writer ended by itself with exit code {process.returncode}; see above")
    return lines
