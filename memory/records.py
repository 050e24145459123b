"""The records of memory: frozen, validated, the same in every store.

Instants are aware and kept in UTC. Ids are strings, unique within their user.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self
from uuid import uuid4

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

Role = Literal["user", "assistant"]
Stance = Literal["like", "dislike", "require", "avoid", "neutral"]
Status = Literal["active", "superseded", "retracted", "blocked", "pending"]
SourceKind = Literal[
    "statement",
    "correction",
    "edit",
    "rating",
    "choice",
    "behaviour",
    "user_generated_content",
    "demographics",
]

EditsHold = Literal["everywhere", "verified", "nearest"]
"""Where that holds which edits and choices show of a taste."""

MAX_TEXT_CHARS = 4_000_000
MAX_ID_CHARS = 256


def _in_utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{at.isoformat()} has no time in UTC") from None


Instant = Annotated[AwareDatetime, AfterValidator(_in_utc)]
Unit = Annotated[float, Field(ge=0.0, le=1.0)]


def new_id() -> str:
    """Return a fresh id: 32 hexadecimal digits."""
    return uuid4().hex


def _check_id(value: str) -> str:
    if not value.strip():
        raise ValueError("an id must not be empty or blank")
    if len(value) > MAX_ID_CHARS:
        raise ValueError(f"an id must not be longer than {MAX_ID_CHARS} characters, got {len(value)}")
    if not value.isprintable():
        raise ValueError(f"an id must hold printable characters only, got {value[:40]!r}")
    return value


def _check_text(value: str) -> str:
    if not value.strip():
        raise ValueError("a text must not be empty or blank")
    if len(value) > MAX_TEXT_CHARS:
        raise ValueError(f"a text must not be longer than {MAX_TEXT_CHARS:,} characters, got {len(value):,}")
    if "\x00" in value:
        raise ValueError(f"a text must not hold NUL characters; the first is at {value.index(chr(0))}")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"a text must be valid Unicode; a lone surrogate is at {error.start}") from None
    return value


Id = Annotated[str, AfterValidator(_check_id)]
Text = Annotated[str, AfterValidator(_check_text)]


class Record(BaseModel):
    """What all records share: they are frozen, and unknown fields are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Turn(Record):
    """One message of a conversation, verbatim."""

    id: Id = Field(default_factory=new_id)
    user_id: Id
    session_id: Id
    index: int = Field(ge=0)
    """Place in the session, counted from 0 over both roles."""
    role: Role
    text: Text
    at: Instant
    meta: dict[str, Any] = Field(default_factory=dict)
    """JSON values only."""


class Message(Record):
    """A message that is not stored yet."""

    role: Role
    text: Text
    at: Instant | None = None
    """None: as many seconds after the conversation began as there are messages before it."""
    meta: dict[str, Any] = Field(default_factory=dict)
    """JSON values only; kept with the turn."""


class Conversation(Record):
    """A whole session brought in from elsewhere."""

    id: Id = Field(default_factory=new_id)
    at: Instant
    """When it began."""
    messages: tuple[Message, ...] = Field(min_length=1)


class Session(Record):
    """A conversation: one sitting."""

    id: Id
    user_id: Id
    started_at: Instant
    last_at: Instant
    n_turns: int
    ended: bool
    """True once it was consolidated into long-term memory."""


class Evidence(Record):
    """Where a record comes from: a turn, and the words in it."""

    turn_id: Id
    quote: str
    """A span of the turn's text, verbatim."""


class _Dated(Record):
    """Bi-temporal validity: when it was true, and when we learnt it."""

    id: Id = Field(default_factory=new_id)
    user_id: Id
    evidence: tuple[Evidence, ...] = ()
    confidence: Unit = 1.0
    valid_from: Instant
    valid_to: Instant | None = None
    """When it stopped being true; None while it holds."""
    learnt_at: Instant
    status: Status = "active"
    status_reason: str | None = None
    """Why it is blocked, retracted or pending."""
    supersedes: Id | None = None

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.valid_to is not None and self.valid_to < self.valid_from:
            raise ValueError(f"valid_to {self.valid_to} lies before valid_from {self.valid_from}")
        return self


