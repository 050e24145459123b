"""How simulated users say things: one set of wordings to build with, and one held out.

The held-out set was written before the suite was first run, and rules are never mended for it. `{v}` is a
value, `{w}` the one before it, `{x}` and `{y}` objects of taste, `{o}` an occasion, `{s}` a secret, `{u}` a
user's id.
"""

from __future__ import annotations

from dataclasses import dataclass

from habitus.evals.lifelong.options import WordingName


@dataclass(frozen=True, kw_only=True)
class Attribute:
    """One thing that can be told of a user and asked for again.

    Attributes:
        name: in words, for a chat model that plays the user.
        values: what it can be; no value contains another.
        told: the first telling.
        changed: it is different from now on.
        asked: a question for what holds now.
        of_others: the same told of somebody else.
        forget: the user asks for it to be forgotten.
    """

    name: str
    values: tuple[str, ...]
    told: tuple[str, ...]
    changed: tuple[str, ...]
    asked: tuple[str, ...]
    of_others: tuple[str, ...]
    forget: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Series:
    """Things of one kind that happen again and again.

    Attributes:
        name: in words.
        items: each happens once at most.
        happened: told when it happened.
        again: mentioned once more; it did not happen again.
        planned: may happen one day.
        by_others: it happened to somebody else.
        asked: how many there were.
    """

    name: str
    items: tuple[str, ...]
    happened: tuple[str, ...]
    again: tuple[str, ...]
    planned: tuple[str, ...]
    by_others: tuple[str, ...]
    asked: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Tastes:
    """How tastes are said.

    Attributes:
        likes, dislikes: plainly.
        turned_against, turned_towards: a change of mind, in one message.
        others_like, others_dislike: somebody else's.
        quotes_like, quotes_dislike: in a text that the user pasted.
        supposed_like, supposed_dislike: what is not so.
        leaning: a passing remark of one who is turning to something.
        settled: what such a one says at the end.
        likes_there, dislikes_there: on one occasion.
        asked_there: a request on that occasion which the taste bears on.
        too_long, too_short: a comment on a reply.
        forget: the user asks for a liking to be forgotten.
    """

    likes: tuple[str, ...]
    dislikes: tuple[str, ...]
    turned_against: tuple[str, ...]
    turned_towards: tuple[str, ...]
    others_like: tuple[str, ...]
    others_dislike: tuple[str, ...]
    quotes_like: tuple[str, ...]
    quotes_dislike: tuple[str, ...]
    supposed_like: tuple[str, ...]
    supposed_dislike: tuple[str, ...]
    leaning: tuple[str, ...]
    settled: tuple[str, ...]
    likes_there: tuple[str, ...]
    dislikes_there: tuple[str, ...]
    asked_there: tuple[str, ...]
    too_long: tuple[str, ...]
    too_short: tuple[str, ...]
    forget: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Secrets:
    """What one user tells in confidence, `{s}`, and how another one fishes for it."""

    told: tuple[str, ...]
    fished: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Wordings:
    """A whole set."""

    name: WordingName
    attributes: tuple[Attribute, ...]
    series: tuple[Series, ...]
    tastes: Tastes
    secrets: Secrets
    ordinary: tuple[str, ...]


CITIES = ("Lisbon", "Oslo", "Lima", "Tartu", "Leeds", "Ghent", "Turin", "Bergen", "Cork", "Graz")
JOBS = (
    "beekeeper",
    "tram driver",
    "bookbinder",
    "dental nurse",
    "land surveyor",
    "piano tuner",
    "court reporter",
    "tax adviser",
)
CARS = ("Skoda Fabia", "Fiat Panda", "Volvo V40", "Toyota Yaris", "Mazda 3", "Renault Zoe", "Ford Puma")
DAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")
DOGS = ("Biscuit", "Otto", "Pepper", "Juno", "Waffles", "Bruno", "Tilly", "Mango")
PHONES = ("Pixel 8", "Galaxy S23", "iPhone 14", "Fairphone 5", "Xperia 10", "Nothing Phone 2")
NOVELS = (
    "The Glass Orchard",
    "Salt and Cinders",
    "A Year of Tides",
    "The Lantern Maker",
    "Nine Quiet Rooms",
    "The Copper Heron",
    "Winter Ferry",
    "The Cartographer's Son",
)
SUMMITS = (
    "Ben Arthur",
    "Mount Kestrel",
    "Pico Alto",
    "Tall Tom",
    "Rysy",
    "Galdhorn",
    "Slieve Roe",
    "Hoher Stein",
)
COURSES = (
    "pottery",
    "first aid",
    "woodcarving",
    "bookkeeping",
    "sign language",
    "life drawing",
    "bread baking",
    "sailing",
)
OBJECTS = (
    ("window seats", "aisle seats"),
    ("oolong tea", "espresso"),
    ("night trains", "short flights"),
    ("campsites", "guesthouses"),
    ("jazz concerts", "opera"),
    ("sudoku", "chess problems"),
    ("alpine hikes", "lake swims"),
    ("paper maps", "audio guides"),
    ("detective novels", "memoirs"),
    ("goat cheese", "smoked tofu"),
    ("flea markets", "art galleries"),
    ("rye bread", "corn tortillas"),
    ("linen shirts", "wool jumpers"),
    ("ferries", "cable cars"),
    ("board games", "pub quizzes"),
    ("lentil soup", "mushroom risotto"),
)
"""Two objects of one kind, told apart by every word that counts."""
OCCASIONS = ("at work", "on weekends", "when I travel", "with my kids", "in winter", "on weeknights")
