"""What requests to memory carry, and what they are answered with, beside memory's own records."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, model_validator

from habitus.agent.server.bodies import Body
from habitus.agent.server.shown import MemoryShown
from habitus.memory.records import Conversation, Persona, Preference, Stance


class _Body(Body):
    model_config = ConfigDict(extra="forbid")


class Found(BaseModel):
    """What memory holds on a question: the evidence as it would go into a prompt."""

    text: str
    n_tokens: int
    memories: list[MemoryShown]


class PreferenceChanges(_Body):
    """What is to be put differently; what is left out stays."""

    statement: str | None = Field(default=None, min_length=1)
    topic: str | None = None
    target: str | None = None
    stance: Stance | None = None
    strength: float | None = Field(default=None, ge=0.0, le=1.0)
    scope: str | None = None


class FeedbackGiven(_Body):
    """What the user made of a reply: exactly one of rating, comment, edit and choice."""

    turn_id: str
    rating: float | None = Field(default=None, ge=-1.0, le=1.0)
    comment: str | None = None
    edit: str | None = None
    winner: str | None = None
    losers: list[str] = Field(default_factory=list)

    @model_validator(mode="after")
    def _is_one_thing(self) -> FeedbackGiven:
        given = [self.rating, self.comment, self.edit, self.winner]
        if sum(one is not None for one in given) != 1:
            raise ValueError("give exactly one of rating, comment, edit and winner")
        return self


class FeedbackTaken(BaseModel):
    """What feedback changed."""

    reason: str
    understood: list[str]
    """What was concluded from it."""
    not_understood: list[str]
    """Sentences of a comment that nothing was taken from; they are kept verbatim."""
    preferences: list[Preference]
    persona: Persona | None


class ForgetRequest(_Body):
    """What is to be deleted for good: a subject in words, or records by their ids."""

    about: str | None = None
    turn_ids: list[str] = Field(default_factory=list, max_length=10_000)
    preference_ids: list[str] = Field(default_factory=list, max_length=10_000)
    fact_ids: list[str] = Field(default_factory=list, max_length=10_000)

    @model_validator(mode="after")
    def _names_something(self) -> ForgetRequest:
        by_id = bool(self.turn_ids or self.preference_ids or self.fact_ids)
        if (self.about is not None) == by_id:
            raise ValueError("give `about`, or ids, and not both")
        return self


class ForgottenShown(BaseModel):
    """What is gone."""

    turn_ids: list[str]
    rewritten_ids: list[str]
    preference_ids: list[str]
    fact_ids: list[str]


class ImportRequest(_Body):
    """Whole conversations from elsewhere."""

    conversations: list[Conversation] = Field(min_length=1, max_length=10_000)
    learn: bool = True


class Imported(BaseModel):
    """How many messages were new."""

    n_stored: int


class RollbackRequest(_Body):
    """The version of the persona to go back to."""

    version: int = Field(ge=1)


class Difference(BaseModel):
    """Lines added (`+`) and taken away (`-`) between two versions of a persona."""

    lines: list[str]
