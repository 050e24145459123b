"""Cutting a long text into pieces that an encoder reads in full."""

from __future__ import annotations

import re

MAX_WORDS = 160
MAX_PASSAGES = 64

_BREAK = re.compile(r"(?<=[.!?])\s+|\n+")


def sentences(text: str) -> list[str]:
    """Split a text at line ends and after full stops, question and exclamation marks; blanks are dropped."""
    return [piece for part in _BREAK.split(text) if (piece := part.strip())]


def passages(text: str, *, max_words: int = MAX_WORDS, max_passages: int = MAX_PASSAGES) -> list[str]:
    """Cut a text into passages of at most `max_words` words, at sentence ends where there are any.

    Small encoders read 256 tokens and ignore the rest. Only the first `max_passages` passages are
    returned: past about 10,000 words a message is a document, found by its words (lexical search
    reads all of it), not by its meaning.
    """
    # A word and its blank take two characters at least.
    if len(text) < 2 * max_words or len(text.split(None, max_words)) <= max_words:
        return [text]
    pieces: list[list[str]] = [[]]
    for sentence in sentences(text):
        words = sentence.split()
        if pieces[-1] and len(pieces[-1]) + len(words) > max_words:
            pieces.append([])
        pieces[-1] += words
        while len(pieces[-1]) > max_words:
            pieces[-1:] = [pieces[-1][:max_words], pieces[-1][max_words:]]
        if len(pieces) > max_passages:
            break
    return [" ".join(piece) for piece in pieces[:max_passages] if piece]
