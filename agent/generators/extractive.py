"""The default generator: no weights, no invention. It answers with what it was given.

Questions to memory are answered by quoting the sentences of the prompt's memories that come nearest,
with their dates; questions about the user as a whole from profile and persona; requests by naming the
preferences that a good answer must honour. When the memories hold no answer it says so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

import numpy as np
from langchain_core.messages import BaseMessage
from pydantic import ConfigDict, SkipValidation

from habitus.agent.generators.whole import WholeReplyChat
from habitus.agent.prompt import PromptParts, parse
from habitus.agent.routing import find_command, find_routes
from habitus.agent.state import Route
from habitus.retrievers.analysis import analyze
from habitus.retrievers.encoder import Encoder
from habitus.retrievers.passages import sentences

DISCLOSURE = (
    "(I am Habitus' extractive generator, not a language model: "
    "I quote what I know instead of composing an answer.)"
)
UNKNOWN = "I don't know from our conversations."

_HEADING = re.compile(r"^## (\d{4}-\d{2}-\d{2})")
_LINE = re.compile(r"^(User|Assistant): (.*)$")
_WINDOW_MESSAGES = 40
_WINDOW_SENTENCES = 20
_HOW_MANY = re.compile(r"\bhow (?:many|often)\b", re.IGNORECASE)
_QUESTION_WORDS = frozenset(
    analyze(
        "what which who whom whose when where why how is are was were am be been do does did have has had "
        "can could will would should may a an the of to in on at for with from by about and or but not "
        "i me my mine we our us you your it its this that these those there tell remind remember"
    )
)


@dataclass(frozen=True)
class _Sentence:
    text: str
    day: date | None
    by_user: bool
    score: float = 0.0


class ExtractiveChat(WholeReplyChat):
    """A chat model without a language model: quotes evidence and names preferences.

    Args:
        encoder: measures how near a sentence comes to the question.
        min_score: below it nothing counts as an answer. The score of a sentence is its cosine to the
            question plus the share of the question's content words that it holds, 0..2.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    encoder: SkipValidation[Encoder]
    min_score: float = 0.75
    max_quotes: int = 3

    @property
    def _llm_type(self) -> str:
        return "habitus-extractive"

    def reply_to(self, messages: list[BaseMessage]) -> str:
        parts = parse(messages)
        routes = find_routes(parts.text, command=find_command(parts.text), is_feedback=False)
        said: list[str] = []
        for route, answer in (
            ("extraction", self._quote),
            ("abstraction", self._describe),
            ("generalization", self._honour),
        ):
            if route in routes:
                said.append(answer(parts))
        return "\n\n".join(said) or self._acknowledge(routes)

    def _acknowledge(self, routes: frozenset[Route]) -> str:
        return "Noted." if "statement" in routes else "All right."

    def _quote(self, parts: PromptParts) -> str:
        best = self._nearest(parts)
        if not best:
            return UNKNOWN
        if _HOW_MANY.search(parts.text) and len(best) > 1:
            return "This is what you told me about it:\n" + "\n".join(f"- {_quoted(one)}" for one in best)
        return _quoted(best[0])

    def _nearest(self, parts: PromptParts) -> list[_Sentence]:
        """Return the sentences that may answer, best first; on equal terms the newest."""
        found = _told(parts)
        if not found:
            return []
        vectors = self.encoder.encode([parts.text, *(one.text for one in found)])
        cosines = vectors[1:] @ vectors[0]
        wanted = set(analyze(parts.text)) - _QUESTION_WORDS
        scored = [
            _Sentence(one.text, one.day, one.by_user, float(cosine) + _share(wanted, one.text))
            for one, cosine in zip(found, np.asarray(cosines), strict=True)
            if not one.text.endswith("?")
        ]
        enough = [one for one in scored if one.score >= self.min_score]
        enough.sort(key=lambda one: (-one.score, -(one.day or date.min).toordinal()))
        return enough[: self.max_quotes]

    def _describe(self, parts: PromptParts) -> str:
        known = [parts.sections[name] for name in ("profile", "persona") if name in parts.sections]
        if not known:
            return "I don't know enough about you yet."
        return "This is how I know you:\n" + known[0]

    def _honour(self, parts: PromptParts) -> str:
        lines = parts.sections.get("preferences", "").splitlines()
        said = (
            ["A good answer must honour what I know of you:", *(f"- {line}" for line in lines)]
            if lines
            else []
        )
        near = self._nearest(parts)
        if near:
            said.append("From our conversations:")
            said += [f"- {_quoted(one)}" for one in near]
        if not said:
            said.append("I know nothing of you yet that bears on this.")
        return "\n".join([*said, DISCLOSURE])


def _share(wanted: set[str], text: str) -> float:
    return len(wanted.intersection(analyze(text))) / len(wanted) if wanted else 0.0


def _quoted(sentence: _Sentence) -> str:
    who = "you said" if sentence.by_user else "I said"
    when = f"On {sentence.day.day} {sentence.day:%B %Y} " if sentence.day else ""
    return f"{when}{who if when else who.capitalize()}: “{sentence.text}”"


def _told(parts: PromptParts) -> list[_Sentence]:
    """Return what was said: in the memories, with its day, and earlier in this conversation, today."""
    today = parts.at.date() if parts.at else None
    found = _memory_sentences(parts.sections.get("memories", ""))
    for by_user, text in parts.window[-_WINDOW_MESSAGES:]:
        if not by_user:
            continue
        found += [_Sentence(one, today, True) for one in sentences(text)[:_WINDOW_SENTENCES]]
    return found


def _memory_sentences(block: str) -> list[_Sentence]:
    found: list[_Sentence] = []
    day: date | None = None
    for line in block.splitlines():
        if heading := _HEADING.match(line):
            day = date.fromisoformat(heading[1])
        elif spoken := _LINE.match(line):
            found += [_Sentence(text, day, spoken[1] == "User") for text in sentences(spoken[2])]
    return found
