"""LongMemEval over an agent: every question is a fresh user of a fresh agent, or all are one user's.

The histories go through the agent's own ingestion and the questions through its own recall (or chat).
Official ids name the evidence, so the agent is given neutral ones, mapped back on the way out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from habitus.agent.prompting.budgets import Cut
from habitus.evals.evaluated import USER_ID, AgentFactory, Recalled, RecallingAgent
from habitus.evals.harness import runner
from habitus.evals.longmemeval.files import HaystackSession, Sample, official_turn_id
from habitus.evals.longmemeval.scoring import Score
from habitus.evals.reports.runlog import Finished, PackedContext
from habitus.memory.records import Conversation, Message

Outcome = runner.Outcome[Score]
Solver = Callable[[Sample], Finished]
"""Puts one question to an agent and returns the result in official ids."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """What is asked of an agent for each question."""

    context_tokens: int = 2_000
    """Budget of the packed context."""
    other_context_tokens: tuple[int, ...] = ()
    """Further budgets; the agent recalls anew at each."""
    with_replies: bool = False
    """Ask for a reply as well (`agent.chat`)."""
    metered: bool = False
    """Count the calls of chat models."""
    max_ranked: int | None = None
    """Longer rankings are cut off; None keeps all."""


def fresh_user(open_agent: AgentFactory, scratch: Path, task: Task) -> Solver:
    """Return a solver for which every question is a fresh user of a fresh agent.

    Args:
        open_agent: called once a question with an empty folder, deleted afterwards.
        scratch: an existing folder for the agents' folders.
        task: what is asked.
    """

    def solver(sample: Sample) -> Finished:
        with TemporaryDirectory(dir=scratch) as folder:
            if not task.metered:
                return solve(sample, open_agent, Path(folder), task)
            from habitus.evals.harness.models import metered

            with metered() as meter:
                result = solve(sample, open_agent, Path(folder), task)
            return result.model_copy(update={"usage": meter.usage})

    return solver


def solve(sample: Sample, open_agent: AgentFactory, folder: Path, task: Task) -> Finished:
    """Ingest a history into a fresh agent, ask the question and return the result in official ids.

    Raises:
        ValueError: the agent returned an id that it was never given.
    """
    aliases = Aliases(sample.sessions)
    started = perf_counter()
    with open_agent(folder) as agent:
        opened = perf_counter()
        agent.ingest(USER_ID, aliases.conversations)
        ingested = perf_counter()
        result = ask(agent, sample, aliases, task, asked_at=ask_at(sample))
        asked = perf_counter()
    closed = {"close": 1e3 * (perf_counter() - asked)}
    spent = {"open": 1e3 * (opened - started), "ingest": 1e3 * (ingested - opened)}
    latency_ms = {**_rounded(spent), **result.latency_ms, **_rounded(closed)}
    return result.model_copy(update={"latency_ms": latency_ms})


@contextmanager
def one_user(
    open_agent: AgentFactory,
    folder: Path,
    sessions: Sequence[HaystackSession],
    task: Task,
    settle: Callable[[RecallingAgent], None] = lambda agent: None,
) -> Iterator[Solver]:
    """Give a solver for which all questions ask one user, who has said all of `sessions`.

    Nothing is learnt from the messages: recall does not read preferences, and those of many people are
    nobody's. A question is asked at its own date.

    Args:
        open_agent: called once with the folder.
        folder: an empty one.
        sessions: the haystack of every question.
        task: what is asked.
        settle: called with the agent once all is said, before the first question.
    """
    aliases = Aliases(sessions)
    with open_agent(folder) as agent:
        agent.ingest(USER_ID, aliases.conversations, learn=False)
        settle(agent)
        yield lambda sample: ask(agent, sample, aliases, task, asked_at=sample.at)


def ask(
    agent: RecallingAgent, sample: Sample, aliases: Aliases, task: Task, *, asked_at: datetime
) -> Finished:
    """Put a question to an agent that holds its history; the result is in official ids.

    Raises:
        ValueError: the agent returned an id that it was never given.
    """
    started = perf_counter()
    recalled = agent.recall(USER_ID, sample.question, at=asked_at, context_tokens=task.context_tokens)
    latency_ms = {
        "recall": 1e3 * (perf_counter() - started),
        **{f"recall.{node}": float(value) for node, value in recalled.timings_ms.items()},
    }
    others = {
        budget: _packed(agent.recall(USER_ID, sample.question, at=asked_at, context_tokens=budget), aliases)
        for budget in task.other_context_tokens
    }
    hypothesis: str | None = None
    cut: tuple[Cut, ...] = ()
    if task.with_replies:
        started = perf_counter()
        reply = agent.chat(USER_ID, sample.question, at=asked_at)
        hypothesis, cut = reply.text, tuple(reply.cut)
        latency_ms["chat"] = 1e3 * (perf_counter() - started)
    packed = _packed(recalled, aliases)
    return Finished(
        question_id=sample.id,
        question_type=sample.type,
        routes=tuple(sorted(recalled.routes)),
        ranked_session_ids=aliases.official_sessions(recalled.ranked_session_ids)[: task.max_ranked],
        ranked_turn_ids=aliases.official_turns(recalled.ranked_turn_ids)[: task.max_ranked],
        context_turn_ids=packed.turn_ids,
        context_texts=packed.texts,
        context_tokens=packed.n_tokens,
        latency_ms=_rounded(latency_ms),
        hypothesis=hypothesis,
        cut=cut,
        other_contexts=others or None,
    )


def _packed(recalled: Recalled, aliases: Aliases) -> PackedContext:
    packed: dict[str, str] = {}
    for turn in recalled.evidence:
        packed.setdefault(aliases.official_turns([turn.turn_id])[0], turn.text)
    return PackedContext(
        turn_ids=tuple(packed), texts=tuple(packed.values()), n_tokens=recalled.context_tokens
    )


def _rounded(latency_ms: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 3) for name, value in latency_ms.items()}


def ask_at(sample: Sample) -> datetime:
    """Return when the question is put: at its date, but not before the last message of the history.

    In one question of seven the file dates the question some hours before sessions of the same day, at
    times before its own evidence. The official code ignores dates; an agent may well not search the future.
    """
    last = max(
        (session.at + timedelta(seconds=len(session.turns)) for session in sample.sessions), default=sample.at
    )
    return max(sample.at, last)


class Aliases:
    """A history under ids that tell nothing, and the way back.

    Sessions are numbered in order of date, so both copies of a repeated session get an id of their own.
    Blank messages, which some files hold, are left out.
    """

    def __init__(self, sessions: Sequence[HaystackSession]) -> None:
        self.conversations: list[Conversation] = []
        self._sessions: dict[str, str] = {}
        self._turns: dict[str, str] = {}
        for number, session in enumerate(sessions, start=1):
            alias = f"session-{number:04d}"
            spoken = [(index, turn) for index, turn in enumerate(session.turns) if turn.text.strip()]
            if not spoken:
                continue
            self._sessions[alias] = session.id
            for place, (index, _) in enumerate(spoken):
                self._turns[f"{alias}:{place}"] = official_turn_id(session.id, index)
            messages = tuple(Message(role=turn.role, text=turn.text) for _, turn in spoken)
            self.conversations.append(Conversation(id=alias, at=session.at, messages=messages))

    def official_sessions(self, aliases: Iterable[str]) -> tuple[str, ...]:
        """Map session ids back; a repeated session keeps its best rank."""
        return _mapped(aliases, self._sessions, "session")

    def official_turns(self, aliases: Iterable[str]) -> tuple[str, ...]:
        """Map turn ids back; a turn of a repeated session keeps its best rank."""
        return _mapped(aliases, self._turns, "turn")


def _mapped(aliases: Iterable[str], names: Mapping[str, str], what: str) -> tuple[str, ...]:
    found = []
    for alias in aliases:
        if alias not in names:
            raise ValueError(f"the agent returned the {what} {alias!r}, which it was never given")
        found.append(names[alias])
    return tuple(dict.fromkeys(found))
