"""Life lines: generated users who state, contradict, restrict, take back and re-state a taste.

Each line says what holds after it, so memory can be checked line by line. The same seed gives the same
lives. Wordings and objects are this module's own. Nobody asks to be forgotten here: that is a command,
which erases messages besides.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from habitus.memory.known.preferences import is_positive
from habitus.memory.records import Preference
from habitus.retrievers.analysis import analyze

Kind = Literal["state", "contradict", "restrict", "retract", "restate", "replace", "ordinary"]
Truth = frozenset[tuple[bool, str, str | None]]
"""What holds: liked (True) or not, the object, the occasion (None is always)."""

START = datetime(2025, 1, 6, 18, tzinfo=UTC)
MIN_STEPS, MAX_STEPS = 3, 6

_PAIRS = (
    ("window seats", "aisle seats"),
    ("green tea", "black coffee"),
    ("night trains", "planes"),
    ("hostels", "business hotels"),
    ("techno", "string quartets"),
    ("crossword puzzles", "chess"),
    ("mountain hikes", "beach days"),
    ("paper maps", "audio guides"),
    ("rowing", "swimming"),
    ("crime novels", "biographies"),
    ("open fires", "candles"),
    ("goat cheese", "smoked tofu"),
    ("early starts", "slow breakfasts"),
    ("crowded markets", "small bookshops"),
    ("phone calls", "letters"),
    ("sourdough bread", "rye crackers"),
    ("folk festivals", "puppet theatre"),
    ("fountain pens", "typewriters"),
    ("wool sweaters", "linen shirts"),
    ("ferries", "cable cars"),
)
_OCCASIONS = ("at work", "on weekends", "when I travel", "in the evening", "with my kids", "on holidays")


@dataclass(frozen=True, kw_only=True)
class Wordings:
    """How things are said: `{x}` and `{y}` stand for objects, `{o}` for an occasion."""

    likes: tuple[str, ...]
    dislikes: tuple[str, ...]
    likes_there: tuple[str, ...]
    likes_but: tuple[str, ...]
    likes_now: tuple[str, ...]
    dislikes_now: tuple[str, ...]
    dislikes_there: tuple[str, ...]
    unlikes: tuple[str, ...]
    undislikes: tuple[str, ...]
    replaces: tuple[str, ...]


FAMILIAR = Wordings(
    likes=(
        "I like {x}.",
        "I really love {x}.",
        "I enjoy {x} a lot.",
        "I'm a big fan of {x}.",
        "I'm very fond of {x}.",
        "I can't get enough of {x}.",
        "I've always loved {x}.",
        "I've really come to enjoy {x}.",
        "Turns out I like {x} after all.",
        "As someone who loves {x}, what could I do on Sunday?",
    ),
    dislikes=(
        "I dislike {x}.",
        "I can't stand {x}.",
        "I'm not a fan of {x}.",
        "I really don't like {x}.",
        "I hate {x}.",
        "I don't care for {x}.",
        "I have no patience for {x}.",
        "I could do without {x}.",
        "I've had enough of {x}.",
        "As someone who dislikes {x}, what could I do on Sunday?",
    ),
    likes_there=(
        "{o}, I like {x}.",
        "{o} I really enjoy {x}.",
        "I enjoy {x} {o}.",
        "I love {x} {o}, though.",
    ),
    likes_but=("I like {x}, but not {o}.", "I still like {x}, except {o}."),
    likes_now=("I used to hate {x}, but now I love them.", "I've changed my mind: I like {x} now."),
    dislikes_now=(
        "I used to like {x}, but now I can't stand them.",
        "I've changed my mind: I avoid {x} now.",
    ),
    dislikes_there=("{o}, I avoid {x}.", "I don't like {x} {o}.", "I can't stand {x} {o}, though."),
    unlikes=("I no longer like {x}.", "I don't like {x} anymore.", "I've changed my mind about {x}."),
    undislikes=("I no longer dislike {x}.", "I don't hate {x} anymore."),
    replaces=(
        "I prefer {y} now instead of {x}.",
        "I switched from {x} to {y}.",
        "I like {y} more than {x} these days.",
        "I no longer like {x} but {y}.",
        "I prefer {y} over {x}.",
    ),
)
"""The rules of extraction were mended until lives in these words passed."""
LATER = Wordings(
    likes=(
        "Nothing beats {x}.",
        "I'm mad about {x}.",
        "I've fallen in love with {x}.",
        "You can always win me over with {x}.",
        "I get a lot of pleasure from {x}.",
    ),
    dislikes=(
        "I try to stay clear of {x}.",
        "I'm so over {x}.",
        "I'd rather not have anything to do with {x}.",
        "I can do without {x}.",
        "I've never warmed to {x}.",
    ),
    likes_there=("{o} I'm all for {x}.", "I do like {x} {o}."),
    likes_but=("I like {x}, just not {o}.", "I like {x} unless it's {o}."),
    likes_now=("I was never into {x}, but lately I love them.", "These days I enjoy {x} after all."),
    dislikes_now=("I once loved {x}; today I can't bear them.", "I've gone off {x}."),
    dislikes_there=("{o} I can't be doing with {x}.", "I'd rather avoid {x} {o}."),
    unlikes=("I'm not into {x} any more.", "I no longer enjoy {x}.", "I've stopped liking {x}."),
    undislikes=("I no longer avoid {x}.", "I've stopped disliking {x}."),
    replaces=("I traded {x} for {y}.", "I'd now pick {y} over {x}.", "{y} have replaced {x} for me."),
)
"""Written after the rules: .355 of 200 lives held at first sight; some of what failed was mended since."""
_LEADS = ("", "", "Actually, ", "By the way, ", "Oh, and ")
_ORDINARY = (
    "What time is it in Lima right now?",
    "Can you explain how compound interest works?",
    "Please translate 'good morning' into Finnish.",
    "How many metres are in a nautical mile?",
    "Thanks, that helps.",
)


@dataclass(frozen=True)
class Line:
    """One thing the user says.

    Attributes:
        text: the words.
        at: when.
        kind: what it does to what holds.
        truth: what holds after it.
    """

    text: str
    at: datetime
    kind: Kind
    truth: Truth


@dataclass
class _Life:
    rng: random.Random
    said: Wordings
    it: str
    other: str
    held: dict[tuple[str, str | None], bool]
    exception: str | None = None
    """When what holds always does not."""

    def hold(self, *, liked: bool) -> None:
        self.held[self.it, None] = liked
        self.exception = None

    def general(self) -> bool | None:
        return self.held.get((self.it, None))

    def state(self, *, liked: bool) -> str:
        self.hold(liked=liked)
        return self.rng.choice(self.said.likes if liked else self.said.dislikes).format(x=self.it)

    def turn_round(self) -> str:
        liked = not self.held[self.it, None]
        if self.rng.random() < 0.5:
            return self.state(liked=liked)
        self.hold(liked=liked)
        return self.rng.choice(self.said.likes_now if liked else self.said.dislikes_now).format(x=self.it)

    def restrict(self) -> str:
        liked = not self.held[self.it, None]
        occasion = self.rng.choice(_OCCASIONS)
        if not liked and not self.exception and self.rng.random() < 0.3:
            # What was liked always is liked except there from now on.
            self.exception = f"except {occasion}"
            return self.rng.choice(self.said.likes_but).format(x=self.it, o=occasion)
        self.held[self.it, occasion] = liked
        words = self.rng.choice(self.said.likes_there if liked else self.said.dislikes_there).format(
            x=self.it, o=occasion
        )
        return words[0].upper() + words[1:]

    def retract(self) -> str:
        liked = self.held.pop((self.it, None))
        self.exception = None
        return self.rng.choice(self.said.unlikes if liked else self.said.undislikes).format(x=self.it)

    def replace(self) -> str:
        words = self.rng.choice(self.said.replaces).format(x=self.it, y=self.other)
        del self.held[self.it, None]
        self.it, self.other = self.other, self.it
        self.hold(liked=True)
        return words

    def step(self) -> tuple[Kind, str]:
        general = self.general()
        if general is None:
            kind: Kind = "restate" if self.held or self.rng.random() < 0.8 else "state"
            return kind, self.state(liked=self.rng.random() < 0.5)
        moves: list[tuple[Kind, Callable[[], str]]] = [
            ("contradict", self.turn_round),
            ("restrict", self.restrict),
            ("retract", self.retract),
        ]
        if self.exception is None:
            moves.append(("restate", lambda: self.state(liked=general)))
        if general:
            moves.append(("replace", self.replace))
        kind, move = self.rng.choice(moves)
        return kind, move()


def life_line(seed: int, said: Wordings = FAMILIAR) -> tuple[Line, ...]:
    """Generate one life; the same seed gives the same one."""
    rng = random.Random(seed)
    it, other = rng.sample(rng.choice(_PAIRS), 2)
    life = _Life(rng, said, it, other, {})
    told: list[tuple[Kind, str]] = [("state", life.state(liked=rng.random() < 0.6))]
    truths = [_truth(life)]
    for _ in range(rng.randint(MIN_STEPS, MAX_STEPS)):
        if rng.random() < 0.3:
            told.append(("ordinary", rng.choice(_ORDINARY)))
            truths.append(truths[-1])
        kind, words = life.step()
        opening = rng.choice(_LEADS)
        told.append((kind, _led(opening, words[0].upper() + words[1:])))
        truths.append(_truth(life))
    return tuple(
        Line(words, START + timedelta(days=9 * place), kind, truth)
        for place, ((kind, words), truth) in enumerate(zip(told, truths, strict=True))
    )


def life_lines(n: int, *, seed: int = 0, said: Wordings = FAMILIAR) -> list[tuple[Line, ...]]:
    """Generate `n` lives from one seed."""
    return [life_line(seed * 1_000_003 + number, said) for number in range(n)]


def holds(preferences: Iterable[Preference], truth: Truth) -> bool:
    """Tell whether the active preferences say what holds, no less and no more.

    Objects and occasions are compared by their stems, reply styles are left aside.
    """
    known = {
        (is_positive(p.stance), stems(p.target), stems(p.scope))
        for p in preferences
        if p.status == "active" and not p.topic.startswith("style.")
    }
    return known == {(liked, stems(it), stems(occasion)) for liked, it, occasion in truth}


def _truth(life: _Life) -> Truth:
    return frozenset(
        (liked, it, occasion or (life.exception if it == life.it else None))
        for (it, occasion), liked in life.held.items()
    )


def _led(opening: str, words: str) -> str:
    return (
        opening + words
        if not opening or words.startswith(("I ", "I'"))
        else opening + words[0].lower() + words[1:]
    )


def stems(words: str | None) -> frozenset[str]:
    """Return the stems by which objects and occasions are compared."""
    return frozenset(analyze(words or "")) - _SMALL


_SMALL = frozenset(analyze("a an the i my in on at with when of to"))
