"""Run the comparison: `python -m habitus.evals.bench.peers.compare --data longmemeval_s.json.gz`."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from habitus.evals.bench.clock import Times, load, resident_mb
from habitus.evals.bench.peers import corpus as corpora
from habitus.evals.bench.peers.corpus import Asked, Corpus, Item
from habitus.evals.bench.peers.systems import BATCH, SYSTEMS, System
from habitus.evals.metrics import first_ranks, recall_all, recall_any

if TYPE_CHECKING:
    from habitus.retrievers.encoder import Encoder

K = 50
"""Memories asked for."""

_MINUTE = 60.0
_NOTE = (
    "milliseconds of a search without encoding (vectors are looked up) and with the question encoded;"
    f" memories asked for: {K}"
)


def main() -> None:
    """Run the command line."""
    app = typer.Typer(add_completion=False)
    app.command()(compare)
    app()


def compare(
    data: Annotated[Path, typer.Option(help="LongMemEval-S file.", exists=True, dir_okay=False)],
    memories: Annotated[
        list[int] | None,
        typer.Option(help="Sizes; may be given several times.", show_default="500, 20000, 200000"),
    ] = None,
    systems: Annotated[
        list[str] | None, typer.Option("--system", help="Only these.", show_default="all")
    ] = None,
    questions: Annotated[int, typer.Option(min=1, help="Each brings its history as a user.")] = 50,
    rounds: Annotated[int, typer.Option(min=1, help="Times that every question is asked.")] = 4,
    minutes: Annotated[
        float, typer.Option(min=0.01, help="A system stops adding, and stops searching, after so long.")
    ] = 15.0,
    embedding_cache: Annotated[
        Path | None, typer.Option(help="Folder that keeps embeddings for the next run.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="File for the figures as JSON.")] = None,
    worker: Annotated[Path | None, typer.Option(hidden=True)] = None,
) -> None:
    """Compare ingest, search and quality of memories on the same texts and vectors."""
    if worker is not None:
        name = (systems or [""])[0]
        typer.echo(json.dumps(measure(worker, name, rounds, seconds=minutes * _MINUTE, live=_encoder(None))))
        return
    whole = corpora.read(data, questions)
    texts, vectors = corpora.encode(whole, _encoder(embedding_cache))
    results: list[dict[str, Any]] = []
    for size in memories or [500, 20_000, 200_000]:
        with tempfile.TemporaryDirectory(prefix="habitus-peers-") as folder:
            corpora.save(Path(folder), corpora.of_size(whole, size), texts, vectors)
            for name in systems or SYSTEMS:
                results.append(_in_own_process(name, size, Path(folder), data, rounds, minutes))
                show(results)
                if out is not None:
                    out.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


def _encoder(cache: Path | None) -> Encoder:
    from habitus.retrievers.cache import CachedEncoder
    from habitus.retrievers.minilm import minilm

    return minilm() if cache is None else CachedEncoder(minilm(), cache)


def _in_own_process(
    name: str, size: int, folder: Path, data: Path, rounds: int, minutes: float
) -> dict[str, Any]:
    command = [sys.executable, "-m", "habitus.evals.bench.peers.compare", "--data", str(data)]
    command += ["--system", name, "--worker", str(folder), "--rounds", str(rounds)]
    command += ["--minutes", str(minutes)]
    head = {"system": name, "size": size}
    try:
        # Adding, two kinds of searching, and what a system does of its own accord in between.
        patience = (4 * minutes + 5) * _MINUTE
        done = subprocess.run(command, capture_output=True, text=True, timeout=patience)
    except subprocess.TimeoutExpired:
        return {**head, "error": f"gave no figures within {4 * minutes + 5:g} minutes"}
    if done.returncode:
        return {**head, "error": " ".join(done.stderr.split())[-300:] or "no message"}
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return {**head, **found}


def measure(
    folder: Path, name: str, rounds: int, *, seconds: float = math.inf, live: Encoder | None = None
) -> dict[str, Any]:
    """Fill one system, search it and score what it found.

    Args:
        folder: holds the corpus; the system's files go into it too.
        name: of the system.
        rounds: times that every question is asked; the first is not timed.
        seconds: after which adding stops, and each kind of searching too.
        live: encodes the questions where encoding them belongs to a search; None leaves those searches out.
    """
    corpus, encoder = corpora.load(folder)
    place = folder / name
    place.mkdir(exist_ok=True)
    before = resident_mb()
    with closing(SYSTEMS[name](place, encoder)) as system:
        adding = Times()
        n_added = _add(system, corpus.items, adding, seconds)
        memory = resident_mb() - before
        rankings = [first_ranks(system.search(question, K)) for question in corpus.questions]
        searching = _searched(system, corpus.questions, rounds - 1, seconds)
        encoder.live = live
        with_encoding = _searched(system, corpus.questions, rounds - 1 if live else 0, seconds)
        is_whole = n_added == len(corpus.items)
        return {
            "system": name,
            "version": _version(system),
            "n_memories": n_added,
            "n_left_out": len(corpus.items) - n_added,
            "n_users": len({item.user for item in corpus.items[:n_added]}),
            "seconds": round(sum(adding.wall) / 1e3, 1),
            "ingest_per_second": round(n_added / sum(adding.wall) * 1e3, 1),
            "ingest_per_cpu_second": round(n_added / sum(adding.cpu) * 1e3, 1),
            "search": searching.summary(),
            "search_with_encoding": with_encoding.summary(),
            "quality": quality(corpus, rankings) if is_whole else None,
            "memory_mb": round(memory, 1),
            "disk_mb": round(sum(f.stat().st_size for f in place.rglob("*") if f.is_file()) / 2**20, 1),
            "load": round(load(), 2),
        }


def _add(system: System, items: Sequence[Item], times: Times, seconds: float) -> int:
    """Add items until they are all there or the time is over; return how many are."""
    n_added = 0
    for batch in batches(items):
        times.measure(partial(system.add, batch))
        n_added += len(batch)
        if sum(times.wall) > seconds * 1e3:
            break
    return n_added


def _searched(system: System, questions: Sequence[Asked], rounds: int, seconds: float) -> Times:
    times = Times()
    for _ in range(rounds):
        for question in questions:
            if sum(times.wall) <= seconds * 1e3:
                times.measure(partial(system.search, question, K))
    return times


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

    heads = ("memories", "users", "texts/s", "per CPU s", "p50", "p95", "CPU p50", "encoded p50", "p95")
    table = Table("system", *heads, "R@1", "all@5", "MB", "disk MB", "load")
    for one in results:
        if "error" in one:
            table.add_row(one["system"], f"failed at {one['size']:,}")
            continue
        search, encoded, found = one["search"], one["search_with_encoding"], one["quality"] or {}
        table.add_row(
            f"{one['system']} {one['version']}",
            *(f"{one[key]:,}" for key in ("n_memories", "n_users")),
            *(f"{one[key]:,.0f}" for key in ("ingest_per_second", "ingest_per_cpu_second")),
            *(f"{search.get(key, math.nan):.1f}" for key in ("wall_p50", "wall_p95", "cpu_p50")),
            *(f"{encoded.get(key, math.nan):.1f}" for key in ("wall_p50", "wall_p95")),
            *(f"{found[key]:.2f}" if found else "" for key in ("r@1", "all@5")),
            *(f"{one[key]:,.0f}" for key in ("memory_mb", "disk_mb")),
            f"{one['load']:.1f}",
        )
    console = Console()
    console.print(table)
    console.print(_NOTE)
    for one in results:
        if "error" in one:
            console.print(f"{one['system']} at {one['size']:,}: {one['error']}", style="red", markup=False)
        elif one["n_left_out"]:
            n_asked = one["n_memories"] + one["n_left_out"]
            console.print(
                f"{one['system']}: stopped adding at {one['n_memories']:,} of {n_asked:,} memories after"
                f" {one['seconds'] / _MINUTE:.1f} minutes, and was searched with those",
                style="yellow",
            )


if __name__ == "__main__":
    main()
