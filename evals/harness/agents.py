"""Anybody's agent: two methods, and a factory that makes one.

    # my_agents.py
    def plain(folder, parts):
        return MyAgent(parts.generator)

    habitus eval longmemeval --agent my_agents:plain --generator openai:gpt-4.1 ...

A fresh agent is made for every sample (every user), with an empty folder of its own. It is closed afterwards
if it has a method `close`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Protocol, cast

from habitus.evals.running import UsageError

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from habitus.agent.prompting.budgets import Cut
    from habitus.memory.records import Conversation
    from habitus.memory.usage import Usage
    from habitus.retrievers.encoder import Encoder


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An agent's answer, with what it cares to tell about it.

    Attributes:
        text: what the user reads.
        usage: tokens of the calls that it took. Calls of LangChain models are counted without it.
        cut: what was left out to fit a budget or a model's window; empty if nothing was.
    """

    text: str
    usage: Usage | None = None
    cut: tuple[Cut, ...] = ()


class EvaluatedAgent(Protocol):
    """What a benchmark asks of an agent. Exceptions are kept as the failure of one sample.

    `user_id` is unlike that of any other sample.
    """

    def ingest(self, user_id: str, sessions: Sequence[Conversation]) -> object:
        """Take in the user's sessions with an assistant, in order of date."""
        ...

    def answer(self, user_id: str, question: str, at: datetime) -> str | Answer:
        """Answer the user's question, which is asked at `at`, in a new session."""
        ...


class Parts:
    """What agents are made of; made when first asked for and shared by all agents of a run.

    Args:
        generator: makes the chat model; None where the command was given none.
        encoder: makes the encoder of texts.
        generator_window: how many tokens the chat model reads, where it does not tell itself.
        instructions: what the benchmark asks of the model beside the question, such as short answers.
    """

    def __init__(
        self,
        *,
        generator: Callable[[], BaseChatModel] | None,
        encoder: Callable[[], Encoder],
        generator_window: int | None = None,
        instructions: str = "",
    ) -> None:
        self.instructions = instructions
        self.generator_window = generator_window
        self._make_generator, self._make_encoder = generator, encoder
        self._generator: BaseChatModel | None = None
        self._encoder: Encoder | None = None
        self._lock = Lock()

    def told(self, instructions: str) -> Parts:
        """Return the same parts with other instructions."""
        return Parts(
            generator=(lambda: self.generator) if self.has_generator else None,
            encoder=lambda: self.encoder,
            generator_window=self.generator_window,
            instructions=instructions,
        )

    @property
    def has_generator(self) -> bool:
        """Whether the command was given a chat model."""
        return self._make_generator is not None

    @property
    def generator(self) -> BaseChatModel:
        """The chat model under test.

        Raises:
            UsageError: the command was given none.
        """
        with self._lock:
            if self._generator is None:
                if self._make_generator is None:
                    raise UsageError("this agent needs a chat model: give --generator")
                self._generator = self._make_generator()
            return self._generator

    @property
    def encoder(self) -> Encoder:
        """The encoder of texts.

        Raises:
            EncoderError: its weights are not to be had.
        """
        with self._lock:
            if self._encoder is None:
                self._encoder = self._make_encoder()
            return self._encoder


AgentFactory = Callable[[Path, Parts], EvaluatedAgent]
"""Makes a fresh agent on an empty folder."""


@contextmanager
def opened(factory: AgentFactory, folder: Path, parts: Parts) -> Iterator[EvaluatedAgent]:
    """Make an agent with the `factory` on an empty `folder` of the given `parts`; close it afterwards.

    An agent without a method `close` is left as it is.
    """
    agent = factory(folder, parts)
    try:
        yield agent
    finally:
        close = getattr(agent, "close", None)
        if close is not None:
            close()


def load_agent(name: str) -> AgentFactory:
    """Import a factory by its name, `module:factory`; modules in the working directory are found.

    `preset:NAME` is Habitus with the settings of a preset (`habitus presets`).

    Raises:
        UsageError: there is no such module, factory or preset.
    """
    module_name, _, attribute = name.partition(":")
    if module_name == "preset":
        from habitus.evals.adapters.habitus import habitus_preset

        return cast(AgentFactory, habitus_preset(attribute))
    if not module_name or not attribute:
        raise UsageError(f"--agent must be MODULE:FACTORY, such as my_agents:plain; got {name!r}")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        module = import_module(module_name)
    except ImportError as error:
        raise UsageError(f"--agent {name!r}: {error}") from error
    factory = getattr(module, attribute, None)
    if not callable(factory):
        raise UsageError(f"--agent {name!r}: module {module_name!r} has no function {attribute!r}")
    return cast(AgentFactory, factory)
