"""What flows through the graph, and what every node may use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypedDict

from habitus.agent.prompting.budgets import Cut
from habitus.agent.settings import Settings
from habitus.agent.tracing import Span, no_span
from habitus.memory.extraction import Extraction
from habitus.memory.extraction.by_model import ModelReading
from habitus.memory.known.answering import Answer
from habitus.memory.known.applying import Applied
from habitus.memory.known.coldstart import Question
from habitus.memory.learning.contexts import Example
from habitus.memory.learning.feedback import FeedbackEffect
from habitus.memory.masking import MaskKind
from habitus.memory.records import (
    Access,
    AskedQuestion,
    Changes,
    Demonstration,
    Exported,
    Feedback,
    Norm,
    Persona,
    Profile,
    Turn,
)
from habitus.memory.retrieval.packing import Packed
from habitus.memory.retrieval.recall import Memory, Ranking
from habitus.memory.retrieval.shortterm import ShortTermMemory
from habitus.memory.store import Forgotten, MemoryStore
from habitus.memory.tokens import CountTokens
from habitus.retrievers.encoder import Vectors

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from habitus.agent.generators.decoding.method import Decoding
    from habitus.agent.upkeep.reading import TurnReader

Mode = Literal["turn", "recall", "prepare", "observe", "feedback"]
Route = Literal["extraction", "abstraction", "generalization", "statement", "feedback", "command"]
CommandKind = Literal["forget", "keep", "forget_all", "show", "export", "correct", "undo"]


@dataclass(frozen=True, kw_only=True)
class Command:
    """What the user asked of memory itself, and the words it is about (empty: the last exchange).

    `said` are sentences of theirs that they were asked about and want forgotten.
    """

    kind: CommandKind
    words: str
    said: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class CommandOutcome:
    """What a command did. `text` is said to the user; `offered` is what it asks whether to forget."""

    kind: CommandKind
    text: str
    forgotten: Forgotten | None = None
    exported: Exported | None = None
    learnt: Extraction | None = None
    offered: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Recall:
    """What memory holds on a question.

    Attributes:
        routes: what the turn was taken for.
        ranking: all sessions and turns that were candidates; None where nothing was searched.
        packed: the evidence that fits the budget, in time order.
        timings_ms: by node.
    """

    routes: frozenset[Route] = frozenset()
    ranking: Ranking | None = None
    packed: Packed = field(default_factory=Packed)
    timings_ms: Mapping[str, float] = field(default_factory=dict)

    @property
    def ranked_session_ids(self) -> tuple[str, ...]:
        """All sessions that were candidates, best first."""
        return self.ranking.session_ids if self.ranking else ()

    @property
    def ranked_turn_ids(self) -> tuple[str, ...]:
        """All turns that were candidates, best first."""
        return self.ranking.ranked_turn_ids if self.ranking else ()

    @property
    def evidence(self) -> tuple[Memory, ...]:
        """What is packed, in time order."""
        return self.packed.memories

    @property
    def context_tokens(self) -> int:
        """Tokens of what is packed, as the agent counts them."""
        return self.packed.n_tokens

    def _repr_html_(self) -> str:
        from habitus.agent.html import recall

        shown: Any = self  # mypy knows this module by two names
        return recall(shown)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What the agent holds of the user at this turn.

    Attributes:
        changes: what this turn adds to or changes in the store (preferences, facts, corrections,
            feedback, persona, profile), without the turns themselves.
        applied: the preferences chosen for this request, best first.
        examples: replies to similar requests that were liked or disliked.
        persona_before: the version in force before this turn; None for a new user.
        profile_is_stale: the profile is to be made again once the reply is out.
        question: what the reply is to end with, if anything is worth asking.
        demonstrations: replies in the style that replies are to have.
        writing: how the user writes, one sentence each.
    """

    changes: Changes
    applied: tuple[Applied, ...]
    examples: tuple[Example, ...]
    persona_before: Persona | None
    persona: Persona | None
    profile: Profile | None
    profile_is_stale: bool
    question: Question | None = None
    demonstrations: tuple[Demonstration, ...] = ()
    writing: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Context:
    """What nodes use: clients, stores and settings, never kept in the state."""

    store: MemoryStore
    generator: BaseChatModel
    session: ShortTermMemory
    settings: Settings
    norms: tuple[Norm, ...]
    count_tokens: CountTokens
    decoding: Decoding
    reader: TurnReader | None = None
    """Reads the message with a chat model during the turn; None where it is read later, or not at all."""
    cancelled: Event = field(default_factory=Event)
    """Set when the caller has gone away."""
    span: Span = no_span
    """Opens the span of a node, where turns are traced."""
    waiting: Callable[[], AbstractContextManager[None]] = nullcontext
    """Entered while a node waits for a chat model, so that other turns may compute meanwhile."""
    emit: Callable[[str], None] | None = None
    """Takes the pieces of the reply as they come; None writes them to LangGraph's `custom` stream."""


def _merged(before: Mapping[str, float], after: Mapping[str, float]) -> Mapping[str, float]:
    return {**before, **after}


class State(TypedDict, total=False):
    """One turn on its way. Nodes that run side by side write different keys."""

    mode: Mode
    """A whole turn, a mere look-up, the prompt of a turn for somebody else's generator (neither writes
    anything), a turn that somebody else has answered, or feedback given outside the conversation."""
    user_id: str
    at: datetime
    turn: Turn
    """The user's message; absent in mode `feedback`."""
    masked: tuple[MaskKind, ...]
    """What was masked in the message before the turn began."""
    previous_reply: Turn | None
    """The reply that the message may comment on."""
    context_tokens: int
    instructions: str | None
    """The app's own, for this turn; they stand in the system message below the norms."""
    strength: float
    """0..1: how much of what is known of the user enters the prompt; `agent/prompting/personalisation.py`."""
    generation: Mapping[str, Any]
    """Further arguments of the generator's call: `temperature`, `max_tokens`, `stop`, ..."""
    routes: frozenset[Route]
    command: Command | None
    feedback: Feedback | None
    feedback_effect: FeedbackEffect | None
    undo: str
    """Id of the feedback to be taken back, in mode `feedback`."""
    extraction: Extraction
    answer: Answer | None
    """What the message says to a question of the reply before it."""
    reading: ModelReading | None
    """What a chat model found in the message; None where it was not asked, or failed."""
    outcome: CommandOutcome | None
    vectors: Vectors
    """Of the message's passages, shape `(n_passages, dim)`."""
    query_vector: Vectors
    """Of the message as a whole, shape `(dim,)`, length 1."""
    recall: Recall
    accesses: tuple[Access, ...]
    """What the retention policy is to know of this turn's recall; empty under `none`."""
    standing: Standing
    prompt: list[Any]
    """LangChain messages, in mode `prepare`."""
    reply_text: str
    """In mode `observe` given from the start."""
    prompt_tokens: int
    cut: tuple[Cut, ...]
    """What of the prompt did not fit."""
    reply_turn: Turn
    questions: tuple[AskedQuestion, ...]
    """What the reply asked."""
    timings_ms: Annotated[Mapping[str, float], _merged]
