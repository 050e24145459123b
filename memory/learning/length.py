"""How long a user wants replies to be, in words, as edits, choices and complaints show it.

Where the last three lengths agree (two of them within a factor of 1.6) lies the belief; of two that
disagree neither is believed. So the first edit counts at once, a single odd one later changes nothing,
and two new ones turn it round. Complaints only bound the length: between "too long" at 100 words and
"too short" at 50 lies 71.
"""

from __future__ import annotations

import math
from datetime import datetime
from typing import Literal

from habitus.memory.learning.log import Given

CHANGES, BY_WORDS = 1.33, 8
"""From this factor on, and by so many words, an edit changed the length."""
ALIKE, NEAR = 1.6, 1.35
SHORT, LONG = 60, 150
RESTATED = 1.12
"""A new estimate is told only when it differs from the one told by this factor."""
CHOSEN_SHORTER, CHOSEN_LONGER = 0.6, 1.7
MAX_KEPT = 8
MAX_SUPPORT = 5


class Length:
    """The belief on length.

    Attributes:
        words: about how many are wanted; None where nothing is known or what was seen disagrees.
        since: when that came to be held.
        source: the kind of feedback that spoke last.
        support: ids of the feedback it rests on, latest last, few.
        n_shown: lengths shown by edits and choices that it rests on.
        seen_at: when feedback last bore it out.
    """

    def __init__(self) -> None:
        self.words: float | None = None
        self.since: datetime | None = None
        self.source: Literal["edit", "choice", "correction"] = "edit"
        self.support: tuple[str, ...] = ()
        self.n_shown = 0
        self.seen_at: datetime | None = None
        self._seen: list[float] = []
        self._grew = False
        self._lower = 0.0
        self._upper = math.inf

    @property
    def target(self) -> str:
        """What the preference calls it."""
        if self.words is None:
            raise ValueError("no length is believed in")
        if SHORT < self.words < LONG:
            return "detailed replies" if self._grew else "short replies"
        return "short replies" if self.words <= SHORT else "detailed replies"

    @property
    def statement(self) -> str:
        if self.words is None:
            raise ValueError("no length is believed in")
        return f"I want {self.target} (about {told_words(self.words)} words)."

    def shown(self, given: Given, before: int, after: int) -> None:
        """Take in an edit."""
        changed = max(after / before, before / after) >= CHANGES and abs(after - before) >= BY_WORDS
        if changed:
            self._grew = after > before
        if changed or self._seen:
            self._see(given, after, "edit")

    def chosen(self, given: Given, winner: int, shortest: int, longest: int) -> None:
        """Take in a choice: only a winner shorter or longer than every loser tells something."""
        if winner < CHOSEN_SHORTER * shortest or winner > CHOSEN_LONGER * longest:
            self._grew = winner > longest
            self._see(given, winner, "choice")

    def chosen_often(self, given: Given, words: float, *, longer: bool) -> None:
        """Take in what many choices have in common."""
        self._grew = longer
        self._see(given, words, "choice")

    def told(self, given: Given, *, shorter: bool, words: int) -> None:
        """Take in a complaint about a reply of so many words."""
        if shorter:
            self._upper = float(words)
        else:
            self._lower = float(words)
        if self._lower >= self._upper:
            # They contradict each other: the newer one stands alone.
            self._lower, self._upper = (0.0, self._upper) if shorter else (self._lower, math.inf)
        if self._lower and self._upper < math.inf:
            middle = math.sqrt(self._lower * self._upper)
        else:
            middle = words / 2 if shorter else words * 2
            if self.words is not None:
                # "Too long" asks for no more than was believed already.
                middle = min(middle, self.words) if shorter else max(middle, self.words)
        self._grew = not shorter
        self._seen = []
        self._see(given, max(1.0, middle), "correction")

    def _see(self, given: Given, words: float, kind: Literal["edit", "choice", "correction"]) -> None:
        self._seen = [*self._seen, math.log(words)][-MAX_KEPT:]
        level = _level(self._seen)
        if level is None:
            self.words, self.since, self.support, self.n_shown = None, None, (), 0
            return
        told = math.exp(level)
        if self.words is None or max(told / self.words, self.words / told) >= RESTATED:
            turned = self.words is None or max(told / self.words, self.words / told) >= ALIKE
            self.words = told
            if turned:
                self.since, self.support, self.n_shown = given.at, (), 0
        if abs(math.log(words) - level) <= math.log(ALIKE):
            self.source, self.seen_at = kind, given.at
            self.support = (*self.support, given.id)[-MAX_SUPPORT:]
            self.n_shown += kind != "correction"


def told_words(words: float) -> int:
    """Round a number of words to what is worth telling."""
    step = 5 if words < 100 else 10
    return max(5, round(words / step) * step)


def _level(seen: list[float]) -> float | None:
    """Return where the latest lengths agree (logarithms), None where they do not."""
    latest = seen[-3:]
    if len(latest) == 1:
        return latest[0]
    pairs = [(a, b) for place, a in enumerate(latest) for b in latest[place + 1 :]]
    a, b = min(reversed(pairs), key=lambda pair: abs(pair[0] - pair[1]))
    if abs(a - b) > math.log(ALIKE):
        return None
    middle = (a + b) / 2
    near = [one for one in seen if abs(one - middle) <= math.log(NEAR)]
    return sum(near) / len(near) if near else middle
