"""What comes back from a turn, or goes into one, and why it came out as it did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from habitus.agent.prompting.budgets import Cut
from habitus.agent.state import CommandOutcome, Recall, Route, State
from habitus.memory.extraction.by_model import ModelReading
from habitus.memory.known.applying import Applied
from habitus.memory.known.persona import diff
from habitus.memory.learning.feedback import FeedbackEffect
from habitus.memory.masking import MaskKind
from habitus.memory.records import AskedQuestion, Fact, Persona, Preference
from habitus.memory.retrieval.recall import Memory

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

_QUOTE_CHARS = 90


@dataclass(frozen=True, kw_only=True)
class Reply:
    """A reply and all that led to it.

    Attributes:
        text: what is said to the user.
        turn_id: the stored reply; feedback refers to it.
        routes: what the message was taken for.
        preferences: the preferences that this turn added or changed, in their new state.
        facts: the facts that it told.
        applied: the preferences chosen for this request that entered the prompt, best first, each with its
            reason.
        recall: the evidence in the prompt, with the score of each arm.
        feedback_effect: what feedback in the message changed, if any.
        outcome: what a command did, if there was one.
        questions: what the reply asked of the agent's own accord; none unless the settings allow it.
        persona_before: the persona in force before; None for a new user.
        persona: the persona now.
        prompt_tokens: what the generator read; 0 where it was not asked.
        cut: what was left out of the prompt, because its budget or the generator's window was too small.
        timings_ms: milliseconds in each node.
        masked: what was masked in the message before anything read it.
        reading: what a chat model found in the message, with the tokens it took; None where it reads it
            later, or not at all.
    """

    text: str
    user_id: str
    session_id: str
    turn_id: str
    at: datetime
    routes: frozenset[Route]
    preferences: tuple[Preference, ...]
    facts: tuple[Fact, ...]
    applied: tuple[Applied, ...]
    recall: Recall
    feedback_effect: FeedbackEffect | None
    outcome: CommandOutcome | None
    questions: tuple[AskedQuestion, ...]
    persona_before: Persona | None
    persona: Persona | None
    prompt_tokens: int
    cut: tuple[Cut, ...]
    timings_ms: Mapping[str, float]
    masked: tuple[MaskKind, ...] = ()
    reading: ModelReading | None = None

    @classmethod
    def of(cls, state: State) -> Reply:
        """Read a reply from the final state of the graph."""
        standing, turn = state["standing"], state["reply_turn"]
        return cls(
            text=state["reply_text"],
            user_id=turn.user_id,
            session_id=turn.session_id,
            turn_id=turn.id,
            at=turn.at,
            routes=state["routes"],
            preferences=standing.changes.preferences,
            facts=standing.changes.facts,
            applied=standing.applied,
            recall=state["recall"],
            feedback_effect=state.get("feedback_effect"),
            outcome=state.get("outcome"),
            questions=state.get("questions", ()),
            persona_before=standing.persona_before,
            persona=standing.persona,
            prompt_tokens=state["prompt_tokens"],
            cut=state["cut"],
            timings_ms=state["timings_ms"],
            masked=state.get("masked", ()),
            reading=state.get("reading"),
        )

    @property
    def memories(self) -> tuple[Memory, ...]:
        """The evidence in the prompt, in time order."""
        return self.recall.evidence

    def persona_diff(self) -> list[str]:
        """Return the lines that this turn added to (`+`) or took from (`-`) the persona, as a diff."""
        return persona_changes(self.persona_before, self.persona)

    def why(self) -> str:
        """Explain the reply in words: what it was taken for, what was used, what was learnt."""
        said = [f"I took this for: {', '.join(sorted(self.routes))}."]
        if self.applied:
            said.append("I kept in mind:")
            said += [f"- {one.preference.statement} ({one.reason})" for one in self.applied]
        if self.memories:
            said.append(
                f"I looked at {len(self.memories)} memories ({self.recall.context_tokens} tokens), such as:"
            )
            best = sorted(self.memories, key=lambda memory: -memory.score)[:3]
            said += [f"- {memory.at:%Y-%m-%d}: {_quote(memory.text)} [{memory.why}]" for memory in best]
        else:
            said.append("No memory bore on it.")
        if self.cut:
            said.append(f"Not everything fitted into the prompt: {'; '.join(map(str, self.cut))}.")
        if self.preferences or self.facts:
            said.append("I learnt:")
            said += [f"- {p.statement} [{p.status}]" for p in self.preferences]
            said += [f"- {fact.statement}" for fact in self.facts]
        if self.feedback_effect is not None:
            said.append(f"Your feedback: {self.feedback_effect.reason}")
        return "\n".join(said)

    def _repr_html_(self) -> str:
        from habitus.agent.html import reply

        shown: Any = self  # mypy knows this module by two names
        return reply(shown)


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """All that a generator should read to answer a message, and why.

    Attributes:
        messages: LangChain messages: the system message with norms, persona and profile; the latest
            messages of the session; and last the user's words with what bears on them.
        session_id: the session that the message belongs to; give it to `Agent.observe`. A session that
            is new exists only from then on.
        is_command: the message asks something of memory itself (to forget, to show what is stored):
            `Agent.chat` carries that out and answers without a generator.
        applied: the preferences chosen for this request that entered the prompt, best first, each with its
            reason.
        recall: the evidence in the prompt.
        prompt_tokens: length of the prompt.
        cut: what was left out of it, because its budget or the generator's window was too small.
        masked: what was masked in the message; the words in `messages` are without it.
    """

    messages: Sequence[BaseMessage]
    user_id: str
    session_id: str
    routes: frozenset[Route]
    is_command: bool
    applied: tuple[Applied, ...]
    recall: Recall
    persona: Persona | None
    prompt_tokens: int
    cut: tuple[Cut, ...]
    masked: tuple[MaskKind, ...] = ()

    @classmethod
    def of(cls, state: State) -> Prepared:
        """Read it from the final state of the graph."""
        return cls(
            messages=state["prompt"],
            user_id=state["user_id"],
            session_id=state["turn"].session_id,
            routes=state["routes"],
            is_command=state["routes"] == {"command"},
            applied=state["standing"].applied,
            recall=state["recall"],
            persona=state["standing"].persona,
            prompt_tokens=state["prompt_tokens"],
            cut=state["cut"],
            masked=state.get("masked", ()),
        )


def persona_changes(before: Persona | None, after: Persona | None) -> list[str]:
    """Return how the persona changed, as a diff; empty if its lines are the same."""
    if after is None or (before is not None and before.lines == after.lines):
        return []
    if before is None:
        return [f"+- {line.text}" for line in after.lines]
    return diff(before, after)


def _quote(text: str) -> str:
    return text if len(text) <= _QUOTE_CHARS else text[:_QUOTE_CHARS].rsplit(" ", 1)[0] + " …"
