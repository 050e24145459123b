"""Cases put to Habitus: what it recalls, which option it would choose, what it replies."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from time import perf_counter
from types import TracebackType
from typing import TYPE_CHECKING, Self

from habitus.evals.benchmarks.cases import Case, History
from habitus.evals.harness.records import Result

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from habitus.agent.agent import Agent
    from habitus.agent.state import Recall
    from habitus.retrievers.encoder import Encoder

USER_ID = "user"
MAX_RANKED = 100
"""Ranks kept of a case."""


class Solved(Result):
    """What came of one case; fields that its kind does not fill are empty."""

    ranked_turn_ids: tuple[str, ...] = ()
    ranked_session_ids: tuple[str, ...] = ()
    context_turn_ids: tuple[str, ...] = ()
    context_texts: tuple[str, ...] = ()
    context_tokens: int = 0
    latency_ms: dict[str, float]
    chosen: int | None = None
    """Place of the option."""
    preferred: tuple[float, ...] = ()
    """The reward of each option."""
    known: tuple[str, ...] = ()
    """The preferences that it rests on."""
    hypothesis: str | None = None
    """The reply."""


class HabitusSolver:
    """A solver of the harness. Cases that follow each other with one history share an agent.

    Args:
        encoder: of all agents.
        scratch: folder for their data.
        generator: of all agents; None is the default, which needs no model.
        context_tokens: budget of the packed evidence.
    """

    def __init__(
        self,
        encoder: Encoder,
        scratch: Path,
        *,
        generator: BaseChatModel | None = None,
        context_tokens: int = 2_000,
    ) -> None:
        self._encoder, self._scratch, self._generator = encoder, scratch, generator
        self._context_tokens = context_tokens
        self._lock = Lock()
        self._held: tuple[str, Agent, TemporaryDirectory[str]] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._let_go()

    def __call__(self, case: Case) -> Solved:
        with self._lock:
            agent = self._agent(case.history, learn=case.kind != "retrieval")
            started = perf_counter()
            if case.kind == "retrieval":
                recalled = agent.recall(USER_ID, case.question, at=case.at)
                return _solved(case, recalled, started)
            if case.kind == "choice":
                return self._choose(case, agent, started)
            reply = agent.chat(USER_ID, case.question, at=case.at)
            return _solved(case, reply.recall, started, hypothesis=reply.text)

    def _choose(self, case: Case, agent: Agent, started: float) -> Solved:
        from habitus.memory.learning.reward import rewards

        held = agent.preferences(USER_ID, status="active")
        found = rewards(held, case.options, encoder=self._encoder, request=case.question)
        scores = tuple(float(one.score) for one in found)
        return Solved(
            question_id=case.id,
            question_type=case.type,
            latency_ms={"choice": 1e3 * (perf_counter() - started)},
            chosen=max(range(len(scores)), key=scores.__getitem__),
            preferred=scores,
            known=tuple(one.statement for one in held),
        )

    def _agent(self, history: History, *, learn: bool) -> Agent:
        from habitus.agent.agent import Agent
        from habitus.agent.settings import Settings

        if self._held is not None and self._held[0] == history.id:
            return self._held[1]
        self._let_go()
        folder = TemporaryDirectory(dir=self._scratch)
        settings = Settings(context_tokens=self._context_tokens)
        agent = Agent.open(folder.name, encoder=self._encoder, generator=self._generator, settings=settings)
        self._held = history.id, agent, folder
        agent.ingest(USER_ID, history.sessions, learn=learn)
        return agent

    def _let_go(self) -> None:
        if self._held is not None:
            _, agent, folder = self._held
            self._held = None
            agent.close()
            folder.cleanup()


def _solved(case: Case, recalled: Recall, started: float, *, hypothesis: str | None = None) -> Solved:
    return Solved(
        question_id=case.id,
        question_type=case.type,
        ranked_turn_ids=recalled.ranked_turn_ids[:MAX_RANKED],
        ranked_session_ids=recalled.ranked_session_ids[:MAX_RANKED],
        context_turn_ids=tuple(memory.turn_id for memory in recalled.evidence),
        context_texts=tuple(memory.text for memory in recalled.evidence),
        context_tokens=recalled.context_tokens,
        latency_ms={"question": 1e3 * (perf_counter() - started)},
        hypothesis=hypothesis,
    )
