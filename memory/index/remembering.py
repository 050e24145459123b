"""Keeping what was computed of a text: a message that was recalled is often recalled again soon."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

T = TypeVar("T")

MAX_CHARS = 2_000


def remembered(function: Callable[[str], T], *, n: int, max_chars: int = MAX_CHARS) -> Callable[[str], T]:
    """Return a function that computes the same and keeps its last results, in memory alone.

    Safe to call from several threads if `function` is.

    Args:
        function: of a text alone; what it returns must not be changed by callers.
        n: how many results are kept; those used least recently go.
        max_chars: results for longer texts are not kept, which bounds the memory.
    """
    kept = lru_cache(maxsize=n)(function)

    def call(text: str) -> T:
        return kept(text) if len(text) <= max_chars else function(text)

    return call
