"""What the server adds to a turn, and what it stands: `habitus bench serve`.

The server runs in this process, the clients in another one on loopback. The generator is made up: it
streams pieces at a steady pace, and its first piece is the instant at which it was given, on the clock
that all processes of the machine share. The same streams go through an application that does nothing else
(`bare`): what both have in common is the machine's, what is beyond is ours.
"""

from __future__ import annotations

import json
import multiprocessing
import platform
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from habitus.agent.agent import Agent
from habitus.agent.errors import ExtraMissingError
from habitus.agent.inputs import Incoming
from habitus.agent.reply import Reply
from habitus.agent.running import ignore
from habitus.agent.threads import Emit
from habitus.evals.bench import load
from habitus.evals.bench.clock import Times, resident_mb
from habitus.evals.bench.clock import load as load_average
from habitus.evals.bench.paced import PacedChat
from habitus.evals.bench.texts import made_up as texts_of

if TYPE_CHECKING:
    from fastapi import FastAPI

    from habitus.retrievers.encoder import Encoder

_BLOCK = 10
_WARM_UP = 5
_BARE_SECONDS = 30.0
OVERHEAD_MS, FIRST_MS = 10.0, 30.0
"""What is aimed at: 95th percentile of the overhead, and of the time to the first byte."""


class TimedAgent(Agent):
    """Keeps the milliseconds of its turns."""

    turn_ms: list[float]

    def _answer(
        self, asked: Incoming, emit: Emit = ignore, cancelled: threading.Event | None = None
    ) -> Reply:
        begun = time.perf_counter()
        try:
            return super()._answer(asked, emit, cancelled)
        finally:
            self.turn_ms.append((time.perf_counter() - begun) * 1e3)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How much is measured.

    Attributes:
        n_turns: of one user, as many directly as over HTTP.
        n_streams: at once.
        seconds: for which they go on.
        pieces: of each reply.
        pause_ms: between two of them.
    """

    n_turns: int = 200
    n_streams: int = 200
    seconds: float = 30.0
    pieces: int = 20
    pause_ms: float = 50.0

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not value > 0:
                raise ValueError(f"{name} must be more than 0, got {value!r}")


@dataclass(frozen=True, kw_only=True)
class ServingReport:
    """What was measured; milliseconds by the clock unless they are said to be the processor's.

    Attributes:
        direct: `Agent.chat`.
        over_http: the same turns through the server, seen by the client.
        overhead: of each turn over HTTP, beyond what the agent itself took for it.
        first_alone: from the generator's first piece to the client, one stream at a time.
        first_crowded: the same with all streams at once.
        waited_crowded: from the request to the first byte: the turn's own work, and the wait for it.
        first_bare: as `first_crowded`, of an application that only streams.
        n_done: streams that came to their end.
        errors: of those that did not.
        resident_mb: of the server, after a fifth of the time, at the end, and at most.
        cpu_share: of one core that server and agent took while all streams went on.
        cpu_ms: the processor's milliseconds for a stream, `ours` and `bare`.
    """

    plan: Plan
    machine: str
    encoder: str
    load: float
    direct: dict[str, float]
    over_http: dict[str, float]
    overhead: dict[str, float]
    first_alone: dict[str, float]
    first_crowded: dict[str, float]
    waited_crowded: dict[str, float]
    first_bare: dict[str, float]
    n_done: int
    errors: dict[str, int]
    resident_mb: dict[str, float]
    cpu_share: float
    cpu_ms: dict[str, float]


def run(plan: Plan, encoder: Encoder, folder: Path) -> ServingReport:
    """Serve an agent on a folder and measure.

    Raises:
        ExtraMissingError: the extra `serve` is not installed.
    """
    try:
        from habitus.agent.server.app import create_app
        from habitus.evals.bench.streaming import bare_app
    except ModuleNotFoundError as error:
        raise ExtraMissingError("serve", error) from error

    quick = PacedChat(n_pieces=1)
    with (
        TimedAgent.open(folder / "turns", encoder=encoder, generator=quick) as timed,
        _clients(create_app(timed)) as orders,
    ):
        timed.turn_ms = []
        direct, over_http, overhead = _turns(timed, orders, plan)
        orders.send(("streams", 1, min(plan.seconds, 5.0)))
        alone: load.Seen = orders.recv()
    paced = PacedChat(n_pieces=plan.pieces, pause=plan.pause_ms / 1e3)
    with _clients(bare_app(paced)) as orders:
        bare = _crowd(orders, plan.n_streams, min(plan.seconds, _BARE_SECONDS))
    with (
        Agent.open(folder / "streams", encoder=encoder, generator=paced) as agent,
        _clients(create_app(agent)) as orders,
    ):
        ours = _crowd(orders, plan.n_streams, plan.seconds)
    crowded, held = ours.seen, ours.resident_mb
    return ServingReport(
        plan=plan,
        machine=f"{platform.machine()}, {multiprocessing.cpu_count()} cores",
        encoder=encoder.fingerprint,
        load=round(load_average(), 1),
        direct=direct,
        over_http=over_http,
        overhead=overhead,
        first_alone=_percentiles(alone.first_ms),
        first_crowded=_percentiles(crowded.first_ms),
        waited_crowded=_percentiles(crowded.waited_ms),
        first_bare=_percentiles(bare.seen.first_ms),
        n_done=crowded.n_done,
        errors={**alone.errors, **bare.seen.errors, **crowded.errors},
        resident_mb={
            "after a fifth": round(held[len(held) // 5], 1),
            "end": round(held[-1], 1),
            "most": round(max(held), 1),
        },
        cpu_share=round(ours.cpu_seconds / ours.seconds, 2),
        cpu_ms={
            name: round(one.cpu_seconds * 1e3 / max(one.seen.n_done, 1), 1)
            for name, one in {"ours": ours, "bare": bare}.items()
        },
    )


@dataclass(frozen=True)
class _Crowd:
    """What many streams at once did, and what this process, the server, took for them."""

    seen: load.Seen
    resident_mb: list[float]
    seconds: float
    cpu_seconds: float


def _crowd(orders: Connection, n: int, seconds: float) -> _Crowd:
    begun, cpu = time.monotonic(), time.process_time()
    orders.send(("streams", n, seconds))
    held = [resident_mb()]
    while not orders.poll(0.5):
        held.append(resident_mb())
    seen: load.Seen = orders.recv()
    return _Crowd(seen, held, time.monotonic() - begun, time.process_time() - cpu)


def _turns(agent: TimedAgent, orders: Connection, plan: Plan) -> tuple[dict[str, float], ...]:
    """Take turns in small blocks, directly and over HTTP, so that both meet the same machine."""
    texts = texts_of(plan.n_turns + _WARM_UP, 15, 0)
    for text in texts[:_WARM_UP]:
        agent.chat("directly", text)
        orders.send(("turn", [text]))
        orders.recv()
    times, seen, beyond = Times(), list[float](), list[float]()
    for start in range(_WARM_UP, len(texts), _BLOCK):
        block = texts[start : start + _BLOCK]
        for text in block:
            times.measure(lambda text=text: agent.chat("directly", text))  # type: ignore[misc]
        orders.send(("turn", block))
        http: list[float] = orders.recv()
        seen += http
        beyond += [one - inside for one, inside in zip(http, agent.turn_ms[-len(http) :], strict=True)]
    return times.summary(), _percentiles(seen), _percentiles(beyond)


def _percentiles(values: list[float]) -> dict[str, float]:
    if not values:
        return {"n": 0}
    found = {f"p{rank}": round(float(np.percentile(values, rank)), 3) for rank in (50, 95, 99)}
    return {"n": len(values), **found}


@contextmanager
def _clients(app: FastAPI) -> Iterator[Connection]:
    """Serve an application, with clients in another process that take orders."""
    with _served(app) as port:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=load.work, args=(theirs, port), daemon=True)
        process.start()
        try:
            yield ours
            ours.send(("stop",))
            process.join(10)
        finally:
            process.kill()


@contextmanager
def _served(app: FastAPI) -> Iterator[int]:
    import uvicorn

    # With its own configuration of logging uvicorn would close the handlers that the process has.
    config = uvicorn.Config(app, port=0, log_config=None, access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        if not thread.is_alive():
            raise RuntimeError("the server did not start; its log says why")
        time.sleep(0.01)
    try:
        port: int = server.servers[0].sockets[0].getsockname()[1]
        yield port
    finally:
        server.should_exit = True
        thread.join()


def serve(
    seconds: Annotated[float, typer.Option(help="For which the streams go on; 600 is the full run.")] = 30.0,
    streams: Annotated[int, typer.Option(help="At once.", min=1)] = 200,
    turns: Annotated[int, typer.Option(help="To measure the overhead.", min=1)] = 200,
    pieces: Annotated[int, typer.Option(help="Of each reply.", min=1)] = 20,
    pause_ms: Annotated[float, typer.Option(help="Between two pieces, in milliseconds.", min=1)] = 50.0,
    out: Annotated[
        Path | None, typer.Option(help="File for the report as JSON.", show_default="none")
    ] = None,
) -> None:
    """Measure the server over Agent.chat, many streams at once, and the time to the first byte."""
    from habitus.agent.defaults import default_encoder

    with tempfile.TemporaryDirectory() as folder:
        plan = Plan(seconds=seconds, n_streams=streams, n_turns=turns, pieces=pieces, pause_ms=pause_ms)
        report = run(plan, default_encoder(), Path(folder))
    show(report)
    if out is not None:
        out.write_text(json.dumps(asdict(report), indent=2) + "\n", encoding="utf-8")


def show(report: ServingReport) -> None:
    """Print the report as a table."""
    from rich.console import Console
    from rich.table import Table

    table = Table("what", "n", "p50", "p95", "p99", title="The server, milliseconds")
    rows = {
        "Agent.chat": {name.removeprefix("wall_"): value for name, value in report.direct.items()},
        "the same over HTTP": report.over_http,
        f"overhead (target: p95 <= {OVERHEAD_MS:g})": report.overhead,
        f"first byte, one stream (target: p95 <= {FIRST_MS:g})": report.first_alone,
        f"first byte, {report.plan.n_streams} streams": report.first_crowded,
        f"first byte, {report.plan.n_streams} streams, nothing but streaming": report.first_bare,
        f"request to first byte, {report.plan.n_streams} streams": report.waited_crowded,
    }
    for name, row in rows.items():
        table.add_row(name, *(str(row.get(key, "-")) for key in ("n", "p50", "p95", "p99")))
    console = Console()
    console.print(table)
    plan, cpu_ms = report.plan, report.cpu_ms
    console.print(
        f"{plan.n_streams} streams at once for {plan.seconds:g} s, replies of {plan.pieces} pieces, "
        f"{plan.pause_ms:g} ms apart: "
        f"{report.n_done} came to their end, "
        f"errors: {report.errors or 'none'}; memory {report.resident_mb} MB; {report.cpu_share} of a core"
    )
    console.print(
        f"Processor for a stream: {cpu_ms['ours']} ms; with nothing but streaming: {cpu_ms['bare']} ms"
    )
    console.print(
        f"Agent.chat by the processor: p50 {report.direct['cpu_p50']}, p95 {report.direct['cpu_p95']} ms"
    )
    console.print(f"{report.machine}, load {report.load}, encoder {report.encoder}")
