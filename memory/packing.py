"""Filling a token budget with evidence: dated, in time order, long messages cut at sentences."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from habitus.memory.recall import Memory
from habitus.memory.tokens import CountTokens
from habitus.retrievers.analysis import analyze
from habitus.retrievers.passages import sentences

MAX_TURN_TOKENS = 100
MAX_REPLY_TOKENS = 40
"""A message longer than this is cut to the sentences that share most with the question: the user's
words are evidence, the assistant's are mostly padding around it."""

_SPEAKER = {"user": "User", "assistant": "Assistant"}
_LINE_BREAKS = re.compile(r"\s*\n\s*")
_MISSES_IN_A_ROW = 12


@dataclass(frozen=True, kw_only=True)
class Packed:
    """Evidence as it goes into the prompt.

    Attributes:
        memories: in time order.
        text: the rendered block, one line a memory under one heading a day.
        n_tokens: what `text` costs, never more than the budget.
    """

    memories: tuple[Memory, ...] = ()
    text: str = ""
    n_tokens: int = 0


def shorten(text: str, question: str, max_tokens: int, count_tokens: CountTokens) -> str:
    """Keep the sentences that share most with the question, in their order, within a budget.

    Left-out parts are shown as ` … `. A single sentence that is too long is cut at a word.
    """
    if count_tokens(text) <= max_tokens:
        return text
    pieces = sentences(text)
    wanted = set(analyze(question))
    by_overlap = sorted(range(len(pieces)), key=lambda i: (-len(wanted.intersection(analyze(pieces[i]))), i))
    kept: list[int] = []
    left = max_tokens
    for i in by_overlap:
        cost = count_tokens(pieces[i]) + 1
        if cost <= left:
            kept.append(i)
            left -= cost
    if not kept:
        return _cut_at_word(pieces[by_overlap[0]], max_tokens, count_tokens)
    return _joined(pieces, sorted(kept))


def _joined(pieces: Sequence[str], kept: Sequence[int]) -> str:
    parts: list[str] = []
    before = -1
    for i in kept:
        parts.append(pieces[i] if i == before + 1 else f"… {pieces[i]}")
        before = i
    return " ".join(parts) + (" …" if before < len(pieces) - 1 else "")


def _cut_at_word(text: str, max_tokens: int, count_tokens: CountTokens) -> str:
    words = text.split()
    low, high = 0, len(words)
    while low < high:
        middle = (low + high + 1) // 2
        if count_tokens(" ".join(words[:middle]) + " …") <= max_tokens:
            low = middle
        else:
            high = middle - 1
    return " ".join(words[:low]) + " …"


def _heading(day: date) -> str:
    return f"## {day:%Y-%m-%d (%a)}"


def line(memory: Memory) -> str:
    """Render one memory on one line."""
    return f"{_SPEAKER[memory.role]}: {_LINE_BREAKS.sub(' ', memory.text)}"


def render(memories: Sequence[Memory]) -> str:
    """Render memories, already in time order, under a heading for each day."""
    lines: list[str] = []
    day: date | None = None
    for memory in memories:
        if memory.at.date() != day:
            day = memory.at.date()
            lines.append(_heading(day))
        lines.append(line(memory))
    return "\n".join(lines)


def pack(ranked: Sequence[Memory], *, question: str, budget: int, count_tokens: CountTokens) -> Packed:
    """Take memories, best first, as long as they fit, and put them in time order.

    Args:
        ranked: best first, with their full text.
        question: decides which sentences of a long message are kept.
        budget: tokens that the rendered block may cost.
        count_tokens: the generator's own count, or an estimate that is not below it.
    """
    kept: list[Memory] = []
    seen: set[str] = set()
    days: set[date] = set()
    left, misses = budget, 0
    for memory in ranked:
        limit = MAX_TURN_TOKENS if memory.role == "user" else MAX_REPLY_TOKENS
        text = shorten(memory.text, question, limit, count_tokens)
        if text in seen:
            continue
        shown = replace(memory, text=text, shortened=text != memory.text)
        day = memory.at.date()
        cost = count_tokens(line(shown)) + 1
        if day not in days:
            cost += count_tokens(_heading(day)) + 1
        if cost > left:
            misses += 1
            if misses >= _MISSES_IN_A_ROW:
                break
            continue
        misses = 0
        kept.append(shown)
        seen.add(text)
        days.add(day)
        left -= cost
    return _within(kept, budget, count_tokens)


def _within(kept: list[Memory], budget: int, count_tokens: CountTokens) -> Packed:
    # A tokenizer may count a whole higher than its lines; then the weakest memory goes.
    while kept:
        ordered = sorted(kept, key=lambda memory: (memory.at, memory.session_id))
        text = render(ordered)
        n_tokens = count_tokens(text)
        if n_tokens <= budget:
            return Packed(memories=tuple(ordered), text=text, n_tokens=n_tokens)
        kept = kept[:-1]
    return Packed()
