"""`habitus bench soak`: hours of mixed work through one agent; memory and file handles must stay flat.

Caches are bounded, but it takes time until they are full: what memory is held is compared from when the
warm-up has ended. A line for every few seconds is written as it goes.
"""

from __future__ import annotations

import json
import os
import platform
import tempfile
import threading
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from habitus.evals.bench.clock import load, resident_mb
from habitus.evals.bench.memories import START, MadeUp, fill
from habitus.evals.bench.plots import PlotError, check_png_plot, png_over_time
from habitus.evals.bench.soak_users import KINDS, Users
from habitus.evals.running import UsageError

if TYPE_CHECKING:
    from habitus.agent.agent import Agent
    from habitus.memory.records import Feedback, Preference

SAMPLES_FILE = "soak.jsonl"
MAX_GROWTH = 0.05
MAX_MORE_HANDLES = 8
"""Connections of readers come and go; a leak is more than their pool holds."""

_TALKING = 1_000
"""Users whose last session is in memory when it begins."""

_PHRASES_AT_ONCE = 500
_PHRASES_PER_USER = 10
_RECORDS_PER_USER = 4

_COMPARED = 0.1
"""Of the time after the warm-up: memory at its beginning and at its end is the median over so much of it."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How long, and how much.

    Attributes:
        seconds: after the warm-up.
        warm_up_seconds: of the same work, before memory counts.
        users: each talks with one thread alone.
        threads: that talk at once, without a pause.
        history: messages that every user has before it begins.
        every: seconds between two samples.
        seed: of everything.
    """

    seconds: float = 1_800.0
    warm_up_seconds: float = 600.0
    users: int = 5_000
    threads: int = 4
    history: int = 30
    every: float = 5.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("seconds", "users", "threads", "every"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be more than 0, got {getattr(self, name)!r}")
        for name in ("warm_up_seconds", "history"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} must be 0 or more, got {getattr(self, name)!r}")


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One look at the process.

    Attributes:
        at: seconds since the warm-up ended, negative before.
        n: operations since the beginning, the warm-up's too.
        resident_mb: memory held, with the pages of files that are mapped.
        handles: open files and sockets.
        threads: alive.
        load: of the machine.
    """

    at: float
    n: int
    resident_mb: float
    handles: int
    threads: int
    load: float


def run(agent: Agent, plan: Plan, samples_file: Path) -> dict[str, Any]:
    """Soak an agent and return what came of it; `broken` names what must not be.

    Raises:
        UsageError: somebody's memory is stored there already.
    """
    if agent.store.users():
        # Their messages would be counted as its own, and may be somebody's.
        raise UsageError(
            "somebody's memory is stored there already: give an empty database, or drop what an earlier soak"
            " left (DROP SCHEMA habitus CASCADE)"
        )
    made_up = MadeUp(agent.store.encoder.dim, plan.seed)
    names = [f"user{number}" for number in range(plan.users)]
    for name in names:
        fill(agent.store, made_up, name, 0, plan.history)
    # What made it would count as memory of the agent.
    del made_up
    groups = [names[place :: plan.threads] for place in range(min(plan.threads, plan.users))]
    users = [Users(agent, group, plan.history, plan.seed + place) for place, group in enumerate(groups)]
    _fill_caches(agent, names)
    samples = _soaked(users, plan, samples_file)
    agent.settle()
    return _report(agent, plan, users, samples)


def _fill_caches(agent: Agent, names: Sequence[str]) -> None:
    """Have everybody, phrases and records in memory once: in the work itself caches take hours to fill."""
    from habitus.memory.index.phrases import MAX_CACHED_VECTORS, vectors_of
    from habitus.memory.records import Feedback, Preference
    from habitus.memory.storage.reading import MAX_PARSED, parsed

    for number in range(min(_RECORDS_PER_USER * len(names), MAX_PARSED)):
        preference, feedback = _records(number)
        parsed(Preference, preference.model_dump_json())
        parsed(Feedback, feedback.model_dump_json())
    phrases = [
        f"phrase {number}" for number in range(min(_PHRASES_PER_USER * len(names), MAX_CACHED_VECTORS))
    ]
    for first in range(0, len(phrases), _PHRASES_AT_ONCE):
        vectors_of(phrases[first : first + _PHRASES_AT_ONCE], agent.store.encoder)
    for name in names:
        agent.recall(name, "What did I say last?", at=START)
    for name in names[-_TALKING:]:
        # The session that they were in last; nothing is written.
        session = agent.store.sessions(name)[-1:]
        agent.prepare(name, "Go on.", session_id=session[0].id if session else None, at=START)


def _records(number: int) -> tuple[Preference, Feedback]:
    """Return records like those that come of a turn, not stored."""
    from habitus.memory.records import Evidence, Feedback, Preference, new_id

    said = f"I love thrillers from place number {number}."
    preference = Preference(
        user_id=f"user{number}",
        statement=said,
        topic="general",
        target=f"thrillers from place number {number}",
        stance="like",
        evidence=(Evidence(turn_id=new_id(), quote=said),),
        valid_from=START,
        learnt_at=START,
    )
    feedback = Feedback(user_id=f"user{number}", turn_id=new_id(), at=START, rating=1.0, request_id=new_id())
    return preference, feedback


def _soaked(users: Sequence[Users], plan: Plan, samples_file: Path) -> list[Sample]:
    begun = monotonic() + plan.warm_up_seconds
    stop = threading.Event()

    def work(own: Users) -> None:
        while not stop.is_set():
            own.act()

    samples: list[Sample] = []
    with (
        samples_file.open("w", encoding="utf-8") as lines,
        ThreadPoolExecutor(len(users), thread_name_prefix="soak") as pool,
        ExitStack() as last,
    ):
        last.callback(stop.set)
        working = [pool.submit(work, own) for own in users]
        while (at := monotonic() - begun) < plan.seconds:
            samples.append(_sample(at, users))
            lines.write(json.dumps(asdict(samples[-1])) + "\n")
            lines.flush()
            # A thread that died of itself would look like an agent that got faster.
            if any(one.done() for one in working):
                break
            stop.wait(min(plan.every, plan.seconds - at))
        stop.set()
        for one in working:
            one.result()
        samples.append(_sample(monotonic() - begun, users))
        lines.write(json.dumps(asdict(samples[-1])) + "\n")
    return samples


def _sample(at: float, users: Sequence[Users]) -> Sample:
    return Sample(
        at=round(at, 1),
        n=sum(own.tally.n for own in users),
        resident_mb=round(resident_mb(), 1),
        handles=n_handles(),
        threads=threading.active_count(),
        load=round(load(), 1),
    )


def n_handles() -> int:
    """Return how many files and sockets the process holds open; 0 where the system does not tell."""
    for folder in ("/proc/self/fd", "/dev/fd"):
        if os.path.isdir(folder):
            return len(os.listdir(folder))
    return 0


def _report(agent: Agent, plan: Plan, users: Sequence[Users], samples: Sequence[Sample]) -> dict[str, Any]:
    errors = sum((own.tally.errors for own in users), Counter[str]())
    before, after = compared(samples)
    growth = after.resident_mb / before.resident_mb - 1.0
    stats = agent.store.stats()
    n_after = samples[-1].n - next(one.n for one in samples if one.at >= 0 or one is samples[-1])
    expected = sum(sum(own.stored.values()) for own in users)
    broken = [f"{n} x {error}" for error, n in errors.items()]
    if growth >= MAX_GROWTH:
        broken.append(f"memory grew by {growth:.1%}, at most {MAX_GROWTH:.0%} are allowed")
    if after.handles > before.handles + MAX_MORE_HANDLES:
        broken.append(f"open files rose from {before.handles} to {after.handles}")
    if stats.n_turns != expected:
        broken.append(f"{expected} messages were acknowledged and not forgotten, {stats.n_turns} are stored")
    broken += agent.store.verify().problems
    return {
        "plan": asdict(plan),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
        "encoder": stats.encoder,
        "load": {"median": median(one.load for one in samples), "most": max(one.load for one in samples)},
        "operations": samples[-1].n,
        "per_second": round(n_after / max(samples[-1].at, 1e-9), 1),
        "ms": {kind: percentiles([ms for own in users for ms in own.tally.ms[kind]]) for kind in KINDS},
        "resident_mb": {
            "start": before.resident_mb,
            "end": after.resident_mb,
            "most": max(one.resident_mb for one in samples),
        },
        "growth": round(growth, 4),
        "handles": {
            "start": before.handles,
            "end": after.handles,
            "most": max(one.handles for one in samples),
        },
        "stored": asdict(stats),
        "broken": broken,
    }


def compared(samples: Sequence[Sample]) -> tuple[Sample, Sample]:
    """Return the medians over the first and the last tenth of the time after the warm-up."""
    warm = [one for one in samples if one.at >= 0] or list(samples[-1:])
    n = max(round(len(warm) * _COMPARED), 1)
    return _middle(warm[:n]), _middle(warm[-n:])


def _middle(samples: Sequence[Sample]) -> Sample:
    found = {name: median(getattr(one, name) for one in samples) for name in asdict(samples[0])}
    return Sample(**{**found, **{name: round(found[name]) for name in ("n", "handles", "threads")}})


def percentiles(ms: Sequence[float]) -> dict[str, float]:
    """Return n, and p50, p95 and p99; n alone if there is nothing."""
    if not ms:
        return {"n": 0}
    return {"n": len(ms), **{f"p{rank}": round(float(np.percentile(ms, rank)), 1) for rank in (50, 95, 99)}}


def write(report: dict[str, Any], samples_file: Path, folder: Path) -> Path:
    """Write `soak.json`, and `soak.png` where matplotlib is installed; return what was written last."""
    target = folder / "soak.json"
    target.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    plot = folder / "soak.png"
    try:
        check_png_plot(plot)
    except PlotError as error:
        typer.echo(f"habitus: no plot: {error}", err=True)
        return target
    samples = [json.loads(line) for line in samples_file.read_text(encoding="utf-8").splitlines()]
    rates = [
        (late["n"] - early["n"]) / max(late["at"] - early["at"], 1e-9)
        for early, late in zip(samples, samples[1:], strict=False)
    ]
    png_over_time(
        [one["at"] / 60 for one in samples],
        {
            "resident memory, MB": [one["resident_mb"] for one in samples],
            "open files": [one["handles"] for one in samples],
            "operations a second": [rates[0] if rates else 0.0, *rates],
        },
        plot,
    )
    return plot


def soak(
    out: Annotated[Path, typer.Option(help="Folder for soak.jsonl, soak.json and soak.png.")],
    minutes: Annotated[float, typer.Option(help="After the warm-up.")] = 30.0,
    warm_up: Annotated[
        float, typer.Option(help="Minutes in which caches fill, before memory counts.")
    ] = 10.0,
    users: Annotated[int, typer.Option(min=1)] = 5_000,
    threads: Annotated[int, typer.Option(min=1, help="That talk at once, without a pause.")] = 4,
    history: Annotated[int, typer.Option(min=0, help="Messages every user has before it begins.")] = 30,
    url: Annotated[
        str | None, typer.Option(help="Empty PostgreSQL to use instead of a folder; not emptied afterwards.")
    ] = None,
    scratch: Annotated[
        Path | None, typer.Option(help="Folder for the store, about 3 GB; removed afterwards.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of everything.")] = 0,
) -> None:
    """Talk, rate, search and forget for a long time; memory and open files must stay flat.

    Exit code 0: no error, memory grew by less than 5 % after the warm-up, the store holds what was
    acknowledged; 1: not so.
    """
    from habitus.agent.agent import Agent
    from habitus.evals.cli import user_errors

    try:
        plan = Plan(
            seconds=minutes * 60,
            warm_up_seconds=warm_up * 60,
            users=users,
            threads=threads,
            history=history,
            seed=seed,
        )
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    with user_errors(), tempfile.TemporaryDirectory(dir=scratch, prefix="habitus-soak-") as folder:
        out.mkdir(parents=True, exist_ok=True)
        with Agent.open(url or folder) as agent:
            report = run(agent, plan, out / SAMPLES_FILE)
    typer.echo(json.dumps(report, indent=2))
    typer.echo(f"Written: {write(report, out / SAMPLES_FILE, out)}", err=True)
    raise typer.Exit(1 if report["broken"] else 0)
