"""Who plays the user: the generator's own wordings, or a chat model that is told what to say.

The hidden profile decides what is said in both cases, so the checks stay the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from habitus.evals.lifelong.scenarios import Scenario, Step

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import BaseMessage

MAX_TRIES = 3
PROMPT = (
    "You play a person who talks to an assistant. Write the person's next message and nothing else: one or "
    "two plain sentences in the first person, in words of your own. Say just what the instruction asks for, "
    "no more and no less. Keep the names in it letter by letter."
)

Voice = Callable[[Scenario, Step, str], str]
"""Takes the life, what is to be done next and the reply before it; returns the user's words."""


class SimulatorError(RuntimeError):
    """The model that plays the user did not say what it was told to."""


def scripted(scenario: Scenario, step: Step, reply: str) -> str:
    """Say the words that the generator chose."""
    return step.text


class ModelVoice:
    """A chat model plays the user.

    Args:
        model: any LangChain chat model.
    """

    def __init__(self, model: BaseChatModel) -> None:
        self._model = model

    def __call__(self, scenario: Scenario, step: Step, reply: str) -> str:
        """Return the model's words.

        Raises:
            SimulatorError: they lack a name that the meaning hangs on, several times over.
        """
        if step.how in ("rate", "forget"):
            return step.text
        for _ in range(MAX_TRIES):
            words = str(self._model.invoke(_prompt(step, reply)).text).strip().strip('"')
            if words and all(name.lower() in words.lower() for name in step.names):
                return words
        raise SimulatorError(
            f"the model that plays the user left out {', '.join(step.names) or 'everything'} "
            f"{MAX_TRIES} times; give another --user-model"
        )


def _prompt(step: Step, reply: str) -> Sequence[BaseMessage]:
    from langchain_core.messages import HumanMessage, SystemMessage

    names = f"\nNames to keep: {'; '.join(step.names)}" if step.names else ""
    before = f"The assistant's last reply:\n{reply}\n\n" if reply else ""
    return [SystemMessage(PROMPT), HumanMessage(f"{before}Instruction: {step.intent}{names}")]
