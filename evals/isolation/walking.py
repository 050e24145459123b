"""A long random walk of many users through every way to read, write and delete, and what came out wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from pathlib import Path
from random import Random
from threading import Lock
from typing import TYPE_CHECKING

from habitus.evals.isolation.doors import Doors, opened
from habitus.evals.isolation.people import Person, new_secret, people, secrets_in
from habitus.evals.isolation.reads import READS, everything
from habitus.evals.isolation.watching import Lines, Spans, logged
from habitus.evals.isolation.writes import WRITES, delete

if TYPE_CHECKING:
    from habitus.memory.store import MemoryStore

_DELETES = 0.004
_READS_EVERYTHING = 0.01
_READS = 0.45
_LOOKS_EVERY = 50
"""Operations between two looks at the log and the spans."""
_MOST_TOLD = 50
"""Leaks that are kept in words; all are counted."""


@dataclass
class Walk:
    """What a walk saw.

    Attributes:
        n_users: who took part.
        done: operations by name.
        n_chars: of all that came back.
        n_deleted: users that were deleted, each with a secret that must be nowhere any more.
        n_lines, n_spans: of the log and the traces, all looked through.
        n_leaks: words that came out where they must not.
        leaks: the first of them: which operation, who read, whose word it was.
        errors: what operations raised that they should not.
        alive: secrets of those who were not deleted since.
    """

    n_users: int
    done: Counter[str] = field(default_factory=Counter)
    n_chars: int = 0
    n_deleted: int = 0
    n_lines: int = 0
    n_spans: int = 0
    n_leaks: int = 0
    leaks: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    alive: list[str] = field(default_factory=list)

    def add_leak(self, told: str) -> None:
        self.n_leaks += 1
        if self.n_leaks <= _MOST_TOLD:
            self.leaks.append(told)


class Walker:
    """Lets people do things at random and looks at what comes back.

    Args:
        doors: where they go in.
        spans: of this process.
        lines: of its log.
        chance: of which person does what.
    """

    def __init__(self, doors: Doors, spans: Spans, lines: Lines, chance: Random) -> None:
        self._doors, self._spans, self._lines = doors, spans, lines
        self._chance = chance
        self._owner = {person.secret: person.id for person in doors.people}
        self._guard = Lock()
        self.walk = Walk(n_users=len(doors.people))

    def step(self, one: Person, chance: Random) -> None:
        """Let a person do one thing."""
        name, texts = self._act(one, chance)
        allowed, n_chars, found = {one.secret}, 0, list[str]()
        try:
            for text in texts:
                n_chars += len(text)
                # A deletion makes the own secret foreign while it runs.
                found += [secret for secret in secrets_in([text]) if secret not in {*allowed, one.secret}]
        except Exception as error:  # whatever it is, the walk goes on and tells it at its end
            with self._guard:
                self.walk.errors.append(f"{name}: {type(error).__name__}: {error}")
        with self._guard:
            self.walk.done[name] += 1
            self.walk.n_chars += n_chars
            for secret in found:
                self.walk.add_leak(f"{name}: {one.id!r} was given a word of {self._whose(secret)}")

    def _act(self, one: Person, chance: Random) -> tuple[str, Iterable[str]]:
        lot = chance.random()
        if lot < _DELETES:
            return "delete", self._delete(one, chance)
        if lot < _DELETES + _READS_EVERYTHING:
            return "everything at once", everything(self._doors, one, chance)
        table = READS if lot < _READS else WRITES
        name = chance.choice(list(table))
        return name, table[name](self._doors, one, chance)

    def _delete(self, one: Person, chance: Random) -> Iterator[str]:
        with self._guard:
            secret = new_secret(self._chance)
            self._owner[secret] = one.id
            self.walk.n_deleted += 1
        return delete(self._doors, one, chance, secret)

    def look(self) -> None:
        """Look through what the process has told of itself: no user's words may be in it."""
        told = {"log": self._lines.take(), "traces": self._spans.take()}
        told["metrics"] = [self._doors.metrics(self._doors.people[0])]
        with self._guard:
            for name, texts in told.items():
                for secret in secrets_in(texts):
                    self.walk.add_leak(f"{name}: a word of {self._whose(secret)}")
            self.walk.n_lines, self.walk.n_spans = self._lines.n_lines, self._spans.n_spans

    def _whose(self, secret: str) -> str:
        owner = self._owner.get(secret, "nobody")
        alive = any(person.secret == secret for person in self._doors.people)
        return f"{owner!r}" if alive else f"{owner!r} before they were deleted"

    @property
    def dead(self) -> list[str]:
        """The secrets of lives that were deleted."""
        alive = {person.secret for person in self._doors.people}
        return [secret for secret in self._owner if secret not in alive]


def walk_through(
    store: MemoryStore,
    folder: Path,
    *,
    n_operations: int,
    n_users: int,
    seed: int = 0,
    n_threads: int = 1,
    progress: Callable[[int, str], None] | None = None,
) -> tuple[Walk, list[str]]:
    """Walk, and close the store.

    Args:
        store: empty; the agent under test closes it.
        folder: for the server's keys.
        n_operations: steps.
        n_users: people, at least two.
        seed: of everything; with one thread the same seed is the same walk.
        n_threads: people that act at once.
        progress: called with steps just done, and a name for them.

    Returns:
        what was seen, and the secrets of users that were deleted.
    """
    from habitus.agent.agent import Agent
    from habitus.agent.generators.extractive import ExtractiveChat
    from habitus.agent.settings import Settings

    chance = Random(seed)
    crowd, spans = people(n_users, chance), Spans()
    settings = Settings(
        opentelemetry=True, cold_start_questions=2, retention="memorybank", idle_gap=timedelta(seconds=2)
    )
    generator = ExtractiveChat(encoder=store.encoder)
    with (
        logged() as lines,
        Agent(store=store, generator=generator, settings=settings) as agent,
        opened(agent, crowd, folder) as doors,
    ):
        walker = Walker(doors, spans, lines, chance)
        _walk(walker, crowd, n_operations, n_threads, seed, progress)
        agent.settle()
        walker.look()
        walker.walk.alive = [one.secret for one in crowd]
        return walker.walk, walker.dead


def _walk(
    walker: Walker,
    crowd: list[Person],
    n_operations: int,
    n_threads: int,
    seed: int,
    progress: Callable[[int, str], None] | None,
) -> None:
    numbers, report = count(1), progress or (lambda n, name: None)

    def walk(thread: int) -> None:
        # One user's own steps follow each other: what they may see is what they said last.
        mine, chance = crowd[thread::n_threads], Random(f"{seed}.{thread}")
        while (number := next(numbers)) <= n_operations:
            walker.step(chance.choice(mine), chance)
            if number % _LOOKS_EVERY == 0:
                walker.look()
                report(_LOOKS_EVERY, "")

    if n_threads == 1:
        walk(0)
        return
    with ThreadPoolExecutor(n_threads) as pool:
        for done in [pool.submit(walk, thread) for thread in range(n_threads)]:
            done.result()
