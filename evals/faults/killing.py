"""Kill a writer at random moments, many times over, and look each time at what it left."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from statistics import median
from time import perf_counter, sleep
from typing import TextIO

from habitus.evals.bench.memories import MadeUp, fill
from habitus.evals.faults.ledger import Ledger, Line, moved_violations, violations
from habitus.evals.faults.places import DIM, open_store, wait_until_gone
from habitus.evals.faults.writer import main
from habitus.evals.running import UsageError
from habitus.memory.storage.relational import EXACT_LIMIT
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
_GOES_ON = ("ingest", "migrate")
"""What the next life takes up again where a kill broke it off."""


@dataclass
class Killed:
    """What many kills left.

    Attributes:
        n_kills: writers that were killed.
        n_done: acknowledged operations by kind.
        n_in_flight: operations that a kill interrupted, by kind.
        n_turns: turns that were acknowledged and not deleted, in the end.
        release_s: seconds until a server had let go of what each writer held.
        opening_s: seconds to open the store after each kill.
        found: what was lost or doubled, with the number of the kill.
    """

    n_kills: int = 0
    n_done: dict[str, int] = field(default_factory=dict)
    n_in_flight: dict[str, int] = field(default_factory=dict)
    n_turns: int = 0
    release_s: list[float] = field(default_factory=list)
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
    opens_within: float | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Killed:
    """Let writers live on one store, one after the other, and kill each with SIGKILL.

    Args:
        place: an empty data folder, or the URL of a PostgreSQL database.
        n_kills: how many.
        seed: of what writers do and when they die.
        n_memories: made-up memories that the store holds before.
        most_lines: bound on a life; each is drawn evenly between 0 and it.
        opens_within: seconds in which the store must open after each kill; None is no bound.
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
        with writer(place, seed, life, exact_limit, unfinished) as (process, output):
            lines = _live_and_die(process, output, chance.randint(0, most_lines), chance.random())
        ledger.read(lines)
        killed.release_s.append(wait_until_gone(place))
        begun = perf_counter()
        with open_store(place, encoder, exact_limit=exact_limit) as store:
            killed.opening_s.append(perf_counter() - begun)
            killed.found += _too_late(life, killed.opening_s[-1], opens_within)
            killed.found += [f"kill {life + 1}: {what}" for what in violations(store, ledger)]
            if lines:  # else it died before it came to what was left for it
                doing = ledger.in_flight
                unfinished = doing if doing is not None and doing["begin"] in _GOES_ON else None
            ledger.settle(store)
            if exact_limit == 0:
                store.flush()
                killed.found += [f"kill {life + 1}, indexed: {what}" for what in violations(store, ledger)]
        if ledger.moved:
            with open_store(place, encoder, exact_limit=exact_limit, moved=True) as target:
                killed.found += [
                    f"kill {life + 1}, moved: {what}" for what in moved_violations(target, ledger)
                ]
        killed.n_kills += 1
        if progress is not None:
            progress(killed.n_kills, n_kills)
    killed.n_done, killed.n_in_flight = ledger.n_done, ledger.n_in_flight
    killed.n_turns = sum(map(len, ledger.turns.values()))
    return killed


def _too_late(life: int, seconds: float, bound: float | None) -> list[str]:
    is_late = bound is not None and seconds > bound
    return [f"kill {life + 1}: opening took {seconds:.1f} s"] if is_late else []


@contextmanager
def writer(
    place: str, seed: int, life: int, exact_limit: int, unfinished: Line | None = None
) -> Iterator[tuple[BaseProcess, TextIO]]:
    """Start a writer, a process of its own, which is killed at the end of the block at the latest.

    Give the process and what it writes, line by line, the first of which is a sign of life. The arguments are
    those of `habitus.evals.faults.writer.main`.
    """
    # Each is forked from a process that has imported everything already, which takes longer than to live.
    processes = get_context("forkserver")
    processes.set_forkserver_preload(["habitus.evals.faults.writer", "typer", "rich.console"])
    receiver, sender = processes.Pipe(duplex=False)
    with receiver, os.fdopen(os.dup(receiver.fileno()), encoding="utf-8") as output:
        with sender:
            order = (sender, place, seed, life, exact_limit, unfinished)
            process = processes.Process(target=main, args=order, daemon=True)
            process.start()
        try:
            yield process, output
        finally:
            process.kill()
            process.join()
            process.close()


def _live_and_die(process: BaseProcess, output: TextIO, n_lines: int, moment: float) -> list[str]:
    """Kill a writer a moment (0..1) after so many lines, and return what it wrote."""
    next(output, None)
    lines = list(islice(output, n_lines))
    sleep(moment * (_LINGERS if n_lines else _OPENING))
    process.kill()
    lines += output
    process.join()
    if process.exitcode != -signal.SIGKILL:
        raise RuntimeError(f"the writer ended by itself with exit code {process.exitcode}; see above")
    return lines
