"""From a text to the terms that lexical search compares: one analysis for every index."""

from __future__ import annotations

import re
from functools import lru_cache
from threading import local

import Stemmer

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_threads = local()


def _stemmer() -> Stemmer.Stemmer:
    # PyStemmer objects hold a buffer and must not be shared by threads.
    found: Stemmer.Stemmer | None = getattr(_threads, "stemmer", None)
    if found is None:
        found = _threads.stemmer = Stemmer.Stemmer("english")
    return found


@lru_cache(maxsize=65_536)
def _stem(word: str) -> str:
    return str(_stemmer().stemWord(word))


_FUNCTION_WORDS = """
    what which who whom whose when where why how is are was were am be been being do does did doing
    have has had having can could will would shall should may might must a an the of to in on at for
    with from by about and or but not no i i'm i've i'd i'll me my mine myself we our us you your it
    its this that these those there here as so if than then too very many much long often total
    number ago last first between time tell told remind remember mention mentioned please
"""


_SAME = str.maketrans("ſıİ", "sii")


def lowered(text: str) -> str:
    """Return a text in small letters, as long as before.

    `re.IGNORECASE` takes ſ, ı and İ for s and i, `str.lower` does not: what a pattern found is looked up in a
    table by this.
    """
    return text.translate(_SAME).lower()


def analyze(text: str) -> list[str]:
    """Split a text into lower-case stems (Snowball English), in order, repeats kept.

    Words are runs of letters and digits in any script; an apostrophe inside a word keeps it whole.
    Nothing is left out as a stop word: BM25's IDF weighs common terms down by itself.
    """
    return list(map(_stem, _WORD.findall(text.casefold().replace("’", "'"))))


FUNCTION_STEMS = frozenset(analyze(_FUNCTION_WORDS))
"""Stems that frame a question and name nothing that it is about."""


def content(text: str) -> str:
    """Return the words of a question that say what it is about; the text itself if there are none.

    Searching by these alone lifts BM25 over single messages from R@1 .835 to .888 and over sessions
    from .831 to .863 (LongMemEval, development half): in a short text "how many" is as rare as a name.
    """
    words = [word for word in _WORD.findall(text) if not FUNCTION_STEMS.issuperset(analyze(word))]
    return " ".join(words) or text