class Preference(_Dated):
    """One taste, need or aversion of a user."""

    statement: Text
    """The taste in one sentence."""
    topic: str
    """Open and dotted: `food.diet`, `style.length`; `general` when nothing is known."""
    target: str
    """What the taste is about, in lower case: `spicy food`."""
    stance: Stance
    strength: Unit = 0.7
    """0 is a leaning, 1 must never be crossed."""
    explicit: bool = True
    source: SourceKind = "statement"
    scope: str | None = None
    """When it holds (`when travelling`, `with children`, `at work`); None is always."""
    seen_at: Instant | None = None
    """When it was last said or shown again; None if it was only once."""

    def _repr_html_(self) -> str:
        from habitus.memory.html import preference

        shown: Any = self  # mypy knows this module by two names
        return preference(shown)


class Fact(_Dated):
    """A statement about the user or their people."""

    statement: Text
    subject: str = "user"
    """`user`, or the person it is about: `sister`, `Rachel`."""
    attribute: str
    """What is told of the subject: `name`, `job`, `lives_in`, `has`, `event`."""
    value: str

    def _repr_html_(self) -> str:
        from habitus.memory.html import fact

        shown: Any = self  # mypy knows this module by two names
        return fact(shown)


class Correction(Record):
    """A mistake and what would have been right, consulted before answering (MemPrompt, TeachMe)."""

    id: Id = Field(default_factory=new_id)
    user_id: Id
    situation: Text
    wrong: str
    right: Text
    turn_id: Id | None = None
    made_at: Instant
    withdrawn_at: Instant | None = None
    """When the feedback that it came from was taken back; it is no longer consulted."""


class ProfileSection(Record):
    """Prose on one topic, linked to the records it was made from."""

    title: str
    text: str
    record_ids: tuple[Id, ...]
    worded_from: str | None = None
    """Of a section in a chat model's words, a digest of what the rules say in its place; else None."""


class Profile(Record):
    """A summary of the user."""

    user_id: Id
    version: int = Field(ge=1)
    made_at: Instant
    sections: tuple[ProfileSection, ...] = ()

    @property
    def text(self) -> str:
        """All sections, one a line, each after its title."""
        return "\n".join(f"{section.title}: {section.text}" for section in self.sections)

    def _repr_html_(self) -> str:
        from habitus.memory.html import profile

        shown: Any = self  # mypy knows this module by two names
        return profile(shown)


class PersonaLine(Record):
    """One instruction of the persona, and the preference it comes from."""

    text: str
    preference_id: Id


class Persona(Record):
    """The compiled block of the system prompt that tells the model who it talks to."""

    user_id: Id
    version: int = Field(ge=1)
    made_at: Instant
    reason: str
    """What brought this version about."""
    lines: tuple[PersonaLine, ...] = ()
    rolled_back_at: Instant | None = None
    """When the user's persona was last rolled back; None if it never was."""
    pinned: tuple[PersonaLine, ...] = ()
    """Lines that a roll-back brought back: they stand until their preference changes."""
    left_out: tuple[Id, ...] = ()
    """Preferences that a roll-back took out: they stay out until they are said or shown again."""

    @property
    def text(self) -> str:
        """All lines, as they stand in the prompt."""
        return "\n".join(f"- {line.text}" for line in self.lines)

    def _repr_html_(self) -> str:
        from habitus.memory.html import persona

        shown: Any = self  # mypy knows this module by two names
        return persona(shown)


class Choice(Record):
    """One reply preferred to others."""

    winner: Text
    losers: tuple[Text, ...]


class Edit(Record):
    """A reply as it was and as the user rewrote it."""

    before: Text
    after: Text


class Inferred(Record):
    """What a chat model took an edit to show of how the user wants replies to be."""

    statement: Text
    """In one sentence of the first person."""
    quote: str
    """The words that came or went with the edit and bear it out, verbatim."""
    about: Literal["form", "content"] = "form"


class FeedbackReading(Record):
    """What a chat model made of an edit, or of a comment (whose preferences are records of their own)."""

    at: Instant
    inferred: tuple[Inferred, ...] = ()
    borne_out: tuple[Text, ...] = ()
    """Statements inferred from earlier edits that this one keeps to."""
    contradicted: tuple[Text, ...] = ()
    """... and those that it goes against."""


