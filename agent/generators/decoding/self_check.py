"""Self-check: a reply that crosses a `must` is revised once; what is still crossed then is admitted."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from habitus.agent.generators.capabilities import model_name
from habitus.agent.generators.decoding.method import Asked, Decoding
from habitus.agent.prompting.delimiting import as_data, one_line
from habitus.memory.errors import InvalidInputError
from habitus.memory.learning.reward import rewards
from habitus.memory.records import Preference

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel


@dataclass(frozen=True)
class SelfCheck:
    """Checks what another method replies. The reply comes as a whole: only then can it be checked.

    Args:
        inner: makes the reply.
    """

    inner: Decoding

    def check(self, generator: BaseChatModel) -> None:
        from habitus.agent.generators.extractive import ExtractiveChat

        if isinstance(generator, ExtractiveChat):
            raise InvalidInputError(
                f"self_check needs a language model that can revise its reply, and {model_name(generator)} "
                "only quotes; give the agent a generator, or leave Settings.self_check off"
            )
        self.inner.check(generator)

    def reply(self, asked: Asked) -> Generator[str]:
        if not asked.musts:
            yield from self.inner.reply(asked)
            return
        draft = "".join(self.inner.reply(asked))
        crossed = violated(asked, draft)
        if crossed:
            draft = _revised(asked, draft, crossed)
            crossed = violated(asked, draft)
        yield draft if not crossed else f"{draft.rstrip()}\n\n{_admission(crossed)}"


def violated(asked: Asked, reply: str) -> list[Preference]:
    """Return the musts that a reply crosses, as far as the reward without a model can tell."""
    return [
        must
        for must in asked.musts
        if rewards([must], [reply], encoder=asked.encoder, request=asked.request)[0].violates
    ]


def _revised(asked: Asked, draft: str, crossed: list[Preference]) -> str:
    from langchain_core.messages import AIMessage, HumanMessage

    lines = "\n".join(f"- {as_data(one_line(one.statement))}" for one in crossed)
    order = (
        "Your last reply goes against what must be honoured:\n"
        f"<preferences>\n{lines}\n</preferences>\n\n"
        "Write the reply again so that it honours all of this. Answer with the new reply only."
    )
    return asked.generate([*asked.messages, AIMessage(draft), HumanMessage(order)])


def _admission(crossed: list[Preference]) -> str:
    wishes = "; ".join(one_line(one.statement).rstrip(".") for one in crossed)
    return f"I could not make sure that this honours: {wishes}."
