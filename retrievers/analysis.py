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


def analyze(text: str) -> list[str]:
    """Split a text into lower-case stems (Snowball English), in order, repeats kept.

    Words are runs of letters and digits in any script; an apostrophe inside a word keeps it whole.
    Nothing is left out as a stop word: BM25's IDF weighs common terms down by itself.
    """
    return [_stem(word) for word in _WORD.findall(text.casefold().replace("’", "'"))]
