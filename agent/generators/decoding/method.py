"""What every decoding method is given and gives."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING, Any, Protocol, cast

from habitus.agent.errors import CancelledError
from habitus.agent.generators.capabilities import capabilities
from habitus.memory.records import Preference, RewardWeights
from habitus.retrievers.encoder import Encoder

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import BaseMessage


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A prompt, and what a method may need to know of the user.

    Attributes:
        generator: the chat model.
        messages: the whole prompt.
        without_user: makes the same prompt without anything known of the user.
        preferences: that matter for this request, best first.
        musts: those of them that may never be crossed.
        request: the user's words.
        encoder: compares texts.
        user_id: whose prompt it is.
        weights: of the user's reward, if any were learnt.
        arguments: of the generator's call, as the caller wants them; a method's own come before.
        cancelled: set when the caller has gone away.
        personal: whether anything known of the user may count; else the reply is the plain model's.
    """

    generator: BaseChatModel
    messages: list[BaseMessage]
    without_user: Callable[[], list[BaseMessage]]
    preferences: tuple[Preference, ...]
    musts: tuple[Preference, ...]
    request: str
    encoder: Encoder
    user_id: str
    weights: RewardWeights | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    cancelled: Event = field(default_factory=Event)
    personal: bool = True

    @contextmanager
    def stream(self, messages: list[BaseMessage] | None = None, **settings: Any) -> Iterator[Iterator[str]]:
        """Generate, by default to the whole prompt; leaving the context ends it.

        Args:
            messages: another prompt.
            settings: handed to the generator.

        Raises:
            CancelledError: at the next piece after the caller has gone away.
        """
        given = self.messages if messages is None else messages
        settings = {**self.arguments, **settings}
        if "prefixes" in capabilities(self.generator):
            settings["user_id"] = self.user_id
        chunks = cast(Generator[Any], self.generator.stream(given, **settings))
        with closing(chunks):
            yield self._texts(chunks)

    def _texts(self, chunks: Iterator[Any]) -> Iterator[str]:
        for chunk in chunks:
            if self.cancelled.is_set():
                raise CancelledError("the caller left before the reply was complete")
            if text := str(chunk.text):
                yield text

    def generate(self, messages: list[BaseMessage] | None = None, **settings: Any) -> str:
        """Generate a whole reply."""
        with self.stream(messages, **settings) as pieces:
            return "".join(pieces)


class Decoding(Protocol):
    """A way to make a reply."""

    def check(self, generator: BaseChatModel) -> None:
        """Refuse a generator that does not give what the method needs.

        Raises:
            CapabilityError: names method and model.
        """
        ...

    def reply(self, asked: Asked) -> Generator[str]:
        """Yield the pieces of a reply as they come. Closing it ends the generation."""
        ...
