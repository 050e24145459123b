"""Cutting the parts of a prompt to their budgets, and all of it to the generator's window.

Nothing is cut inside a line: a part gives up whole lines, messages or memories, its least important first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from habitus.memory.tokens import CountTokens

ORDER: tuple[tuple[str, int], ...] = (
    ("window", 2),
    ("memories", 0),
    ("profile", 0),
    ("writing", 0),
    ("examples", 0),
    ("corrections", 0),
    ("window", 0),
    ("persona", 0),
    ("preferences", 0),
)
"""What gives way when a prompt is longer than the generator's window, first to last, and how many of its
lines stay: old messages go first, preferences last, and of these the constraints (`must`) last of all.
Norms and the user's message are never cut."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part of the prompt as lines, the most important first.

    Attributes:
        name: of the section; `window` for the latest messages.
        lines: as they cost tokens.
        render: the text of the lines at some places of `lines`, in the order of the prompt; it is what
            their cost is counted of.
        in_a_row: nothing after the first line that does not fit is kept.
        kept: places of the lines that stay, best first.
    """

    name: str
    lines: tuple[str, ...]
    render: Callable[[Sequence[int]], str]
    in_a_row: bool = False
    kept: tuple[int, ...]

    @property
    def text(self) -> str:
        return self.render(self.kept)


@dataclass(frozen=True, kw_only=True)
class Cut:
    """What did not fit.

    Attributes:
        part: the name of the section; `window` for the latest messages.
        kept: lines, messages or memories that stayed.
        of: how many there were.
        why: the budget of the part, or the window of the generator.
    """

    part: str
    kept: int
    of: int
    why: str

    def __str__(self) -> str:
        return f"{self.part}: {self.kept} of {self.of} kept ({self.why})"


def part(name: str, lines: Sequence[str], render: Callable[[Sequence[int]], str] | None = None) -> Part:
    """Make a part of which nothing is cut yet; by default its lines stand in the order given."""
    every = tuple(lines)

    def joined(kept: Sequence[int]) -> str:
        return "\n".join(every[place] for place in sorted(kept))

    return Part(
        name=name,
        lines=every,
        render=render or joined,
        in_a_row=name == "window",
        kept=tuple(range(len(every))),
    )


def within(given: Part, budget: int, count_tokens: CountTokens, *, at_least: int = 0) -> Part:
    """Return the part with as many lines as its budget holds, the most important first.

    Args:
        given: a part, cut before or not.
        budget: in tokens.
        count_tokens: the generator's own count, or an estimate.
        at_least: so many of the most important lines stay in any case.
    """
    if len(given.kept) <= at_least or count_tokens(given.text) <= budget:
        return given
    kept: list[int] = []
    left = budget
    for place in given.kept:
        cost = count_tokens(given.lines[place])
        if cost <= left or len(kept) < at_least:
            kept.append(place)
            left -= cost
        elif given.in_a_row:
            break
    # What frames the lines costs too, and a tokenizer may count a whole higher than its lines.
    while len(kept) > at_least and count_tokens(given.render(kept)) > budget:
        kept.pop()
    return replace(given, kept=tuple(kept))


def within_window(
    parts: Mapping[str, Part],
    window: int,
    *,
    length: Callable[[Mapping[str, Part]], int],
    count_tokens: CountTokens,
) -> dict[str, Part]:
    """Return the parts cut in `ORDER` until the prompt fits; all of it is gone if even that does not do.

    Args:
        parts: by name, each within its own budget.
        window: tokens that the prompt may cost.
        length: what a prompt of some parts costs.
        count_tokens: the generator's own count, or an estimate.
    """
    made = dict(parts)
    for name, at_least in ORDER:
        excess = length(made) - window
        if excess <= 0:
            break
        if name not in made:
            continue
        left = max(count_tokens(made[name].text) - excess, 0)
        made[name] = within(made[name], left, count_tokens, at_least=at_least)
        # Tags around a section and rounding: give up line after line until it fits or nothing is left.
        while len(made[name].kept) > at_least and length(made) > window:
            made[name] = replace(made[name], kept=made[name].kept[:-1])
    return made


def cuts(parts: Iterable[Part], budgeted: Mapping[str, Part]) -> tuple[Cut, ...]:
    """Say what is missing of each part, and whether its own budget or the window took it.

    Args:
        parts: as they came out.
        budgeted: as they stood within their own budgets.
    """
    found: list[Cut] = []
    for made in parts:
        if len(made.kept) < len(made.lines):
            by_window = len(made.kept) < len(budgeted[made.name].kept)
            why = "the generator's window" if by_window else "budget of this part"
            found.append(Cut(part=made.name, kept=len(made.kept), of=len(made.lines), why=why))
    return tuple(found)