class Feedback(Record):
    """What the user made of a reply: exactly one of rating, comment, edit and choice."""

    id: Id = Field(default_factory=new_id)
    user_id: Id
    turn_id: Id
    """The assistant's turn it is about."""
    at: Instant
    rating: float | None = Field(default=None, ge=-1.0, le=1.0)
    """-1 is bad, 1 is good."""
    comment: Text | None = None
    edit: Edit | None = None
    choice: Choice | None = None
    request_id: Id | None = None
    """The user's turn that the reply answered: the context in which this was said (CIPHER)."""
    implicit: bool = False
    """True where it was read off the next message instead of given."""
    undone_at: Instant | None = None
    """When the user took it back; from then on nothing follows from it."""
    nudged: dict[Id, float] = Field(default_factory=dict)
    """How far it moved the confidence of inferred preferences, by id."""
    reading: FeedbackReading | None = None
    """What a chat model made of it later; None where none has read it."""

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        given = [name for name in ("rating", "comment", "edit", "choice") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(
                f"feedback is exactly one of rating, comment, edit, choice; got {given or 'none'}"
            )
        return self


class Access(Record):
    """How often a turn was recalled since it was said, and when last."""

    user_id: Id
    turn_id: Id
    at: Instant
    """The last time."""
    n: int = Field(ge=1)


class AskedQuestion(Record):
    """A question that the agent put to the user of its own accord, to learn a taste."""

    id: Id = Field(default_factory=new_id)
    user_id: Id
    turn_id: Id
    """The reply that asked it."""
    topic: str
    """Of the preference that an answer becomes."""
    text: Text
    asked_at: Instant
    preference_id: Id | None = None
    """The pending preference that it asks to confirm, if it does."""
    answer_id: Id | None = None
    """The user's turn that answered it; None while it is open."""


class RewardWeights(Record):
    """What one user likes in the form of replies: a linear reward over interpretable features."""

    user_id: Id
    made_at: Instant
    values: dict[str, float]
    """By feature, see `memory/learning/features.py`; positive is liked."""
    n_comparisons: int = Field(ge=0)
    """Pairs of replies they were learnt from."""


class Demonstration(Record):
    """A request and a reply in the style that replies are to have."""

    request: Text
    reply: Text


class Norm(Record):
    """A rule that stands above all preferences."""

    id: Id
    text: Text
    always: bool = True
    """In every prompt; otherwise in those whose message comes near one of `bears_on`."""
    bears_on: tuple[str, ...] = ()
    """Examples of messages that the norm is for."""
    broken_by: tuple[str, ...] = ()
    """Examples of wishes that break it: new wishes are judged by them."""
    kept_by: tuple[str, ...] = ()
    """Look-alikes that do not break it."""


class Changes(Record):
    """What one turn of the agent writes: stored as a whole or not at all.

    Records with a known id replace the stored ones; the history of a preference is in `status`,
    `valid_to` and `supersedes`, so replacing loses nothing.
    """

    turns: tuple[Turn, ...] = ()
    preferences: tuple[Preference, ...] = ()
    facts: tuple[Fact, ...] = ()
    corrections: tuple[Correction, ...] = ()
    feedback: tuple[Feedback, ...] = ()
    questions: tuple[AskedQuestion, ...] = ()
    accesses: tuple[Access, ...] = ()
    """They take the place of what was known of these turns; one of a turn that is not stored is dropped."""
    profile: Profile | None = None
    persona: Persona | None = None
    weights: RewardWeights | None = None
    ends_sessions: tuple[Id, ...] = ()
    """Sessions whose turns pass into long-term memory with this change."""
    unread: tuple[Id, ...] = ()
    """Turns that a chat model is to read later; one that is not stored is left out."""
    read: tuple[Id, ...] = ()
    """Turns that wait for it no longer."""


class Exported(Record):
    """Everything stored about one user."""

    user_id: Id
    sessions: tuple[Session, ...]
    turns: tuple[Turn, ...]
    preferences: tuple[Preference, ...]
    facts: tuple[Fact, ...]
    corrections: tuple[Correction, ...]
    feedback: tuple[Feedback, ...]
    questions: tuple[AskedQuestion, ...] = ()
    accesses: tuple[Access, ...] = ()
    profile: Profile | None
    personas: tuple[Persona, ...]
    weights: RewardWeights | None = None
