"""Simulated users who give feedback: a hidden taste, and how they let it be known.

The taste is what the evaluation measures against; nothing of it reaches the agent but through the
user's edits, ratings, comments and choices.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Any

from habitus.evals.feedback.style import FLAGS, Style, seen, write
from habitus.evals.feedback.texts import DOMAINS

LENGTHS = (2, 4, 7, 11)
N_CHANGED = 5
"""Traits of a taste that change, the length always among them."""


@dataclass(frozen=True)
class User:
    """One simulated user.

    Attributes:
        user_id: in the agent.
        before, after: the hidden taste up to a change and from it on.
        change_at: the number of rounds before the change.
        requests: what they ask, round by round.
        seed: of their whims.
    """

    user_id: str
    before: Style
    after: Style
    change_at: int
    requests: tuple[str, ...]
    seed: int

    def taste(self, number: int) -> Style:
        """Return the taste in a round, counted from 1."""
        return self.before if number <= self.change_at else self.after


def simulated_users(n: int, *, rounds: int, change_at: int, seed: int) -> list[User]:
    """Make users; the same arguments give the same ones."""
    users = []
    for number in range(n):
        rng = random.Random(seed * 1_000_003 + number)
        before = _taste(rng)
        requests = [rng.choice(rng.choice(DOMAINS).requests) for _ in range(rounds)]
        users.append(
            User(
                user_id=f"user-{number}",
                before=before,
                after=_changed(rng, before),
                change_at=change_at,
                requests=tuple(requests),
                seed=rng.randrange(2**32),
            )
        )
    return users


def _taste(rng: random.Random) -> Style:
    options = [rng.sample(domain.options, 2) for domain in DOMAINS]
    flags: dict[str, Any] = {flag: rng.random() < 0.4 for flag in FLAGS}
    return Style(
        n_points=rng.choice(LENGTHS),
        form=rng.choice(("prose", "bullets", "numbers")),
        tone=rng.choice(("plain", "casual", "formal")),
        language=rng.choice(("English",) * 8 + ("German", "French")),
        liked=frozenset(pair[0] for pair in options),
        disliked=frozenset(pair[1] for pair in options),
        **flags,
    )


def _changed(rng: random.Random, old: Style) -> Style:
    new = replace(old, n_points=rng.choice([n for n in LENGTHS if n != old.n_points]))
    for name in rng.sample(("form", "tone", *FLAGS), N_CHANGED - 1):
        value = getattr(old, name)
        while value == getattr(old, name):
            value = not value if name in FLAGS else getattr(_taste(rng), name)
        changes: dict[str, Any] = {name: value}
        new = replace(new, **changes)
    return new


def opposite(style: Style, rng: random.Random) -> Style:
    """Return a taste that contradicts another: what a slip of the hand would ask for."""
    return _changed(rng, style)


_NAMES = {
    "greeting": "greeting",
    "closing": "closing phrase",
    "emojis": "emojis",
    "examples": "examples",
    "heading": "headings",
    "question": "follow-up questions",
    "hedging": "hedging",
}


def comment_on(text: str, request: str, taste: Style, rng: random.Random) -> str:
    """Return what the user says of a reply: one thing that is not to their taste, or praise."""
    reply = seen(text)
    reply_words, wanted_words = len(text.split()), len(ideal(request, taste).split())
    wishes: list[str] = []
    if reply_words > 1.4 * wanted_words:
        wishes.append("That was too long.")
    elif wanted_words > 1.4 * reply_words:
        wishes.append("That was too short.")
    if reply.form != taste.form:
        wishes.append(
            {
                "bullets": "Please use bullet points.",
                "numbers": "Please use numbered lists.",
                "prose": "Please don't use bullet points."
                if reply.form == "bullets"
                else "Please don't use numbered lists.",
            }[taste.form]
        )
    if reply.tone != taste.tone and taste.language == "English":
        wishes.append(
            {"casual": "That is too formal.", "formal": "Please sound more formal."}.get(
                taste.tone, f"Too {reply.tone} for me."
            )
        )
    if reply.language != taste.language:
        wishes.append(f"Please answer in {taste.language}.")
    for flag in FLAGS:
        if getattr(reply, flag) != getattr(taste, flag):
            name = _NAMES[flag]
            wishes.append(
                f"Please add {name if name.endswith('s') else 'a ' + name}."
                if getattr(taste, flag)
                else f"Please, no {name}."
            )
    # The gravest first: length, form and language change most of the reply.
    return rng.choice(wishes[:2]) if wishes else "Perfect, thanks!"


def tastes_told(reply: str, taste: Style, rng: random.Random) -> str | None:
    """Return a taste for an option that the reply proposes against it, in words; None if it does not."""
    wrong = [option for option in sorted(taste.disliked) if option in reply]
    if wrong:
        return f"I don't like {wrong[0]}."
    missed = [
        option
        for domain in DOMAINS
        for option in domain.options
        if option in taste.liked and any(other in reply for other in domain.options) and option not in reply
    ]
    return f"I love {rng.choice(missed)}." if missed else None


def rating_of(distance: float) -> float:
    """Return how a reply is rated that lies so far, 0..1, from what the user would have written."""
    return round(max(-1.0, min(1.0, 1.0 - 2.5 * distance)), 2)


def ideal(request: str, taste: Style) -> str:
    """Return the reply as the user would have written it."""
    return write(request, taste)
