"""How long a whole turn takes without a generator, and what of it each node takes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from habitus.agent.agent import Agent
from habitus.agent.generators.scripted import ScriptedChat
from habitus.evals.bench.clock import Times, load, measured
from habitus.evals.bench.memories import START, MadeUp, fill
from habitus.evals.bench.texts import made_up as texts_of
from habitus.memory.storage.embedded import EmbeddedStore
from habitus.retrievers.encoder import Encoder

_WARM_UP = 5


@dataclass(frozen=True, kw_only=True)
class Turned:
    """Turns of one user.

    Attributes:
        n_memories: of the user.
        turn: from the message to the stored reply.
        nodes: milliseconds by the clock of each node, p50 and p95; the graph takes the rest.
        commit: storing a message and its reply, encoded already, durable when it returns.
        load: of the machine.
    """

    n_memories: int
    turn: dict[str, float]
    nodes: dict[str, dict[str, float]]
    commit: dict[str, float]
    load: float


def turns(
    folder: Path,
    encoder: Encoder,
    *,
    n_memories: int,
    n_turns: int,
    n_commits: int,
    seed: int,
    progress: Callable[[str, int], None],
) -> Turned:
    """Let a user with many memories say something `n_turns` times to a generator that answers at once."""
    made_up = MadeUp(encoder.dim, seed)
    said = texts_of(n_turns + _WARM_UP, 15, seed)
    with Agent.open(folder, encoder=encoder, generator=ScriptedChat(script=["I see."])) as agent:
        fill(agent.store, made_up, "user", 0, n_memories, lambda n: progress("memories for whole turns", n))
        times, nodes = Times(), defaultdict[str, list[float]](list)
        for number, text in enumerate(said):
            at = START + timedelta(days=3_000, minutes=number)
            if number < _WARM_UP:
                agent.chat("user", text, at=at)
                continue
            reply = times.measure(partial(agent.chat, "user", text, at=at))
            for name, milliseconds in reply.timings_ms.items():
                nodes[name].append(milliseconds)
    return Turned(
        n_memories=n_memories,
        turn=times.summary(),
        nodes={name: _of_clock(values) for name, values in nodes.items()},
        commit=_commits(folder, encoder, made_up, n_memories, n_commits),
        load=round(load(), 2),
    )


def _of_clock(milliseconds: list[float]) -> dict[str, float]:
    found = Times(wall=milliseconds, cpu=milliseconds).summary()
    return {"n": found["n"], "p50": found["wall_p50"], "p95": found["wall_p95"]}


def _commits(
    folder: Path, encoder: Encoder, made_up: MadeUp, n_memories: int, n_commits: int
) -> dict[str, float]:
    with EmbeddedStore.open(folder, encoder) as store:
        return measured(
            _commit(store, *made_up.changes("user", number, 2))
            for number in range(n_memories, n_memories + 2 * n_commits, 2)
        )


def _commit(store: EmbeddedStore, changes: Any, vectors: Any) -> Callable[[], None]:
    return lambda: store.commit("user", changes, vectors=vectors)
