"""`habitus bench simulate`: several processes, the same users, one PostgreSQL; every invariant is checked."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from itertools import islice
from time import perf_counter
from typing import Annotated, Any

import numpy as np
import typer

from habitus.evals.bench.clock import load
from habitus.evals.bench.invariants import Line, broken_invariants
from habitus.evals.bench.simulated import DIM, Life

SCHEMA = "habitus_simulation"


@dataclass(frozen=True, kw_only=True)
class Lived:
    """What one process told before it ended; `error` is what it said when it failed of itself."""

    lines: list[Line]
    error: str | None


def simulate(
    processes: Annotated[int, typer.Option(help="Agents at once.", min=1)] = 4,
    users: Annotated[int, typer.Option(help="All processes talk with all of them.", min=1)] = 20,
    turns: Annotated[int, typer.Option(help="Of each user, on average.", min=1)] = 10,
    kills: Annotated[
        int, typer.Option(help="Processes that are killed, each followed by another.", min=0)
    ] = 4,
    url: Annotated[
        str | None, typer.Option(help=f"PostgreSQL to use; the schema `{SCHEMA}` is made and dropped.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of everything that is chosen.")] = 0,
) -> None:
    """Let several agents talk with the same users on one database, kill some, and check every invariant.

    Exit code 0: all hold; 1: one does not.
    """
    from habitus.evals.bench.servers import postgres_server
    from habitus.evals.cli import user_errors

    with user_errors(), postgres_server(url) as server:
        report = run(server, processes, users, turns, kills, seed)
    sys.stdout.write(json.dumps(report, indent=2) + "\n")
    raise typer.Exit(1 if report["broken"] else 0)


def run(server: str, processes: int, users: int, turns: int, kills: int, seed: int) -> dict[str, Any]:
    """Run a simulation and return what came of it; `broken` names the invariants that do not hold."""
    import psycopg

    from habitus.memory.storage.postgres.store import PostgresStore
    from habitus.retrievers.encoder import HashingEncoder

    drop = f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE".encode()
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(drop)
        try:
            begin = perf_counter()
            lived = list(_all_lives(server, processes, users, users * turns, kills, seed))
            seconds = perf_counter() - begin
            with PostgresStore.open(server, HashingEncoder(DIM), schema=SCHEMA) as store:
                lines = [line for one in lived for line in one.lines]
                broken = [one.error for one in lived if one.error] + list(broken_invariants(store, lines))
                stats = store.stats()
        finally:
            admin.execute(drop)
    took = [line["ms"] for line in lines if line["kind"] == "turn"]
    return {
        "processes": processes,
        "killed": kills,
        "load": load(),
        "seconds": round(seconds, 1),
        "turns": len(took),
        "turns_per_s": round(len(took) / seconds, 1),
        "turn_ms": {f"p{rank}": round(float(np.percentile(took, rank)), 1) for rank in (50, 95, 99)},
        "told": dict(Counter(line["kind"] for line in lines)),
        "stored": {**asdict(stats), "bytes_per_turn": round(stats.bytes_on_disk / max(stats.n_turns, 1))},
        "broken": broken,
    }


def _all_lives(
    server: str, processes: int, users: int, n_turns: int, kills: int, seed: int
) -> Iterator[Lived]:
    """Let processes live side by side; those chosen are killed on the way, and another goes on."""
    chance = random.Random(seed)
    each = max(n_turns // processes, 1)
    killed = [0] * processes
    for _ in range(kills):
        killed[chance.randrange(processes)] += 1

    def lives(place: int) -> list[Lived]:
        choose = random.Random(seed * 1_000 + place)
        found: list[Lived] = []
        left = each
        for number in range(killed[place] + 1):
            life = Life(
                url=server,
                schema=SCHEMA,
                name=f"{place}x{number}",
                n_users=users,
                n_turns=left,
                seed=choose.randrange(2**32),
            )
            last = number == killed[place]
            found.append(_live(life, None if last else choose.randrange(1, max(left, 2))))
            # Who takes the place of a killed process does the rest, or one would work alone in the end.
            left = max(left - sum(line["kind"] == "turn" for line in found[-1].lines), 1)
        return found

    with ThreadPoolExecutor(processes) as pool:
        for found in pool.map(lives, range(processes)):
            yield from found


def _live(life: Life, lines_until_killed: int | None) -> Lived:
    """Run a process to its end, or kill it after so many lines."""
    command = [sys.executable, "-m", "habitus.evals.bench.simulated", json.dumps(asdict(life))]
    # A file: in a full pipe a process that complains would wait for ever.
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as complaints,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=complaints, text=True) as process,
    ):
        assert process.stdout is not None
        told = list(islice(process.stdout, lines_until_killed))
        if lines_until_killed is not None:
            process.kill()
        told += process.stdout
        process.wait()
        complaints.seek(0)
        errors = complaints.read()
    failed = lines_until_killed is None and process.returncode != 0
    # A line that a kill cut short tells of nothing.
    whole = [json.loads(line) for line in told if line.endswith("\n")]
    return Lived(lines=whole, error=f"a process failed: {errors.strip()[-300:]}" if failed else None)
