"""Recall within one long session: is what was said hundreds of turns ago in the prompt when it is asked for?

The history of a LongMemEval question becomes a single session that is still going on: its evidence sessions
and others of its haystack, in random order, one message after the other, and then the question. Memory is
filled by the store's own commit; the question goes through the whole graph, and what the generator is shown
is looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal

from habitus.evals.harness.records import Result, Score
from habitus.evals.longmemeval.files import HaystackSession, HaystackTurn, Sample

if TYPE_CHECKING:
    from rich.console import Console

    from habitus.agent.settings import Settings
    from habitus.retrievers.encoder import Encoder

Place = Literal["window", "short-term memory", "store"]
PLACES: tuple[Place, ...] = ("window", "short-term memory", "store")
_USER, _SESSION = "user", "session"


class Asked(Result):
    """What became of one question."""

    found: tuple[tuple[Place, bool], ...]
    """For each turn of evidence, where it stood when the question came, and whether the prompt holds it,
    whole or in part."""
    n_turns: int
    """Of the session before the question."""
    window_tokens: int
    """What the window cost."""
    context_tokens: int
    """What the packed memories cost."""


@dataclass(frozen=True, kw_only=True)
class SessionScore(Score):
    """How a question went: the share of its evidence in the prompt, and whether all of it is."""

    asked: Asked


def score(sample: Sample, asked: Asked) -> SessionScore:
    """Score a question."""
    there = [is_there for _, is_there in asked.found]
    values = {"evidence_in_prompt": sum(there) / len(there), "every_evidence_turn": float(all(there))}
    return SessionScore(
        question_id=asked.question_id,
        question_type=asked.question_type,
        views={"session": values},
        asked=asked,
    )


def long_session(sample: Sample, n_turns: int, seed: int = 0) -> list[HaystackTurn] | None:
    """Return one session of `n_turns` messages that holds all evidence; None if there is too little or much.

    Args:
        sample: the question with its history.
        n_turns: wanted; sessions that are no evidence are cut off at its end.
        seed: of the order.
    """
    random = Random(f"{seed}:{sample.id}")
    evidence = [one for one in sample.sessions if one.id in sample.evidence_session_ids]
    others = [one for one in sample.sessions if one.id not in sample.evidence_session_ids]
    random.shuffle(others)
    left = n_turns - sum(map(len, map(_spoken, evidence)))
    chosen = [(one, _spoken(one)) for one in evidence]
    for one in others:
        part = _spoken(one)[: max(left, 0)]
        left -= len(part)
        if part:
            chosen.append((one, part))
    if left != 0 or not any(turn.has_answer for _, part in chosen for turn in part):
        return None
    random.shuffle(chosen)
    return [turn for _, part in chosen for turn in part]


def _spoken(session: HaystackSession) -> list[HaystackTurn]:
    return [turn for turn in session.turns if turn.text.strip()]


def ask_in_session(
    sample: Sample, said: Sequence[HaystackTurn], encoder: Encoder, folder: Path, settings: Settings
) -> Asked:
    """Let a user say all of it in one session, ask, and look at the prompt.

    Args:
        sample: the question.
        said: what `long_session` returned.
        encoder: of the agent.
        folder: an empty one.
        settings: of the agent.
    """
    from habitus.agent.agent import Agent
    from habitus.agent.generators.scripted import ScriptedChat
    from habitus.agent.prompting.prompt import parse
    from habitus.memory.records import Changes, Turn

    begin = sample.at - timedelta(minutes=len(said))
    turns = tuple(
        Turn(
            id=str(index),
            user_id=_USER,
            session_id=_SESSION,
            index=index,
            role=one.role,
            text=one.text,
            at=begin + timedelta(minutes=index),
        )
        for index, one in enumerate(said)
    )
    model = ScriptedChat(script=["I see."])
    with Agent.open(folder, encoder=encoder, generator=model, settings=settings) as agent:
        agent.store.commit(_USER, Changes(turns=turns))
        reply = agent.chat(_USER, sample.question, session_id=_SESSION, at=sample.at)
        sizes = [agent.count_tokens(turn.text) for turn in turns]
    n_window = len(parse(model.prompts[-1]).window)
    packed = {memory.turn_id for memory in reply.memories}
    in_window = set(range(len(turns) - n_window, len(turns)))
    held = _newest_within(sizes, settings.session_tokens)
    return Asked(
        question_id=sample.id,
        question_type=sample.type,
        found=tuple(
            (_place(index, in_window, held), index in in_window or str(index) in packed)
            for index, one in enumerate(said)
            if one.has_answer
        ),
        n_turns=len(turns),
        window_tokens=sum(sizes[index] for index in in_window),
        context_tokens=reply.recall.context_tokens,
    )


def _newest_within(sizes: Sequence[int], budget: int) -> range:
    first = len(sizes)
    while first and sizes[first - 1] <= budget:
        first -= 1
        budget -= sizes[first]
    return range(first, len(sizes))


def _place(index: int, in_window: set[int], held: range) -> Place:
    if index in in_window:
        return "window"
    return "short-term memory" if index in held else "store"


@dataclass(frozen=True, kw_only=True)
class SessionReport:
    """What a run found."""

    encoder: str
    asked: tuple[Asked, ...]
    n_left_out: int
    """Questions whose history is too short for the session, or whose evidence is too long."""

    def as_json(self) -> dict[str, Any]:
        return {
            "encoder": self.encoder,
            "asked": [one.model_dump(mode="json", exclude_none=True) for one in self.asked],
            "n_left_out": self.n_left_out,
            "summary": summary(self.asked),
        }


def summary(asked: Sequence[Asked]) -> dict[str, Any]:
    """Return the share of evidence turns in the prompt by where they stood, and of questions with all."""
    found = [one for question in asked for one in question.found]
    by_place = {place: [is_there for where, is_there in found if where == place] for place in PLACES}
    complete = [all(is_there for _, is_there in question.found) for question in asked]
    return {
        "n_questions": len(asked),
        "every_evidence_turn": _share(complete),
        "by_place": {name: {"n": len(all_), "share": _share(all_)} for name, all_ in by_place.items()},
        "max_window_tokens": max((one.window_tokens for one in asked), default=0),
        "max_context_tokens": max((one.context_tokens for one in asked), default=0),
    }


def _share(hits: Sequence[bool]) -> float | None:
    return sum(hits) / len(hits) if hits else None


def fitting(samples: Iterable[Sample], n_turns: int, seed: int) -> tuple[list[Sample], int]:
    """Return the answerable questions whose history makes a session of so many turns, and how many do not."""
    answerable = [sample for sample in samples if not sample.is_abstention]
    found = [sample for sample in answerable if long_session(sample, n_turns, seed) is not None]
    return found, len(answerable) - len(found)


def solver(encoder: Encoder, settings: Settings, n_turns: int, seed: int) -> Callable[[Sample], Asked]:
    """Return what asks a question within a session of so many turns.

    Args:
        encoder: of the agents.
        settings: of the agents.
        n_turns: length of each session.
        seed: of their order.
    """

    def ask(sample: Sample) -> Asked:
        said = long_session(sample, n_turns, seed)
        if said is None:
            raise ValueError(f"the history of {sample.id!r} makes no session of {n_turns} turns")
        with TemporaryDirectory(prefix="habitus-session-") as folder:
            return ask_in_session(sample, said, encoder, Path(folder), settings)

    return ask


def show(report: SessionReport, settings: Settings, console: Console) -> None:
    """Print a report as a table."""
    from rich.table import Table

    found = summary(report.asked)
    table = Table("evidence stood in", "turns", "in the prompt")
    for name, one in found["by_place"].items():
        table.add_row(name, str(one["n"]), "" if one["share"] is None else f"{one['share']:.3f}")
    console.print(table)
    if report.asked:
        console.print(
            f"every turn of the evidence in the prompt: {found['every_evidence_turn']:.3f} of"
            f" {found['n_questions']} questions asked after {report.asked[0].n_turns} turns of one session"
            f" ({report.n_left_out} left out: too little history, or too long evidence)"
        )
    console.print(
        f"window at most {found['max_window_tokens']} of {settings.window_tokens} tokens, memories at most"
        f" {found['max_context_tokens']} of {settings.context_tokens}; short-term memory holds"
        f" {settings.session_tokens}; encoder {report.encoder}"
    )
