"""What a user of the agent may set; passed in, never read from the environment here."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from habitus.memory.masking import DEFAULT, MaskKind
from habitus.memory.records import Demonstration, EditsHold
from habitus.memory.retrieval.retention import Retention
from habitus.memory.usage import Price

DecodingName = Literal["plain", "best-of-n", "context-steering"]


class Settings(BaseModel):
    """Budgets and dials of an agent. Token counts are those of the generator."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    context_tokens: int = Field(default=2_000, ge=0)
    """Evidence from memory in a prompt."""
    window_tokens: int = Field(default=1_000, ge=0)
    """The latest messages of the session in a prompt."""
    persona_tokens: int = Field(default=400, ge=0)
    """The standing persona block in a prompt."""
    profile_tokens: int = Field(default=1_200, ge=0)
    """The summary of the user in a prompt."""
    preference_tokens: int = Field(default=600, ge=0)
    """The preferences chosen for a request; constraints stay longest."""
    correction_tokens: int = Field(default=300, ge=0)
    """Past mistakes that fit the situation."""
    example_tokens: int = Field(default=400, ge=0)
    """Replies liked and disliked in situations like this one."""
    contrasts: bool = False
    """Whether an example shows beside the user's version what they put it in place of, and what that shows of
    their taste (TICL)."""
    demonstrations: tuple[Demonstration, ...] = ()
    """Requests with replies in the style that replies are to have, the same in every prompt (URIAL); the
    replies that a user rewrote last take the places of the first ones."""
    writing_tokens: int = Field(default=0, ge=0)
    """How the user writes: lengths, marks, and the words that tell their messages from the replies (AP-Bots);
    0 leaves it out."""
    prompt_tokens: int | None = Field(default=None, ge=1)
    """All of a prompt: the generator's window less what it may answer. None asks the generator's own
    profile; where that does not tell, a prompt is only bounded by its parts."""
    decoding: DecodingName = "plain"
    """How replies are made personal beyond the prompt: `best-of-n` chooses among several, with any generator;
    `context-steering` works on logits, so it needs a `TransformersChat`."""
    strength: float = Field(default=1.0, ge=0.0, le=1.0)
    """Of the decoding; 0 is exactly the plain model."""
    n_candidates: int = Field(default=4, ge=1)
    """Replies that `best-of-n` chooses among."""
    self_check: bool = False
    """Whether a reply that crosses a `must` is revised once; replies are then not streamed where a `must`
    applies."""
    session_tokens: int = Field(default=16_000, ge=1)
    """What short-term memory keeps of one session in process; older turns are read from the store."""
    cues: tuple[str, ...] = ()
    """What a language model is asked about the user before each reply, in a call of its own; its answers
    stand in the prompt of the reply (Cue-CoT)."""
    n_norms: int = Field(default=0, ge=0)
    """How many of the norms that are not always in force come into each prompt, the nearest to the message
    (OPO); 0 takes those alone whose examples it comes near."""
    taste_weight: float = Field(default=0.0, ge=0.0)
    """By how much a memory is ranked up that has cosine 1 to a preference that matters for the request
    (PersonaRAG); scores of memories have a deviation of about 1."""
    edits: EditsHold = "everywhere"
    """Where that holds which edits and choices show of a taste. `everywhere`: for all requests, at once.
    `verified`: for all requests, once another edit bears it out (PROSE). `nearest`: for requests like those
    that were edited so, at once (CIPHER). What waits is `pending`."""
    n_applied: int = Field(default=8, ge=0)
    """Preferences chosen for one request, at most."""
    idle_gap: timedelta = Field(default=timedelta(hours=1), gt=timedelta(0))
    """A session that rests this long has ended (LD-Agent)."""
    learn_from_writing: bool = True
    """Whether to learn, when a session has ended, from how users write: register, language, and how much
    they know of what (see `habitus.memory.known.manner`). It is marked as seen from their writing, and
    fades."""
    cold_start_questions: int = Field(default=0, ge=0)
    """Questions that the agent may ask a user of its own accord, all in all; at most one ends a reply, and
    only where the answer would change it (see `habitus.memory.known.coldstart`). 0 asks none."""
    retention: Retention = "none"
    """How memories fade (see `habitus.memory.retrieval.retention`). Nothing is deleted by it; with another
    policy than `none` it is also stored how often each message was recalled."""
    retention_unit: timedelta = Field(default=timedelta(days=1), gt=timedelta(0))
    """Under `memorybank`, in which time a memory never recalled falls to 1/e; in the paper a day."""
    extraction: Literal["rules", "model", "model_in_turn"] = "rules"
    """Who reads what users say of themselves, and why they edit replies. `rules`: rules alone. `model`: the
    rules at once, and a chat model after the reply is out. `model_in_turn`: both before the reply, which
    waits for it; where the model fails, it reads the turn later. Edits of replies, and comments given on
    them, are read by the model after they were taken in, under either."""
    profile: Literal["rules", "model"] = "rules"
    """Who words the profile. `model`: a chat model does after the reply, section by section as they change;
    until then, and where it fails, the rules' words stand."""
    model_timeout: timedelta = Field(default=timedelta(seconds=60), gt=timedelta(0))
    """How long one call of the model for these may take."""
    price: Price | None = None
    """What the model asks for a million tokens, so that `Agent.usage` tells the cost."""
    masking: tuple[MaskKind, ...] = DEFAULT
    """What is masked in every message before anything reads or stores it (see `habitus.memory.masking`):
    `cards` (card numbers), `keys` (API keys, tokens, private keys), `passwords` (passwords and PINs that are
    introduced as such). Empty keeps everything verbatim."""
    tracing: bool = False
    """Whether LangSmith may trace turns when its own environment variables ask for it; the words of your
    users leave the machine then."""
    opentelemetry: bool = False
    """Whether turns and their nodes are OpenTelemetry spans (extra `traces`): never what was said."""
    n_computing: int | None = Field(default=None, ge=1)
    """Turns that compute at once; the others wait for room, or for their generators. None: as many as there
    are cores, and at least two; four times as many where the store is a database server. One fewer compute
    while replies are streamed."""
    chroma_url: str | None = Field(default=None, pattern=r"^https?://[^/\s]+$")
    """A Chroma server, `http://HOST:PORT`, that keeps the vectors of very large users of a data folder."""
    max_message_chars: int = Field(default=2_000_000, ge=1)
    """A longer message is refused."""

    @classmethod
    def preset(cls, name: str, **changes: Any) -> Self:
        """Return the settings that express a method of the literature; `habitus presets` lists them.

        Args:
            name: of the preset.
            changes: further settings, in place of the preset's.

        Raises:
            PresetError: there is no such preset.
        """
        from habitus.agent.presets.reading import preset

        return cls.model_validate({**preset(name).settings, **changes})
