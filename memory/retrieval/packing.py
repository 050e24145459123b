"""Filling a token budget with evidence: dated, in time order, long messages cut at sentences."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from types import MappingProxyType

from habitus.memory.index.remembering import remembered
from habitus.memory.index.units import units
from habitus.memory.retrieval.question import Question
from habitus.memory.retrieval.recall import Memory
from habitus.memory.tokens import CountTokens
from habitus.retrievers.analysis import analyze
from habitus.retrievers.passages import sentences

MAX_TURN_TOKENS = 60
MAX_REPLY_TOKENS = 30
MAX_ASKED_REPLY_TOKENS = 120
"""A message longer than this is cut to the sentences that bear on the question: the user's words are
evidence, the assistant's are mostly padding around it unless they are what is asked for. On the development
half of LongMemEval, cutting at 60 and 30 rather than at 100 and 60 brings the questions whose every evidence
turn is among 1,000 tokens from .87 to .94, and loses none of the answers: where a short answer stands in the
evidence (.506 of questions), what is left of the evidence still holds it (.487 against .475)."""

MIN_MEMBER_TOKENS = 30
_MEMBERS = 33
"""Where the question asks for several things together, a message of the user is cut so short that so many of
them fit the budget, but not shorter than this: all members are needed, and one sentence of each is most of
it. In 55 such questions over several sessions every evidence turn is among 1,000 tokens in .945 and not .909.
Larger budgets are not cut for: at 30 tokens the evidence as packed holds a short answer in .470 of the
questions, and not in .506. Taking one message of every session before a second from any costs more than it
finds (.800 with the first ten sessions)."""

_SPEAKER = {"user": "User", "assistant": "Assistant"}
_LINE_BREAKS = re.compile(r"(?<!\s)\s*\n\s*")
_MISSES_IN_A_ROW = 12
_CHARS_PER_TOKEN = 12
"""More than a token takes, so that the beginning of a longer text nearly always tells that it is."""

_stems = remembered(lambda piece: frozenset(analyze(piece)), n=16_384)
_sentences = remembered(lambda text: tuple(sentences(text)), n=4_096)


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


def shorten(
    pieces: Sequence[str],
    words: str,
    max_tokens: int,
    count_tokens: CountTokens,
    cosines: Sequence[float] = (),
) -> str:
    """Keep the pieces of a message that bear most on the question, in their order, within a budget.

    Left-out parts are shown as `…`. A single piece that is too long is cut at a word.

    Args:
        pieces: the message, cut at sentences; at least one.
        words: the question's content words; sharing them speaks for a piece.
        max_tokens: budget, the marks of what was left out excepted.
        count_tokens: counts the tokens of a text.
        cosines: how near each piece comes to the question in meaning, if that is known.
    """
    wanted = frozenset(analyze(words))
    bearing = [len(wanted & _stems(piece)) / (len(wanted) or 1) for piece in pieces]
    if cosines:
        bearing = [share + cosine for share, cosine in zip(bearing, cosines, strict=True)]
    by_bearing = sorted(range(len(pieces)), key=lambda place: (-bearing[place], place))
    kept: list[int] = []
    left = max_tokens
    for place in by_bearing:
        # A word costs a token at least, so most of what does not fit need not be counted.
        if kept and len(pieces[place].split(None, left)) >= left:
            continue
        cost = count_tokens(pieces[place]) + 1
        if cost <= left:
            kept.append(place)
            left -= cost
        elif not kept:
            # What bears most is never left out for the sake of something shorter.
            return _cut_at_word(pieces[place], max_tokens, count_tokens)
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
    """Render one memory on one line; what was replaced since says so before its words."""
    mark = f"(earlier; newer on {memory.newer_at:%Y-%m-%d}) " if memory.newer_at else ""
    text = _LINE_BREAKS.sub(" ", memory.text) if "\n" in memory.text else memory.text
    return f"{_SPEAKER[memory.role]}: {mark}{text}"


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


def limit(memory: Memory, question: Question, budget: int) -> int:
    """Return how many tokens of a message are packed at most into a budget."""
    if memory.role == "user":
        fair = budget // _MEMBERS if question.aggregates else MAX_TURN_TOKENS
        return min(MAX_TURN_TOKENS, max(MIN_MEMBER_TOKENS, fair))
    return MAX_ASKED_REPLY_TOKENS if question.about_replies else MAX_REPLY_TOKENS


def is_longer(text: str, max_tokens: int, count_tokens: CountTokens) -> bool:
    """Return whether a text costs more than so many tokens; of a long one often the beginning tells."""
    head = text[: max_tokens * _CHARS_PER_TOKEN]
    is_long = len(head) < len(text) and count_tokens(head.rpartition(" ")[0]) > max_tokens
    return is_long or count_tokens(text) > max_tokens


def _shown(
    memory: Memory,
    question: Question,
    budget: int,
    count_tokens: CountTokens,
    cosines: Mapping[str, Sequence[float]],
) -> Memory:
    max_tokens = limit(memory, question, budget)
    if not is_longer(memory.text, max_tokens, count_tokens):
        return memory
    known = cosines.get(memory.turn_id, ())
    pieces = units(memory.role, memory.text) if known else _sentences(memory.text)
    text = shorten(pieces, question.words, max_tokens, count_tokens, known)
    return replace(memory, text=text, shortened=True)


def pack(
    ranked: Iterable[Memory],
    *,
    question: Question,
    budget: int,
    count_tokens: CountTokens,
    cosines: Mapping[str, Sequence[float]] = MappingProxyType({}),
) -> Packed:
    """Take memories, best first, as long as they fit, and put them in time order.

    Args:
        ranked: best first, with their full text; no more are taken than are looked at.
        question: decides which sentences of a long message are kept.
        budget: tokens that the rendered block may cost.
        count_tokens: the generator's own count, or an estimate that is not below it.
        cosines: by turn id, how near each of its `units` comes to the question.
    """
    kept: list[Memory] = []
    seen: set[str] = set()
    days: set[date] = set()
    left, misses = budget, 0
    for memory in ranked:
        shown = _shown(memory, question, budget, count_tokens, cosines)
        if shown.text in seen:
            continue
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
        seen.add(shown.text)
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
