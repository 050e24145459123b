"""How LoCoMo's questions are put to an agent, and how what comes back is scored."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock
from time import perf_counter
from typing import TYPE_CHECKING, Generic, TypeVar, cast

import numpy as np

from habitus.agent.generators.extractive import UNKNOWN
from habitus.evals.evaluated import USER_ID, RecallingAgent
from habitus.evals.harness.agents import Answer, EvaluatedAgent, opened
from habitus.evals.harness.judged import Verdicts
from habitus.evals.harness.models import metered
from habitus.evals.harness.records import Score
from habitus.evals.judges.judging import Judge
from habitus.evals.judges.longmemeval import prompt_texts, reply_case
from habitus.evals.locomo.files import ADVERSARIAL, CATEGORIES, LocomoConversation, LocomoQuestion
from habitus.evals.longmemeval.answers import Answering
from habitus.evals.metrics.texts import locomo_bleu1, locomo_f1
from habitus.evals.reports.runlog import Finished
from habitus.evals.running import AgentUnderTest
from habitus.memory.records import Conversation, Message

if TYPE_CHECKING:
    from habitus.agent.agent import Agent
    from habitus.retrievers.encoder import Encoder

KS = (5, 10, 20)
AGENT, BASELINE = "agent", "turn cosine"
TASK = (
    "Answer in a short phrase, in the words of the conversation where you can. Name days by their date. If "
    "the conversation does not tell, answer: No information available."
)
"""What a model is asked for beside the question: the metrics compare with answers of a few words."""
_NUMBERS = {name: number for number, name in CATEGORIES.items()}

A = TypeVar("A")


@dataclass(frozen=True)
class Asked:
    """A question and the conversation that it is about."""

    conversation: LocomoConversation
    question: LocomoQuestion

    @property
    def id(self) -> str:
        return self.question.id

    @property
    def type(self) -> str:
        return self.question.category


def prompts(*, judged: bool) -> dict[str, str]:
    """Return what models are asked, for the manifest."""
    told = {"task": TASK}
    if judged:
        kinds = ("judge.single-session-user", "judge.abstention")
        told |= {name: text for name, text in prompt_texts().items() if name in kinds}
    return told


class _Holding(Generic[A]):
    """Agents that hold one conversation each, opened at its first question and closed at the end."""

    def __init__(
        self,
        open_agent: Callable[[Path], AbstractContextManager[A]],
        take_in: Callable[[A, LocomoConversation], None],
        scratch: Path,
    ) -> None:
        self._open, self._take_in, self._scratch = open_agent, take_in, scratch
        self._agents: dict[str, A] = {}
        self._lock = Lock()
        self._stack = ExitStack()

    def of(self, conversation: LocomoConversation) -> A:
        with self._lock:
            if conversation.id not in self._agents:
                folder = self._scratch / str(len(self._agents))
                folder.mkdir()
                agent = self._stack.enter_context(self._open(folder))
                self._take_in(agent, conversation)
                self._agents[conversation.id] = agent
            return self._agents[conversation.id]

    def close(self) -> None:
        self._stack.close()


@contextmanager
def solving(
    agent: AgentUnderTest | Answering, scratch: Path, *, with_replies: bool
) -> Iterator[Callable[[Asked], Finished]]:
    """Give a solver that asks one agent all questions to a conversation.

    Args:
        agent: how it is made.
        scratch: an existing folder for the agents' folders.
        with_replies: ask for a reply as well; an agent behind the two methods is asked for nothing else.
    """
    if isinstance(agent, Answering):
        factory, parts = agent.factory, agent.parts.told(TASK)
        answering = _Holding[EvaluatedAgent](
            lambda folder: opened(factory, folder, parts),
            lambda one, conversation: _ignore(one.ingest(USER_ID, list(conversations(conversation)))),
            scratch,
        )
        try:
            yield lambda asked: answer(answering.of(asked.conversation), asked)
        finally:
            answering.close()
        return
    holding = _Holding[RecallingAgent](
        agent.open,
        lambda one, conversation: _ignore(one.ingest(USER_ID, conversations(conversation), learn=False)),
        scratch,
    )
    try:
        yield lambda asked: recall(holding.of(asked.conversation), asked, with_reply=with_replies)
    finally:
        holding.close()


def _ignore(value: object) -> None:
    """Drop what a call returns."""


def _aliases(conversation: LocomoConversation) -> dict[str, str]:
    """Return the file's ids of sessions by ids that tell nothing."""
    return {f"session-{number:04d}": one.id for number, one in enumerate(conversation.sessions, start=1)}


