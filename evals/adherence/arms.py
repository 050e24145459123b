"""What the system under test is asked: a chat model with one of the paper's prompts, or an agent.

A chat model reads the whole conversation: the preference, its own answer to that, the conversations in
between, the question. Agents read the same as sessions on different days and are asked in a new one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from habitus.evals.adherence.prompts import TOP_K, ArmPrompts
from habitus.evals.adherence.samples import AdherenceSample, Message
from habitus.evals.harness.agents import AgentFactory, Parts, opened
from habitus.evals.harness.models import metered
from habitus.evals.harness.records import Result
from habitus.memory import records

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import BaseMessage

    from habitus.agent.agent import Agent
    from habitus.retrievers.encoder import Encoder

SYSTEM = "You are a helpful assistant."
START = datetime(2025, 3, 3, 9, tzinfo=UTC)
_USER = "user"

Solver = Callable[[AdherenceSample], "AdherenceResult"]


class AdherenceResult(Result):
    """What was answered to one sample."""

    reply: str
    first_reply: str | None = None
    """Before the critique."""
    critique: str | None = None
    seconds: float


class ChatArm:
    """A chat model with the whole conversation in its prompt. Safe to use from several threads.

    Args:
        model: under test; errors that its client gives up on are raised.
        arm: one of `options.ARMS` other than `agent`.
        prompts: words of the arms.
        encoder: made when `rag` first needs it.
    """

    def __init__(
        self, model: BaseChatModel, arm: str, prompts: ArmPrompts, encoder: Callable[[], Encoder]
    ) -> None:
        self._model, self._arm, self._prompts = model, arm, prompts
        self._nearest = Nearest(encoder)
        self._acknowledged: dict[tuple[Message, ...], str] = {}
        self._locks: dict[tuple[Message, ...], Lock] = {}
        self._lock = Lock()

    def __call__(self, sample: AdherenceSample) -> AdherenceResult:
        started = perf_counter()
        with metered() as meter:
            history = self._history(sample)
            asked = self._question(sample, history)
            reply = self._say([*history, ("user", asked)])
            first = critique = None
            if self._arm == "self-critique":
                first = reply
                answered: list[Message] = [*history, ("user", asked), ("assistant", first)]
                answered.append(("user", self._prompts.critique))
                critique = self._say(answered)
                again = self._prompts.revise(bounded(sample, self._prompts))
                reply = self._say([*answered, ("assistant", critique), ("user", again)])
        return AdherenceResult(
            question_id=sample.id,
            question_type=sample.type,
            usage=meter.usage,
            reply=reply,
            first_reply=first,
            critique=critique,
            seconds=round(perf_counter() - started, 3),
        )

    def _history(self, sample: AdherenceSample) -> list[Message]:
        told = list(sample.told)
        if told[-1][0] == "user":
            told.append(("assistant", self._acknowledgement(sample.told)))
        return [*told, *(message for conversation in sample.others for message in conversation)]

    def _acknowledgement(self, told: tuple[Message, ...]) -> str:
        """Return what the model itself says to the preference; asked once for all distances."""
        with self._lock:
            lock = self._locks.setdefault(told, Lock())
        with lock:
            if told not in self._acknowledged:
                self._acknowledged[told] = self._say(told)
            return self._acknowledged[told]

    def _question(self, sample: AdherenceSample, history: Sequence[Message]) -> str:
        asked = bounded(sample, self._prompts)
        if self._arm == "reminder":
            return self._prompts.remind(asked)
        if self._arm == "chain-of-thought":
            return self._prompts.think(asked)
        if self._arm == "rag":
            return self._prompts.with_found(self._nearest(history, sample.question), asked)
        return asked

    def _say(self, messages: Sequence[Message]) -> str:
        return str(self._model.invoke(_as_prompt(messages)).text)


class Nearest:
    """The messages nearest to a question by the cosine of their embeddings, nearest first.

    Vectors are kept: the samples of a topic share their conversations.

    Args:
        encoder: made when first needed.
        k: how many messages.
    """

    def __init__(self, encoder: Callable[[], Encoder], k: int = TOP_K) -> None:
        self._encoder, self._k = encoder, k
        self._vectors: dict[str, npt.NDArray[np.float32]] = {}
        self._lock = Lock()

    def __call__(self, messages: Sequence[Message], question: str) -> list[Message]:
        matrix = self._encoded([text for _, text in messages])
        scores = matrix @ self._encoded([question])[0]
        best = np.argsort(-scores, kind="stable")[: self._k]
        return [messages[int(place)] for place in best]

    def _encoded(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        with self._lock:
            new = [text for text in dict.fromkeys(texts) if text not in self._vectors]
            if new:
                self._vectors.update(zip(new, self._encoder().encode(new), strict=True))
            return np.stack([self._vectors[text] for text in texts])


class AgentArm:
    """Anybody's agent by its two methods: sessions first, then the question in a new one.

    Args:
        factory: makes a fresh agent for every sample.
        parts: what it is made of.
        scratch: an existing folder for the agents' folders.
        prompts: words of the request to choose.
    """

    def __init__(self, factory: AgentFactory, parts: Parts, scratch: Path, prompts: ArmPrompts) -> None:
        self._factory, self._parts, self._scratch, self._prompts = factory, parts, scratch, prompts

    def __call__(self, sample: AdherenceSample) -> AdherenceResult:
        started = perf_counter()
        with (
            metered() as meter,
            TemporaryDirectory(dir=self._scratch) as folder,
            opened(self._factory, Path(folder), self._parts) as agent,
        ):
            agent.ingest(_USER, [_session("told", sample.told, START), *_sessions(sample)])
            answer = agent.answer(_USER, question(sample, self._prompts), ask_at(sample))
        text, usage = (answer, None) if isinstance(answer, str) else (answer.text, answer.usage)
        return _result(sample, text, started).model_copy(update={"usage": usage or meter.usage})


class HabitusArm:
    """Habitus as it chats: the telling of the preference passes through the nodes of a turn, as the question.

    Args:
        open_agent: opens a fresh agent on an empty folder.
        scratch: an existing folder for the agents' folders.
        prompts: words of the request to choose.
    """

    def __init__(
        self,
        open_agent: Callable[[Path], AbstractContextManager[Agent]],
        scratch: Path,
        prompts: ArmPrompts,
    ) -> None:
        self._open, self._scratch, self._prompts = open_agent, scratch, prompts

    def __call__(self, sample: AdherenceSample) -> AdherenceResult:
        started = perf_counter()
        with (
            metered() as meter,
            TemporaryDirectory(dir=self._scratch) as folder,
            self._open(Path(folder)) as agent,
        ):
            _tell(agent, sample.told)
            agent.ingest(_USER, _sessions(sample))
            reply = agent.chat(_USER, question(sample, self._prompts), at=ask_at(sample))
        return _result(sample, reply.text, started).model_copy(update={"usage": meter.usage})


def _tell(agent: Agent, told: Sequence[Message]) -> None:
    """Have the conversation that tells the preference; where the file has the answers, those are taken."""
    for place, (role, text) in enumerate(told):
        if role != "user":
            continue
        at = START + timedelta(minutes=place)
        if place + 1 < len(told) and told[place + 1][0] == "assistant":
            agent.observe(_USER, text, told[place + 1][1], at=at)
        else:
            agent.chat(_USER, text, at=at)


def question(sample: AdherenceSample, prompts: ArmPrompts) -> str:
    """Return the question, with its options where there are any."""
    return sample.question + prompts.choose(sample.options) if sample.options else sample.question


def bounded(sample: AdherenceSample, prompts: ArmPrompts) -> str:
    """Return the question as chat models are asked it, with how long an answer may be, as in the paper.

    Agents are not told: a limit in the message would be taken for the user's wish.
    """
    asked = question(sample, prompts)
    return asked if sample.options else prompts.in_words(asked)


def ask_at(sample: AdherenceSample) -> datetime:
    """Return when an agent is asked: the day after the last conversation."""
    return START + timedelta(days=len(sample.others) + 1)


def _sessions(sample: AdherenceSample) -> list[records.Conversation]:
    return [
        _session(f"other-{number}", messages, START + timedelta(days=number + 1) - timedelta(hours=1))
        for number, messages in enumerate(sample.others)
    ]


def _session(name: str, messages: Sequence[Message], at: datetime) -> records.Conversation:
    made = tuple(records.Message(role=role, text=text.replace("\x00", " ")) for role, text in messages)
    return records.Conversation(id=name, at=at, messages=made)


def _result(sample: AdherenceSample, reply: str, started: float) -> AdherenceResult:
    seconds = round(perf_counter() - started, 3)
    return AdherenceResult(question_id=sample.id, question_type=sample.type, reply=reply, seconds=seconds)


def _as_prompt(messages: Sequence[Message]) -> list[BaseMessage]:
    from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

    return [
        SystemMessage(SYSTEM),
        *(HumanMessage(text) if role == "user" else AIMessage(text) for role, text in messages),
    ]
