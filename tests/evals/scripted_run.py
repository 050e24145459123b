"""A run over an agent that counts its questions in a file; started by tests as a process of its own.

Usage: python scripted_run.py DATA OUT COUNTER [stop after N questions]
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from habitus.agent.prompting.budgets import Cut
from habitus.evals.cli import user_errors
from habitus.evals.longmemeval.run import RunOptions, run_longmemeval
from habitus.evals.running import AgentUnderTest
from habitus.memory.records import Conversation


@dataclass(frozen=True)
class Found:
    ranked_session_ids: Sequence[str]
    text: str = "tea"
    routes: frozenset[str] = frozenset()
    ranked_turn_ids: Sequence[str] = ()
    evidence: Sequence[EmptyPacked] = ()
    context_tokens: int = 0
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    cut: Sequence[Cut] = ()

    @property
    def recall(self) -> Found:
        return self


class EmptyPacked:
    turn_id = ""
    text = ""


class CountingAgent:
    """Writes a line to the counter for every question, and kills its own process at the chosen one."""

    def __init__(self, counter: Path, kill_at: int, kill_by: int) -> None:
        self._counter, self._kill_at, self._kill_by = counter, kill_at, kill_by

    def ingest(self, user_id: str, conversations: Iterable[Conversation], *, learn: bool = True) -> int:
        self._ids = [conversation.id for conversation in conversations]
        return len(self._ids)

    def recall(self, user_id: str, text: str, *, at: datetime, context_tokens: int | None = None) -> Found:
        with self._counter.open("a") as file:
            file.write("asked\n")
        if len(self._counter.read_text().splitlines()) == self._kill_at:
            os.kill(os.getpid(), self._kill_by)
        return Found(self._ids)

    def chat(self, user_id: str, text: str, *, at: datetime) -> Found:
        return Found(self._ids)


def main(data: str, out: str, counter: str, kill_at: str = "0", kill_by: str = "SIGKILL") -> int:
    @contextmanager
    def open_agent(folder: Path) -> Iterator[CountingAgent]:
        yield CountingAgent(Path(counter), int(kill_at), signal.Signals[kill_by])

    with user_errors():
        options = RunOptions(data=Path(data), out=Path(out))
        return run_longmemeval(options, lambda: AgentUnderTest(open=open_agent, encoder="none"))


if __name__ == "__main__":
    # A shell that starts a job in the background has it ignore Ctrl-C, and children inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(main(*sys.argv[1:]))
