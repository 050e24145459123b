"""What a comment on a reply wants of the form of replies: "too long", "no emojis", "more examples"."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from habitus.memory.extraction.edits import StyleWish, complaint
from habitus.memory.learning.features import TRAITS, Trait, named_traits, traits_in
from habitus.memory.records import Stance

MAX_CHARS = 300
"""A longer comment is about something else besides."""

_NO = re.compile(
    r"\b(?:no(?:t)?|without|skip|drop|stop|avoid|leave\s+out|spare|hate|dislike|don't|do\s+not|never|fewer"
    r"|less|too\s+many|too\s+much|lose|remove|cut|enough)\b(?:(?!\bbut\b)[^.;!?]){0,40}$",
    re.IGNORECASE,
)
_YES = re.compile(
    r"\b(?:use|add|give|include|with|want|need|like|love|prefer|more|some|put|start|end|open|please|in|missing)\b"
    r"(?:(?!\bbut\b)[^.;!?]){0,40}$",
    re.IGNORECASE,
)

_MISSING = re.compile(r"\s{1,8}(?:is|are|was|were)\s{1,8}missing\b", re.IGNORECASE)


def wishes_in(comment: str, reply: str = "") -> list[StyleWish]:
    """Return the wishes of a short comment, each trait once; nothing of a long one.

    Args:
        comment: the user's words.
        reply: what they are about: "too formal" of a formal reply asks for one that is not, of a plain one
            for a casual one.
    """
    text = comment.replace("’", "'")
    if len(text) > MAX_CHARS:
        return []
    felt = complaint(text)
    found = [_toned_down(felt, reply)] if felt is not None else []
    for wish in _named(text):
        if all((wish.topic, wish.target) != (one.topic, one.target) for one in found):
            found.append(wish)
    return found


def _toned_down(felt: StyleWish, reply: str) -> StyleWish:
    for name, contrary in (("formal", "casual"), ("casual", "formal")):
        if (felt.topic, felt.target) == ("style.tone", contrary) and name in traits_in(reply):
            return _wish(TRAITS[name], wanted=False)
    return felt


def instead_of(wishes: Iterable[StyleWish], reply: str) -> list[StyleWish]:
    """Return what is not wanted any more where a reply has one kind of list and the other is asked for."""
    said = {trait.name: wish.stance for wish in wishes for trait in named_traits(wish.topic, wish.target)}
    there = traits_in(reply)
    return [
        _wish(TRAITS[old], wanted=False)
        for old, new in (("bullets", "numbered"), ("numbered", "bullets"))
        if old in there and new not in there and said.get(new) == "require" and old not in said
    ]


def _wish(trait: Trait, *, wanted: bool) -> StyleWish:
    stance: Stance = "require" if wanted else "avoid"
    return StyleWish(trait.topic, trait.target.lower(), stance, trait.statement(wanted=wanted))


def _named(text: str) -> Iterator[StyleWish]:
    for trait in TRAITS.values():
        if trait.topic in ("style.language", "style.tone"):
            continue
        match = _pattern(trait).search(text)
        if match is None:
            continue
        before = text[: match.start()]
        is_unwanted = _NO.search(before) is not None
        if is_unwanted or _YES.search(before) is not None or _MISSING.match(text, match.end()):
            yield _wish(trait, wanted=not is_unwanted)


@lru_cache(maxsize=64)
def _pattern(trait: Trait) -> re.Pattern[str]:
    # "Lists" alone are bullets or numbers, which the extraction of styles tells.
    names = [name for name in (trait.target.lower(), *trait.aliases) if name not in ("lists", "list", "code")]
    singular = "|".join(re.escape(name.removesuffix("s")) for name in names)
    return re.compile(rf"(?<!\w)(?:{singular})s?(?!\w)", re.IGNORECASE)