def conversations(conversation: LocomoConversation) -> Iterator[Conversation]:
    """Yield the sessions as an agent takes them in."""
    for alias, one in zip(_aliases(conversation), conversation.sessions, strict=True):
        messages = tuple(Message(role="user", text=turn.said) for turn in one.turns)
        yield Conversation(id=alias, at=one.at, messages=messages)


def asked_at(conversation: LocomoConversation) -> datetime:
    """Return when questions are asked: after the last message."""
    last = conversation.sessions[-1]
    return last.at + timedelta(seconds=len(last.turns))


def recall(agent: RecallingAgent, asked: Asked, *, with_reply: bool = False) -> Finished:
    """Put a question to an agent that holds its conversation; the result is in the file's ids."""
    conversation, question = asked.conversation, asked.question
    sessions = _aliases(conversation)
    turns = {
        f"{alias}:{n}": turn.id
        for alias, one in zip(sessions, conversation.sessions, strict=True)
        for n, turn in enumerate(one.turns)
    }
    started = perf_counter()
    found = agent.recall(USER_ID, question.question, at=asked_at(conversation))
    latency_ms = {"recall": round(1e3 * (perf_counter() - started), 3)}
    result = Finished(
        question_id=question.id,
        question_type=question.category,
        routes=tuple(sorted(found.routes)),
        ranked_session_ids=tuple(sessions[alias] for alias in found.ranked_session_ids),
        ranked_turn_ids=tuple(turns[alias] for alias in found.ranked_turn_ids),
        context_turn_ids=tuple(turns[packed.turn_id] for packed in found.evidence),
        context_texts=tuple(packed.text for packed in found.evidence),
        context_tokens=found.context_tokens,
        latency_ms=latency_ms,
    )
    return _with_reply(cast("Agent", agent), asked, result) if with_reply else result


def _with_reply(agent: Agent, asked: Asked, result: Finished) -> Finished:
    """Add the reply to the prompt that a chat would have; nothing of it is remembered."""
    at = asked_at(asked.conversation)
    started = perf_counter()
    with metered() as meter:
        prepared = agent.prepare(USER_ID, asked.question.question, at=at, instructions=TASK)
        reply = str(agent.generator.invoke(list(prepared.messages)).text)
    latency_ms = {**result.latency_ms, "reply": round(1e3 * (perf_counter() - started), 3)}
    return result.model_copy(
        update={
            "hypothesis": reply,
            "usage": meter.usage,
            "cut": prepared.cut,
            "latency_ms": latency_ms,
        }
    )


def answer(agent: EvaluatedAgent, asked: Asked) -> Finished:
    """Put a question to an agent that only answers."""
    started = perf_counter()
    with metered() as meter:
        given = agent.answer(USER_ID, asked.question.question, asked_at(asked.conversation))
    told = Answer(text=given) if isinstance(given, str) else given
    return Finished(
        question_id=asked.id,
        question_type=asked.type,
        recalled=False,
        hypothesis=told.text,
        usage=told.usage or meter.usage,
        cut=told.cut,
        latency_ms={"answer": round(1e3 * (perf_counter() - started), 3)},
    )


