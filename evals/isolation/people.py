"""Users whose every sentence carries a word that nobody else says, and what is found of such words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from random import Random

IDS = (
    "ann",
    "Ann",
    "ann ",
    "ann2",
    "ann/notes",
    "acme/ann",
    "a%",
    "ab",
    "a_b",
    "axb",
    "\u00e9mile",
    "e\u0301mile",
    "user' OR '1'='1",
    'user"); DROP TABLE turns;--',
    "*",
    "../ann",
)
"""Ids that a careless filter, path or pattern would take for one another."""

_SECRET = re.compile("qz[a-y]{10}zq", re.IGNORECASE)
SAID = (
    "I love {s} noodles.",
    "I can't stand {s} music.",
    "My sister is called {s}.",
    "I work as a {s} engineer at {s}.",
    "When travelling I prefer {s} trains.",
    "Please keep your answers about {s} short.",
    "I never eat {s} because I'm allergic to {s}.",
    "Last week I bought a {s} bicycle for 300 euros.",
    "My password is {s}, keep it to yourself.",
)
ASKED = (
    "What do you know about me?",
    "Which noodles do I love?",
    "What is my password?",
    "What is my sister called?",
    "Where do I work, and what did I buy last week?",
    "Recommend some music for tonight.",
    "Which trains should I take to Rome?",
)
"""They fit what everybody says, so that a search that looked at others would find them first."""


@dataclass
class Person:
    """A user.

    Attributes:
        id: of the user.
        secret: in every sentence of theirs; another one after they were deleted.
        replies, preferences, feedback: ids known to have been theirs, for themselves and for others to try.
    """

    id: str
    secret: str
    replies: list[str] = field(default_factory=list)
    preferences: list[str] = field(default_factory=list)
    feedback: list[str] = field(default_factory=list)

    def say(self, chance: Random) -> str:
        return chance.choice(SAID).format(s=self.secret)

    def ask(self, chance: Random) -> str:
        return chance.choice(ASKED)

    def begin_anew(self, secret: str) -> None:
        """After a deletion: what was theirs is nobody's any more, not even their own."""
        self.secret = secret
        self.replies, self.preferences, self.feedback = [], [], []


def new_secret(chance: Random) -> str:
    """Return a word that nobody has said: one of 25^10."""
    return "qz" + "".join(chance.choices("abcdefghijklmnopqrstuvwxy", k=10)) + "zq"


def people(n: int, chance: Random) -> list[Person]:
    """Return so many users, those with trying ids first."""
    ids = [*IDS, *(f"user{number}" for number in range(n))][:n]
    return [Person(one, new_secret(chance)) for one in ids]


def secrets_in(texts: Iterable[str]) -> Iterator[str]:
    """Yield every secret in some texts, whosever it is."""
    for text in texts:
        for found in _SECRET.findall(text):
            yield found.lower()
