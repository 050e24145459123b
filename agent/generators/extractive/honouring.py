"""Answers to requests: what a good answer must honour, or openly that there is none."""

from __future__ import annotations

import re
from collections.abc import Sequence

from habitus.agent.generators.extractive.asked import Asked
from habitus.agent.generators.extractive.choosing import Found
from habitus.agent.generators.extractive.wording import quoted
from habitus.agent.prompting.prompt import PromptParts
from habitus.retrievers.passages import sentences

DISCLOSURE = (
    "(I am Habitus' extractive generator, not a language model: "
    "I quote what I know instead of composing an answer.)"
)
CANNOT = (
    "I cannot answer that: I am Habitus' extractive generator, not a language model, and know only what "
    "you have told me. Give the agent a chat model for questions about the world."
)
_N_QUOTES = 2
_NEAR = 0.45
"""Cosine from which something the user said bears on a request."""
_KNOWLEDGE = re.compile(
    r"^\W*(?:(?:please|can you|could you|would you)\W+)*(?:tell me\W+)?"
    r"(?:(?:what|which|who|whom|whose|when|where|why|how|is|are|was|were|do|does|did|has|have)\b|"
    r"(?:explain|define|translate|calculate|compute|solve|convert|spell|prove)\b)",
    re.IGNORECASE,
)
_ADVICE = re.compile(
    r"\b(?:recommend\w*|suggest\w*|advice|advise|tips?|ideas?|options?|should|help me|for me|some|good|great|"
    r"best|nice|fun|ways?|how (?:can|do|could|should) (?:i|we)|where (?:can|could|do) (?:i|we)|i|i'm|my|we|"
    r"our|you think|would you)\b",
    re.IGNORECASE,
)


def is_about_the_world(text: str) -> bool:
    """Tell whether a message asks for knowledge and not for something that tastes bear on."""
    return any(_KNOWLEDGE.match(one) for one in sentences(text)) and not _ADVICE.search(text)


def honour(parts: PromptParts, asked: Asked, found: Sequence[Found]) -> str:
    """State the preferences that a good answer to a request must honour, and what was said about it."""
    if is_about_the_world(parts.text):
        return CANNOT
    lines = parts.sections.get("preferences", "").splitlines()
    said = (
        ["A good answer must honour what I know of you:", *(f"- {line}" for line in lines)] if lines else []
    )
    near = [one for one in found if one.cosine >= _NEAR and not one.said.text.endswith("?")][:_N_QUOTES]
    if near:
        said.append("From our conversations:")
        said += [f"- {quoted(one.said, asked)}" for one in near]
    if not said:
        said.append("I know nothing of you yet that bears on this.")
    return "\n".join([*said, DISCLOSURE])