class LocomoScorer:
    """Scores recall beside the baseline's, and replies.

    Args:
        encoder: of the baseline.
        verdicts: where the judge's verdicts go; None without a judge.
        judge: of the replies.
    """

    def __init__(
        self, encoder: Encoder, verdicts: Verdicts | None = None, judge: Judge | None = None
    ) -> None:
        self._encoder, self._verdicts, self._judge = encoder, verdicts, judge
        self._plain: dict[str, dict[str, list[str]]] = {}
        self._lock = Lock()

    def __call__(self, asked: Asked, result: Finished) -> Score:
        question = asked.question
        views: dict[str, dict[str, float]] = {}
        if result.recalled and question.evidence and question.category != ADVERSARIAL:
            views |= self._recalls(asked, result)
        if result.hypothesis is not None:
            views |= replied(question, result.hypothesis)
            views |= self._judged(question, result.hypothesis)
        return Score(question_id=question.id, question_type=question.category, views=views)

    def _recalls(self, asked: Asked, result: Finished) -> dict[str, dict[str, float]]:
        conversation, question = asked.conversation, asked.question
        with self._lock:
            if conversation.id not in self._plain:
                self._plain[conversation.id] = cosine_rankings(
                    conversation, conversation.questions, self._encoder
                )
        by_cosine = self._plain[conversation.id][question.id]
        session_of = conversation.session_of
        plain_sessions = list(dict.fromkeys(session_of[turn] for turn in by_cosine))
        rankings = {
            AGENT: (result.ranked_turn_ids, result.ranked_session_ids),
            BASELINE: (by_cosine, plain_sessions),
        }
        return {
            f"recall.{system}": _recalls(turns, sessions, question.evidence, session_of)
            for system, (turns, sessions) in rankings.items()
        }

    def _judged(self, question: LocomoQuestion, reply: str) -> dict[str, dict[str, float]]:
        if self._verdicts is None or self._judge is None:
            return {}
        kind, gold = "", question.answer
        if question.category == ADVERSARIAL:
            kind, gold = "abstention", f"This was never said. A wrong answer would be: {question.answer}"
        case = reply_case(kind, question.question, gold, reply)
        right = self._verdicts.accuracy(self._judge, question.id, case)
        return {} if right is None else {"judged.all": right}


def replied(question: LocomoQuestion, reply: str) -> dict[str, dict[str, float]]:
    """Score the words of a reply.

    Adversarial questions have a view of their own: `official`, the reply holds one of the two phrases that
    the official code looks for; `declined`, it does, or says what our generator without weights says.
    """
    if question.category == ADVERSARIAL:
        official = locomo_f1(reply, "", 5)
        return {"adversarial": {"official": official, "declined": max(official, float(UNKNOWN in reply))}}
    number = _NUMBERS[question.category]
    f1, bleu1 = locomo_f1(reply, question.answer, number), locomo_bleu1(reply, question.answer)
    return {"answer": {"f1": f1, "bleu1": bleu1}}


def cosine_rankings(
    conversation: LocomoConversation, questions: Sequence[LocomoQuestion], encoder: Encoder
) -> dict[str, list[str]]:
    """Return for each question the ids of all turns by cosine, best first; ties in time order."""
    turns = [turn for session in conversation.sessions for turn in session.turns]
    cosines = encoder.encode([one.question for one in questions]) @ encoder.encode([t.said for t in turns]).T
    orders = np.argsort(-cosines, axis=1, kind="stable")
    return {one.id: [turns[row].id for row in order] for one, order in zip(questions, orders, strict=True)}


def _recalls(
    turn_ids: Sequence[str],
    session_ids: Sequence[str],
    evidence: Collection[str],
    session_of: Mapping[str, str],
) -> dict[str, float]:
    sessions = {session_of[turn] for turn in evidence}
    return {
        **{f"turn_recall@{k}": share_found(turn_ids, evidence, k) for k in KS},
        **{f"session_recall@{k}": share_found(session_ids, sessions, k) for k in KS},
    }


def share_found(ranked: Sequence[str], relevant: Collection[str], k: int) -> float:
    """Return the share of the relevant ids that are among the first `k`: recall@k, 0..1."""
    return len(set(ranked[:k]).intersection(relevant)) / len(relevant)
