"""What comes back from a turn, and why it came out as it did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from habitus.agent.state import CommandOutcome, Recall, Route, State
from habitus.memory.applying import Applied
from habitus.memory.feedback import FeedbackEffect
from habitus.memory.persona import diff
from habitus.memory.recall import Memory
from habitus.memory.records import Fact, Persona, Preference

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
        applied: the preferences chosen for this request, best first, each with its reason.
        recall: the evidence in the prompt, with the score of each arm.
        feedback_effect: what feedback in the message changed, if any.
        outcome: what a command did, if there was one.
        persona_before: the persona in force before; None for a new user.
        persona: the persona now.
        prompt_tokens: what the generator read; 0 where it was not asked.
        timings_ms: milliseconds in each node.
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
    persona_before: Persona | None
    persona: Persona | None
    prompt_tokens: int
    timings_ms: Mapping[str, float]

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
            persona_before=standing.persona_before,
            persona=standing.persona,
            prompt_tokens=state["prompt_tokens"],
            timings_ms=state["timings_ms"],
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
        if self.preferences or self.facts:
            said.append("I learnt:")
            said += [f"- {p.statement} [{p.status}]" for p in self.preferences]
            said += [f"- {fact.statement}" for fact in self.facts]
        if self.feedback_effect is not None:
            said.append(f"Your feedback: {self.feedback_effect.reason}")
        return "\n".join(said)


def persona_changes(before: Persona | None, after: Persona | None) -> list[str]:
    """Return how the persona changed, as a diff; empty if its lines are the same."""
    if after is None or (before is not None and before.lines == after.lines):
        return []
    if before is None:
        return [f"+- {line.text}" for line in after.lines]
    return diff(before, after)


def _quote(text: str) -> str:
    return text if len(text) <= _QUOTE_CHARS else text[:_QUOTE_CHARS].rsplit(" ", 1)[0] + " …"
