"""A life played to Habitus through the nodes of its graph, and looked into with its own means."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from habitus.evals.harness.records import Result
from habitus.evals.lifelong import paths
from habitus.evals.lifelong.checks import found_in
from habitus.evals.lifelong.scenarios import (
    AnswerProbe,
    AppliedProbe,
    Check,
    GoneProbe,
    LeakProbe,
    Scenario,
    Step,
)
from habitus.evals.lifelong.simulator import Voice, scripted
from habitus.memory.known.preferences import is_positive

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from habitus.agent.agent import Agent
    from habitus.agent.reply import Reply
    from habitus.memory.records import Preference
    from habitus.retrievers.encoder import Encoder

CONTEXT_TOKENS = 2_000
FOREIGN_REPLY = "I see."
"""What the app's own model answers where the agent only looks on."""
DERIVED_LIMIT = 1
"""Users with more messages are searched through Chroma and tantivy."""

Taste = tuple[bool, str, str | None]


class Finding(BaseModel):
    """What came of one check; fields that do not apply to it are empty."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    asked: str = ""
    answer: str = ""
    retrieved: tuple[str, ...] = ()
    """What of memory was in the prompt, with its date."""
    why: str = ""
    """The agent's own account of the answer."""
    tastes: tuple[Taste, ...] = ()
    """Liked or not, object, occasion: those held, or those applied to the request."""
    styles: tuple[str, ...] = ()
    """The wishes for the length of replies that the agent holds."""
    n_read: int = 0
    """Ways in which memory was read."""
    leaks: dict[str, tuple[str, ...]] = {}
    """Words that came back and should not, by the way they came."""


class Played(Result):
    """What an agent made of one life: a finding for each check that it can be put to."""

    said: tuple[str, ...]
    """The user's words, step by step."""
    findings: tuple[Finding | None, ...]
    """One a check; None where the agent cannot be put to it."""
    latency_ms: dict[str, float] = {}
    """Mean of a turn and of a question."""


class HabitusPlayer:
    """Plays lives to fresh agents; a solver of the harness.

    Args:
        encoder: of all agents.
        scratch: folder for their data.
        generator: of all agents; None is the default, which needs no model.
        voice: who speaks for the user.
    """

    def __init__(
        self,
        encoder: Encoder,
        scratch: Path,
        *,
        generator: BaseChatModel | None = None,
        voice: Voice = scripted,
    ) -> None:
        self._encoder, self._scratch = encoder, scratch
        self._generator, self._voice = generator, voice

    def __call__(self, scenario: Scenario) -> Played:
        with TemporaryDirectory(dir=self._scratch) as folder:
            with self._opened(Path(folder), scenario) as agent:
                started = perf_counter()
                said = self._live(agent, scenario)
                lived = perf_counter() - started
                findings = [_found(agent, check) for check in scenario.checks]
                asked = perf_counter() - started - lived
            _search_files(Path(folder), scenario.checks, findings)
        return Played(
            question_id=scenario.id,
            question_type=scenario.type,
            said=tuple(said),
            findings=tuple(findings),
            latency_ms={"turn": 1e3 * lived / len(said), "check": 1e3 * asked / len(findings)},
        )

    def _opened(self, folder: Path, scenario: Scenario) -> AbstractContextManager[Agent]:
        from habitus.agent.agent import Agent
        from habitus.agent.defaults import default_generator
        from habitus.agent.settings import Settings
        from habitus.memory.storage.embedded import EmbeddedStore

        limit: dict[str, Any] = {"exact_limit": DERIVED_LIMIT, "index_after": 0} if scenario.derived else {}
        store = EmbeddedStore.open(folder, self._encoder, **limit)
        generator = self._generator or default_generator(self._encoder)
        return Agent(store=store, generator=generator, settings=Settings(context_tokens=CONTEXT_TOKENS))

    def _live(self, agent: Agent, scenario: Scenario) -> list[str]:
        said: list[str] = []
        reply: Reply | None = None
        for step in scenario.steps:
            words = self._voice(scenario, step, reply.text if reply else "")
            reply = _do(agent, step, words, reply)
            said.append(words or step.intent)
        agent.settle()
        if scenario.derived:
            agent.store.flush()
        return said


def _do(agent: Agent, step: Step, words: str, reply: Reply | None) -> Reply | None:
    if step.how == "chat":
        return agent.chat(step.user, words, at=step.at)
    if step.how == "observe":
        return agent.observe(step.user, words, FOREIGN_REPLY, at=step.at)
    if step.how == "forget":
        agent.forget_about(step.user, words)
        return None
    if reply is None:
        raise ValueError(f"a life has {step.how!r} where there is no reply to give feedback on")
    if step.how == "rate":
        agent.feedback(step.user, reply.turn_id, rating=-1.0, at=step.at)
    else:
        agent.feedback(step.user, reply.turn_id, comment=words, at=step.at)
    return reply


def _found(agent: Agent, check: Check) -> Finding:
    probe, at = check.probe, check.at
    if isinstance(probe, AnswerProbe):
        return _answered(agent.chat(probe.user, probe.question, at=at), probe.question)
    if isinstance(probe, AppliedProbe):
        reply = agent.chat("user", probe.request, at=at)
        applied = [one.preference for one in reply.applied]
        return _answered(reply, probe.request).model_copy(update={"tastes": _tastes(applied)})
    if isinstance(probe, GoneProbe):
        read = paths.read_all(agent, "user", probe.questions, at)
        return _leaks(read, probe.needles, probe.questions)
    if isinstance(probe, LeakProbe):
        return _fished(agent, probe, at)
    held = agent.preferences("user", status="active")
    styles = tuple(one.statement for one in held if one.topic == "style.length")
    return Finding(tastes=_tastes(held), styles=styles)


def _answered(reply: Reply, question: str) -> Finding:
    retrieved = tuple(f"{memory.at:%Y-%m-%d}: {memory.text}" for memory in reply.memories)
    return Finding(asked=question, answer=reply.text, retrieved=retrieved, why=reply.why())


def _tastes(preferences: Sequence[Preference]) -> tuple[Taste, ...]:
    return tuple(
        (liked, one.target, one.scope)
        for one in preferences
        if not one.topic.startswith("style.") and (liked := is_positive(one.stance)) is not None
    )


def _leaks(read: dict[str, str], needles: Sequence[str], questions: Sequence[str]) -> Finding:
    leaks = {name: found for name, text in read.items() if (found := found_in(text, needles))}
    return Finding(asked="\n".join(questions), n_read=len(read), leaks=leaks)


def _fished(agent: Agent, probe: LeakProbe, at: datetime) -> Finding:
    before = agent.export(probe.owner)
    read = paths.read_all(agent, probe.reader, probe.questions, at)
    read |= paths.attack(agent, probe.reader, probe.owner, at)
    finding = _leaks(read, probe.needles, probe.questions)
    if agent.export(probe.owner) == before:
        return finding
    return finding.model_copy(update={"leaks": {**finding.leaks, "the owner's memory was changed": ()}})


def _search_files(folder: Path, checks: Sequence[Check], findings: list[Finding]) -> None:
    """Look for what was forgotten in every file, once the agent is closed."""
    for place, check in enumerate(checks):
        if isinstance(check.probe, GoneProbe):
            leaks = dict(findings[place].leaks)
            for name, content in paths.files(folder).items():
                held = tuple(needle for needle in check.probe.needles if needle.encode() in content)
                if held:
                    leaks[f"file {name}"] = held
            n_read = findings[place].n_read + 1
            findings[place] = findings[place].model_copy(update={"leaks": leaks, "n_read": n_read})
