"""A life played to anybody's agent, through `ingest` and `answer` alone.

Every message is brought in as a session of its day with a neutral reply, feedback as a message. Only answers
can be looked at: checks of records and of what is applied are left out.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory

from habitus.evals.harness.agents import AgentFactory, Answer, EvaluatedAgent, Parts, opened
from habitus.evals.lifelong.checks import found_in
from habitus.evals.lifelong.playing import FOREIGN_REPLY, Finding, Played
from habitus.evals.lifelong.scenarios import AnswerProbe, Check, GoneProbe, LeakProbe, Scenario, Step
from habitus.evals.lifelong.simulator import Voice, scripted
from habitus.memory.records import Conversation, Message


class OutsidePlayer:
    """Plays lives to agents of any making; a solver of the harness.

    Args:
        factory: makes an agent on an empty folder.
        parts: what agents are made of.
        scratch: folder for their data.
        voice: who speaks for the user.
    """

    def __init__(
        self, factory: AgentFactory, parts: Parts, scratch: Path, *, voice: Voice = scripted
    ) -> None:
        self._factory, self._parts, self._scratch, self._voice = factory, parts, scratch, voice

    def __call__(self, scenario: Scenario) -> Played:
        said: list[str] = []
        sessions: dict[str, list[Conversation]] = defaultdict(list)
        for step in scenario.steps:
            words = self._voice(scenario, step, FOREIGN_REPLY) or "That was not good."
            said.append(words)
            sessions[step.user].append(_session(step, f"{scenario.id}-{len(said)}", words))
        with (
            TemporaryDirectory(dir=self._scratch) as folder,
            opened(self._factory, Path(folder), self._parts) as agent,
        ):
            for user, told in sessions.items():
                agent.ingest(user, told)
            findings = tuple(_found(agent, check) for check in scenario.checks)
        return Played(
            question_id=scenario.id, question_type=scenario.type, said=tuple(said), findings=findings
        )


def _session(step: Step, name: str, words: str) -> Conversation:
    if step.how == "forget":
        words = f"Forget this: {words}"
    messages = (
        Message(role="user", text=words, at=step.at),
        Message(role="assistant", text=FOREIGN_REPLY, at=step.at),
    )
    return Conversation(id=name, at=step.at, messages=messages)


def _found(agent: EvaluatedAgent, check: Check) -> Finding | None:
    probe = check.probe
    if isinstance(probe, AnswerProbe):
        return Finding(asked=probe.question, answer=_text(agent.answer(probe.user, probe.question, check.at)))
    if isinstance(probe, (GoneProbe, LeakProbe)):
        reader = probe.reader if isinstance(probe, LeakProbe) else "user"
        leaks = {}
        for question in probe.questions:
            if found := found_in(_text(agent.answer(reader, question, check.at)), probe.needles):
                leaks[question] = found
        return Finding(asked="\n".join(probe.questions), n_read=len(probe.questions), leaks=leaks)
    return None


def _text(answer: str | Answer) -> str:
    return answer.text if isinstance(answer, Answer) else answer
