"""Cues first: the model notes something of the user before it replies (Cue-CoT, Wang et al., 2023)."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from habitus.agent.generators.capabilities import model_name
from habitus.agent.generators.decoding.method import Asked, Decoding
from habitus.agent.prompting.delimiting import as_data
from habitus.memory.errors import InvalidInputError

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import BaseMessage

MAX_CHARS = 2_000
"""Of the notes, in the prompt of the reply."""

_ORDER = (
    "Do not answer the message yet. First note in a few plain sentences what this prompt shows of the "
    "following, and nothing that it does not show:\n{questions}"
)
_THEN = "What stands between the tags `cues` was noted before. Now answer the message with it in mind."


@dataclass(frozen=True)
class CuesFirst:
    """Asks about the user in a call of its own, and puts the answer into the prompt of another method.

    This is the variant in steps (M-Cue CoT). Where nothing of the user may count, it asks nothing.

    Args:
        inner: makes the reply.
        questions: what is asked about the user.
    """

    inner: Decoding
    questions: tuple[str, ...]

    def check(self, generator: BaseChatModel) -> None:
        from habitus.agent.generators.extractive import ExtractiveChat

        if isinstance(generator, ExtractiveChat):
            raise InvalidInputError(
                f"cues need a language model that can reason about the user, and {model_name(generator)} "
                "only quotes; give the agent a generator, or leave Settings.cues empty"
            )
        self.inner.check(generator)

    def reply(self, asked: Asked) -> Generator[str]:
        if not asked.personal:
            yield from self.inner.reply(asked)
            return
        questions = "\n".join(f"- {question}" for question in self.questions)
        noted = asked.generate(_with(asked.messages, _ORDER.format(questions=questions))).strip()
        if noted:
            cues = f"<cues>\n{as_data(noted[:MAX_CHARS])}\n</cues>\n\n{_THEN}"
            asked = replace(asked, messages=_with(asked.messages, cues))
        yield from self.inner.reply(asked)


def _with(messages: Sequence[BaseMessage], text: str) -> list[BaseMessage]:
    """Return messages with a text after the last one, in it: some templates want roles to alternate."""
    from langchain_core.messages import HumanMessage

    return [*messages[:-1], HumanMessage(f"{messages[-1].content}\n\n{text}")]
