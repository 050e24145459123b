"""The evidence as the generator sees it: sentences with their day and who said them, read from the prompt."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from habitus.agent.prompting.prompt import PromptParts
from habitus.retrievers.passages import sentences

_HEADING = re.compile(r"^## (\d{4}-\d{2}-\d{2})")
_LINE = re.compile(r"^(User|Assistant): (\(earlier; newer on \d{4}-\d{2}-\d{2}\) )?(.*)$")
_WINDOW_MESSAGES = 40
_WINDOW_SENTENCES = 20


@dataclass(frozen=True)
class Said:
    """One sentence of the evidence.

    Attributes:
        text: verbatim, but for the marks of what was left out around it.
        day: when it was said; None if the prompt does not tell.
        by_user: whether the user said it, not the assistant.
        message: which message it stands in, counted in the order of the prompt.
        place: which sentence of the message.
        replaced: whether something later took the place of what the message says.
    """

    text: str
    day: date | None
    by_user: bool
    message: int
    place: int
    replaced: bool = False

    @property
    def when(self) -> tuple[int, int, int]:
        """What puts sentences in time order."""
        return self.day.toordinal() if self.day else 0, self.message, self.place


def said_in(parts: PromptParts) -> list[Said]:
    """Return what was said: in the memories, with its day, and by the user earlier in this session, today."""
    found: list[Said] = []
    day: date | None = None
    n_messages = 0
    for line in parts.sections.get("memories", "").splitlines():
        if heading := _HEADING.match(line):
            day = date.fromisoformat(heading[1])
        elif spoken := _LINE.match(line):
            found += _sentences(spoken[3], day, spoken[1] == "User", n_messages, spoken[2] is not None)
            n_messages += 1
    today = parts.at.date() if parts.at else None
    for by_user, text in parts.window[-_WINDOW_MESSAGES:]:
        if by_user:
            found += _sentences(text, today, True, n_messages)[:_WINDOW_SENTENCES]
            n_messages += 1
    return found


def _sentences(
    text: str, day: date | None, by_user: bool, message: int, replaced: bool = False
) -> list[Said]:
    pieces = (piece.strip("… ") for piece in sentences(text))
    return [
        Said(piece, day, by_user, message, place, replaced) for place, piece in enumerate(pieces) if piece
    ]
