"""A chat model that reads the history itself: nothing of it, the latest messages, or all that fits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from habitus.agent.prompting.budgets import Cut
from habitus.evals.harness.agents import Answer, Parts
from habitus.evals.running import UsageError
from habitus.memory.records import Conversation
from habitus.memory.tokens import estimate_tokens

SYSTEM = (
    "You are an assistant, and you have talked with this user before. Where you are given what was said "
    "then, answer from it as far as it bears on the question, and say so if it was never said."
)
WINDOW_TOKENS = 1_000
"""Of the latest messages, as in the agent's own prompt."""
ANSWER_TOKENS = 1_000
"""Of a model's window, what is left for the answer."""
DAY = "%A, %d %B %Y, %H:%M"


def asked(parts: Parts, tag: str, told: str, question: str, at: datetime) -> str:
    """Put a question to the chat model, after what it is told of the user, in a tag of that name."""
    from langchain_core.messages import HumanMessage, SystemMessage

    text = f"It is {at:{DAY}}.\n\n{question}"
    if told:
        text = f"<{tag}>\n{told}\n</{tag}>\n\n{text}"
    system = f"{SYSTEM}\n\n{parts.instructions}" if parts.instructions else SYSTEM
    return str(parts.generator.invoke([SystemMessage(system), HumanMessage(text)]).text)


class HistoryChat:
    """Asks a chat model with the user's latest messages in the prompt.

    Whole messages are left out, the oldest first; the answer says how many.

    Args:
        parts: with the chat model.
        window_tokens: of the history in the prompt, as `estimate_tokens` counts; 0 for none.
    """

    def __init__(self, parts: Parts, window_tokens: int) -> None:
        self._parts = parts
        self._window_tokens = window_tokens
        self._sessions: list[Conversation] = []

    def ingest(self, user_id: str, sessions: Sequence[Conversation]) -> None:
        self._sessions = sorted([*self._sessions, *sessions], key=lambda one: one.at)

    def answer(self, user_id: str, question: str, at: datetime) -> Answer:
        history, cut = self._history()
        return Answer(text=asked(self._parts, "earlier_conversations", history, question, at), cut=cut)

    def _history(self) -> tuple[str, tuple[Cut, ...]]:
        left, n_kept = self._window_tokens, 0
        blocks: list[str] = []
        n_messages = sum(len(one.messages) for one in self._sessions)
        for session in reversed(self._sessions):
            title = f"## {session.at:{DAY}}"
            left -= estimate_tokens(title)
            lines: list[str] = []
            for message in reversed(session.messages):
                line = f"{message.role}: {message.text}"
                left -= estimate_tokens(line)
                if left < 0:
                    break
                lines.append(line)
            if lines:
                n_kept += len(lines)
                blocks.append("\n".join([title, *reversed(lines)]))
            if left < 0:
                break
        if n_kept == n_messages or not self._window_tokens:
            return "\n\n".join(reversed(blocks)), ()
        why = f"{self._window_tokens:,} tokens"
        return "\n\n".join(reversed(blocks)), (Cut(part="history", kept=n_kept, of=n_messages, why=why),)


def no_memory(folder: Path, parts: Parts) -> HistoryChat:
    """The model alone: it sees the question, and nothing of the history."""
    return HistoryChat(parts, 0)


def window(folder: Path, parts: Parts) -> HistoryChat:
    """The model with the latest messages, as many as the agent's own window holds."""
    return HistoryChat(parts, WINDOW_TOKENS)


def full_history(folder: Path, parts: Parts) -> HistoryChat:
    """The model with all of the history that its window holds."""
    return HistoryChat(parts, room_of(parts) - ANSWER_TOKENS - estimate_tokens(SYSTEM))


def room_of(parts: Parts) -> int:
    """Return how many tokens the generator reads.

    Raises:
        UsageError: neither it nor the command tells.
    """
    room = parts.generator_window or (parts.generator.profile or {}).get("max_input_tokens")
    if room is None:
        raise UsageError("the model does not tell how much it can read: give --generator-window TOKENS")
    return room
