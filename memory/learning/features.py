"""What of a reply's form can be named: the traits that beliefs and reward weights speak of.

Cues of language and markup only, nothing of the topic. A trait is there or not; length is a number.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

from habitus.memory.learning.languages import LANGUAGES, language_of
from habitus.retrievers.passages import sentences

REFERENCE_WORDS = 80
"""A reply of so many words has length 0 among the features."""


@dataclass(frozen=True)
class Trait:
    """Something that replies have or lack.

    Attributes:
        name: among the features.
        topic: of the preference that speaks of it.
        target: of that preference.
        is_in: tells whether a text has it.
        aliases: other targets by which users name it.
    """

    name: str
    topic: str
    target: str
    is_in: Callable[[str], bool]
    aliases: tuple[str, ...] = ()

    @property
    def is_of_replies_alone(self) -> bool:
        """Whether its name means nothing else: bullet points do not, tables and examples may."""
        return " " in self.target or self.target in ("emojis", "headings")

    def statement(self, *, wanted: bool) -> str:
        """Return the preference in one sentence."""
        what = {"style.tone": f"a {self.target} tone", "style.language": f"replies in {self.target}"}.get(
            self.topic, self.target
        )
        return f"I want {what}." if wanted else f"I do not want {what}."

    def is_named(self, topic: str, target: str) -> bool:
        """Tell whether a preference of this topic and target speaks of the trait."""
        names = {_singular(name) for name in (self.target.lower(), *self.aliases)}
        return topic == self.topic and _singular(target.lower()) in names


def _singular(name: str) -> str:
    return name.removesuffix("s")


def _matches(pattern: str, *, flags: re.RegexFlag = re.IGNORECASE) -> Callable[[str], bool]:
    compiled = re.compile(pattern, flags)
    return lambda text: compiled.search(text) is not None


_CASUAL = re.compile(
    r"\b(?:\w+n't|\w+'(?:ll|re|ve|d|m)|(?:it|that|what|here|there|let)'s|hey|yeah|yep|cool|gonna|wanna|kinda"
    r"|awesome|btw|no\s+worries|super|guys|stuff|pretty\s+much|for\s+sure)\b",
    re.IGNORECASE,
)
_FORMAL = re.compile(
    r"\b(?:therefore|furthermore|moreover|consequently|accordingly|kindly|hereby|regarding|sincerely"
    r"|please\s+note|it\s+is\s+(?:advisable|recommended|important)|(?:would|may)\s+(?:i|one|wish)"
    r"|(?:do|does|did|is|are|was|were|would|could|should|will|have|has)\s+not|cannot|dear\s+\w+|in\s+addition)\b",
    re.IGNORECASE,
)


def _tone(text: str) -> int:
    plain = text.replace("’", "'")
    casual, formal = len(_CASUAL.findall(plain)), len(_FORMAL.findall(plain))
    enough = max(1, round(len(sentences(text)) / 4))
    if casual > formal and casual >= enough:
        return 1
    return -1 if formal > casual and formal >= enough else 0


def _in_language(language: str) -> Callable[[str], bool]:
    return lambda text: language_of(text) == language


_TRAITS = (
    Trait(
        "bullets",
        "style.format",
        "bullet points",
        _matches(r"^[ \t]*[-*•][ \t]+", flags=re.MULTILINE),
        ("bullets", "bullet lists", "bulleted lists", "lists", "list"),
    ),
    Trait(
        "numbered",
        "style.format",
        "numbered lists",
        _matches(r"^[ \t]*\d+[.)][ \t]+", flags=re.MULTILINE),
        ("numbered list", "lists", "list"),
    ),
    Trait(
        "emojis",
        "style.format",
        "emojis",
        _matches("[\U0001f300-\U0001faff☀-➿]"),
        ("emoji", "emoticons"),
    ),
    Trait(
        "headings",
        "style.format",
        "headings",
        _matches(r"^#{1,6}\s|^\*\*[^*\n]+\*\*\s*$", flags=re.MULTILINE),
        ("heading", "headers"),
    ),
    Trait("tables", "style.format", "tables", _matches(r"^\s*\|.+\|\s*$", flags=re.MULTILINE), ("table",)),
    Trait("bold", "style.format", "bold text", _matches(r"\*\*[^*\n]+\*\*[^\n]"), ("bold",)),
    Trait("code", "style.format", "code blocks", _matches(r"```"), ("code block", "code")),
    Trait(
        "exclamations",
        "style.format",
        "exclamation marks",
        _matches(r"!(?:\s|$)"),
        ("exclamation points",),
    ),
    Trait(
        "greeting",
        "style.content",
        "greetings",
        _matches(r"^\W*(?:hi|hello|hey|dear|good\s+(?:morning|afternoon|evening)|hallo|bonjour|hola)\b"),
        ("greeting",),
    ),
    Trait(
        "opening",
        "style.content",
        "opening phrases",
        _matches(r"^\W*(?:sure|certainly|absolutely|of\s+course|(?:great|good)\s+question|happy\s+to)\b"),
        ("preamble", "preambles", "intros", "introductions", "filler"),
    ),
    Trait(
        "closing",
        "style.content",
        "closing phrases",
        _matches(
            r"\b(?:let\s+me\s+know|hope\s+(?:this|that)\s+helps|feel\s+free|happy\s+to\s+help"
            r"|(?:best|kind)\s+regards|good\s+luck|enjoy)\b[^\n]{0,80}$",
            flags=re.IGNORECASE | re.MULTILINE,
        ),
        ("closings", "sign-offs"),
    ),
    Trait(
        "question",
        "style.content",
        "follow-up questions",
        _matches(r"\?\W*$"),
        ("follow-up question", "followup questions", "follow up questions"),
    ),
    Trait(
        "examples",
        "style.content",
        "examples",
        _matches(r"\b(?:for\s+example|for\s+instance|e\.g\.|such\s+as|zum\s+beispiel|par\s+exemple)"),
        ("example",),
    ),
    Trait(
        "hedging",
        "style.wording",
        "hedging",
        _matches(
            r"\b(?:perhaps|maybe|might|possibly|probably|i\s+(?:think|guess|believe)"
            r"|it\s+(?:seems|depends|may))\b"
        ),
        ("hedges",),
    ),
    Trait(
        "casual", "style.tone", "casual", lambda text: _tone(text) > 0, ("informal", "friendly", "relaxed")
    ),
    Trait("formal", "style.tone", "formal", lambda text: _tone(text) < 0, ("professional",)),
)
_SPOKEN = tuple(
    Trait(f"language:{name}", "style.language", name, _in_language(name), (name.lower(),))
    for name in LANGUAGES
)
TRAITS: dict[str, Trait] = {trait.name: trait for trait in (*_TRAITS, *_SPOKEN)}
"""By name. Of the topics `style.tone` and `style.language` a reply has one at most."""

FEATURES = ("length", *(trait.name for trait in _TRAITS))
"""Names of the features that reward weights are over."""


def n_words(text: str) -> int:
    """Return the number of words, at least 1; a script without spaces counts two characters a word."""
    words = len(text.split())
    return max(1, words, len(re.findall(r"[\u3040-\u30ff\u3400-\u9fff]", text)) // 2)


@lru_cache(maxsize=512)
def traits_in(text: str) -> frozenset[str]:
    """Return the names of the traits that a reply has."""
    return frozenset(name for name, trait in TRAITS.items() if trait.is_in(text))


def length_of(text: str) -> float:
    """Return the length as a feature: 0 at `REFERENCE_WORDS`, ±1/3 for each doubling, within -1..1."""
    return max(-1.0, min(1.0, math.log2(n_words(text) / REFERENCE_WORDS) / 3.0))


def features(text: str) -> dict[str, float]:
    """Return every feature of a reply: `length` within -1..1, each trait 0 or 1."""
    found = traits_in(text)
    return {"length": length_of(text)} | {name: float(name in found) for name in FEATURES[1:]}


def named_traits(topic: str, target: str) -> list[Trait]:
    """Return the traits that a preference speaks of: "lists" are two."""
    return [trait for trait in TRAITS.values() if trait.is_named(topic, target)]


def trait_called(target: str) -> Trait | None:
    """Return the trait of this name, of any topic but tone and language; None if there is none."""
    return next(
        (
            trait
            for trait in TRAITS.values()
            if trait.topic not in ("style.tone", "style.language") and trait.is_named(trait.topic, target)
        ),
        None,
    )


def rivals(trait: Trait) -> Iterable[Trait]:
    """Return the traits that a reply cannot have besides this one."""
    if trait.topic not in ("style.tone", "style.language"):
        return ()
    return [other for other in TRAITS.values() if other.topic == trait.topic and other is not trait]
