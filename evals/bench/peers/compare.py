"""Run the comparison: `python -m habitus.evals.bench.peers.compare --data longmemeval_s.json.gz`."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

import typer

from habitus.evals.bench.clock import Times, load, resident_mb
from habitus.evals.bench.peers import corpus as corpora
from habitus.evals.bench.peers.corpus import Asked, Corpus, Item
from habitus.evals.bench.peers.systems import BATCH, SYSTEMS, System
from habitus.evals.metrics import first_ranks, recall_all, recall_any

K = 50
"""Memories asked for."""

_HOURS = 3_600.0
_NOTE = "milliseconds and texts a second without encoding: vectors are looked up; memories asked for: "


def main() -> None:
    """Run the command line."""
    app = typer.Typer(add_completion=False)
    app.command()(compare)
    app()


def compare(
    data: Annotated[Path, typer.Option(help="LongMemEval-S file.", exists=True, dir_okay=False)],
    memories: Annotated[
        list[int] | None, typer.Option(help="Sizes; add 200000 for the large one.", show_default="500, 20000")
    ] = None,
    systems: Annotated[
        list[str] | None, typer.Option("--system", help="Only these.", show_default="all")
    ] = None,
    questions: Annotated[int, typer.Option(min=1, help="Each brings its history as a user.")] = 50,
    rounds: Annotated[int, typer.Option(min=1, help="Times that every question is asked.")] = 4,
    embedding_cache: Annotated[
        Path | None, typer.Option(help="Folder that keeps embeddings for the next run.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="File for the figures as JSON.")] = None,
    worker: Annotated[Path | None, typer.Option(hidden=True)] = None,
) -> None:
    """Compare ingest, search and quality of memories on the same texts and vectors."""
    if worker is not None:
        typer.echo(json.dumps(measure(worker, (systems or [""])[0], rounds)))
        return
    whole = corpora.read(data, questions)
    texts, vectors = corpora.encode(whole, _encoder(embedding_cache))
    results: list[dict[str, Any]] = []
    for size in memories or [500, 20_000]:
        with tempfile.TemporaryDirectory(prefix="habitus-peers-") as folder:
            corpora.save(Path(folder), corpora.of_size(whole, size), texts, vectors)
            for name in systems or SYSTEMS:
                results.append(_in_own_process(name, Path(folder), data, rounds))
                show(results)
                if out is not None:
                    out.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


def _encoder(cache: Path | None) -> Any:
    from habitus.retrievers.cache import CachedEncoder
    from habitus.retrievers.minilm import minilm

    return minilm() if cache is None else CachedEncoder(minilm(), cache)


def _in_own_process(name: str, folder: Path, data: Path, rounds: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "habitus.evals.bench.peers.compare", "--data", str(data)]
    command += ["--system", name, "--worker", str(folder), "--rounds", str(rounds)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_HOURS)
    if done.returncode:
        return {"system": name, "error": " ".join(done.stderr.split())[-300:] or "no message"}
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def measure(folder: Path, name: str, rounds: int) -> dict[str, Any]:
    """Fill one system, search it and score what it found.

    Args:
        folder: holds the corpus; the system's files go into it too.
        name: of the system.
        rounds: times that every question is asked; the first is not timed.
    """
    corpus, encoder = corpora.load(folder)
    place = folder / name
    place.mkdir(exist_ok=True)
    before = resident_mb()
    system = SYSTEMS[name](place, encoder)
    adding, searching = Times(), Times()
    for batch in batches(corpus.items):
        adding.measure(partial(system.add, batch))
    rankings = [first_ranks(system.search(question, K)) for question in corpus.questions]
    for _ in range(rounds - 1):
        for question in corpus.questions:
            searching.measure(partial(system.search, question, K))
    n = len(corpus.items)
    return {
        "system": name,
        "version": _version(system),
        "n_memories": n,
        "n_users": len({item.user for item in corpus.items}),
        "ingest_per_second": round(n / sum(adding.wall) * 1e3, 1),
        "ingest_per_cpu_second": round(n / sum(adding.cpu) * 1e3, 1),
        "search": searching.summary(),
        "quality": quality(corpus, rankings),
        "memory_mb": round(resident_mb() - before, 1),
        "disk_mb": round(sum(f.stat().st_size for f in place.rglob("*") if f.is_file()) / 2**20, 1),
        "load": round(load(), 2),
    }


def batches(items: Sequence[Item]) -> list[list[Item]]:
    """Cut items into batches of one user each."""
    return [
        user[begin : begin + BATCH]
        for _, group in groupby(items, key=lambda item: item.user)
        for user in [list(group)]
        for begin in range(0, len(user), BATCH)
    ]


def quality(corpus: Corpus, rankings: Sequence[Sequence[str]]) -> dict[str, float] | None:
    """Return R@1 and all@5 by session; None where the evidence is not in the corpus."""
    asked: list[tuple[Asked, Sequence[str]]] = [
        (question, ranked)
        for question, ranked in zip(corpus.questions, rankings, strict=True)
        if question.evidence
    ]
    if not asked:
        return None
    return {
        "n": len(asked),
        "r@1": sum(recall_any(ranked, one.evidence, 1) for one, ranked in asked) / len(asked),
        "all@5": sum(recall_all(ranked, one.evidence, 5) for one, ranked in asked) / len(asked),
    }


def _version(system: System) -> str:
    from importlib.metadata import PackageNotFoundError, version

    names = {"mem0": "mem0ai", "langgraph.store.memory": "langgraph"}
    package = str(getattr(system, "package", ""))
    try:
        return version(names.get(package, package))
    except PackageNotFoundError:
        return "in development"


def show(results: Sequence[dict[str, Any]]) -> None:
    """Print the figures so far."""
    from rich.console import Console
    from rich.table import Table

    heads = (
        "memories",
        "users",
        "texts/s",
        "per CPU s",
        "p50",
        "p95",
        "CPU p50",
        "R@1",
        "all@5",
        "MB",
        "disk MB",
    )
    table = Table("system", *heads, "load")
    for one in results:
        if "error" in one:
            table.add_row(one["system"], "failed")
            continue
        search, found = one["search"], one["quality"] or {}
        table.add_row(
            f"{one['system']} {one['version']}",
            *(f"{one[key]:,}" for key in ("n_memories", "n_users")),
            *(f"{one[key]:,.0f}" for key in ("ingest_per_second", "ingest_per_cpu_second")),
            *(f"{search.get(key, float('nan')):.1f}" for key in ("wall_p50", "wall_p95", "cpu_p50")),
            *(f"{found[key]:.2f}" if found else "" for key in ("r@1", "all@5")),
            *(f"{one[key]:,.0f}" for key in ("memory_mb", "disk_mb")),
            f"{one['load']:.1f}",
        )
    console = Console()
    console.print(table)
    console.print(f"{_NOTE}{K}")
    for one in results:
        if "error" in one:
            console.print(f"{one['system']}: {one['error']}", style="red", markup=False)


if __name__ == "__main__":
    main()
