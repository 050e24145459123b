"""Both kinds of store side by side: whether they rank alike, and what each takes.

LongMemEval's histories are brought into a folder, moved to PostgreSQL as `habitus migrate` does it, and asked
for in both. One code ranks in both, so every rank must be the same, not only the averages.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from habitus.evals.bench.clock import Times, load
from habitus.evals.harness.options import EmbeddingCache

if TYPE_CHECKING:
    from habitus.agent.agent import Agent
    from habitus.agent.state import Recall
    from habitus.evals.longmemeval.files import Sample
    from habitus.evals.longmemeval.retrieval import Aliases

NAMES = ("embedded", "postgres")


@dataclass
class _Side:
    """One store, as it is measured."""

    agent: Agent
    first: Times = field(default_factory=Times)
    again: Times = field(default_factory=Times)
    ranked: list[tuple[str, ...]] = field(default_factory=list)


def stores(
    data: Annotated[Path, typer.Option(help="LongMemEval file in the official format, .json or .json.gz.")],
    limit: Annotated[int, typer.Option(help="Only the first N questions.", min=1)] = 20,
    url: Annotated[
        str | None, typer.Option(help="PostgreSQL to use; the schema `habitus_bench` is made and dropped.")
    ] = None,
    embedding_cache: EmbeddingCache = None,
) -> None:
    """Ask both stores the same questions: equal ranks, R@1, all@5, first and further recalls.

    Exit code 0: every rank was equal; 1: one was not.
    """
    from habitus.evals.bench.servers import postgres_server
    from habitus.evals.cli import user_errors
    from habitus.evals.longmemeval.files import SampleReader

    with user_errors(), postgres_server(url) as server, SampleReader(data) as reader:
        report = _compare(list(islice(iter(reader), limit)), server, embedding_cache)
    sys.stdout.write(json.dumps(report, indent=2) + "\n")
    raise typer.Exit(0 if report["n_equal"] == report["n"] else 1)


def _compare(samples: Sequence[Sample], server: str, cache: Path | None) -> dict[str, Any]:
    import psycopg

    from habitus.agent.agent import Agent
    from habitus.agent.defaults import default_generator
    from habitus.evals.longmemeval.retrieval import Aliases
    from habitus.evals.running import cached_encoder
    from habitus.memory.storage.embedded import EmbeddedStore
    from habitus.memory.storage.moving import move_users
    from habitus.memory.storage.postgres.store import PostgresStore

    encoder = cached_encoder(cache)
    generator = default_generator(encoder)
    schema = "habitus_bench"
    moving, n_equal, n_turns = Times(), 0, 0
    aliases = [Aliases(sample.sessions) for sample in samples]
    with tempfile.TemporaryDirectory() as folder, psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE".encode())
        try:
            with Agent(store=EmbeddedStore.open(folder, encoder), generator=generator) as agent:
                for number, alias in enumerate(aliases):
                    n_turns += agent.ingest(f"user{number}", alias.conversations)
                with PostgresStore.open(server, encoder, schema=schema) as target:
                    moving.measure(lambda: move_users(agent.store, target))
            with (
                Agent(store=EmbeddedStore.open(folder, encoder), generator=generator) as embedded,
                Agent(
                    store=PostgresStore.open(server, encoder, schema=schema), generator=generator
                ) as postgres,
            ):
                sides = (_Side(embedded), _Side(postgres))
                for number, sample in enumerate(samples):
                    found = [_ask(side, f"user{number}", sample, aliases[number]) for side in sides]
                    n_equal += _same(*found)
                bytes_on_disk = [side.agent.store.stats().bytes_on_disk for side in sides]
        finally:
            admin.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE".encode())
    rows = zip(NAMES, sides, bytes_on_disk, strict=True)
    return {
        "n": len(samples),
        "n_messages": n_turns,
        "n_equal": n_equal,
        "moving_s": round(moving.wall[0] / 1e3, 1),
        "load": load(),
        **{name: {**_scores(side, samples), **_times(side, size, n_turns)} for name, side, size in rows},
    }


def _ask(side: _Side, user_id: str, sample: Sample, aliases: Aliases) -> Recall:
    from habitus.evals.longmemeval.retrieval import ask_at

    at = ask_at(sample)
    found = side.first.measure(lambda: side.agent.recall(user_id, sample.question, at=at))
    side.again.measure(lambda: side.agent.recall(user_id, sample.question, at=at))
    side.ranked.append(aliases.official_sessions(found.ranked_session_ids))
    return found


def _same(one: Recall, other: Recall) -> bool:
    return (
        one.ranked_session_ids == other.ranked_session_ids
        and one.ranked_turn_ids == other.ranked_turn_ids
        and one.packed.memories == other.packed.memories
    )


def _scores(side: _Side, samples: Sequence[Sample]) -> dict[str, float]:
    from habitus.evals.metrics.ranking import recall_all, recall_any

    judged = [
        (ranked, sample.evidence_session_ids)
        for ranked, sample in zip(side.ranked, samples, strict=True)
        if sample.evidence_session_ids and not sample.id.endswith("_abs")
    ]
    n = max(len(judged), 1)
    return {
        "n_judged": len(judged),
        "R@1": round(sum(recall_any(ranked, relevant, 1) for ranked, relevant in judged) / n, 4),
        "all@5": round(sum(recall_all(ranked, relevant, 5) for ranked, relevant in judged) / n, 4),
    }


def _times(side: _Side, size: int, n_turns: int) -> dict[str, Any]:
    return {
        "first_recall_ms": side.first.summary(),
        "further_recall_ms": side.again.summary(),
        "bytes_per_message": round(size / max(n_turns, 1)),
    }
