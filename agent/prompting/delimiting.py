"""Keeping what users wrote data: text that can neither close a section, nor open one, nor hide.

A model reads a prompt as one stream, so words of a user that look like the prompt's own tags or like the
control tokens of a chat template would count as such ("prompt injection", Perez and Ribeiro 2022). Letters
of other widths, and invisible ones between them, do not help an attacker: tags are compared as folded by
Unicode's NFKC and without format characters.
"""

from __future__ import annotations

import re
import unicodedata

SECTIONS = (
    "norms",
    "instructions",
    "demonstrations",
    "persona",
    "profile",
    "preferences",
    "corrections",
    "examples",
    "writing",
    "cues",
    "applicable-norms",
    "memories",
    "message",
)
_CONTROL = ("<sys>", "start_of_turn", "end_of_turn", "s", "bos", "eos", "system", "assistant", "user")
"""What follows `<` in the control tokens of common chat templates."""

_NAMES = re.compile(rf"[/\\]*(?:\||(?:{'|'.join((*SECTIONS, *_CONTROL))})(?![\w-]))")

_OPENER = re.compile(r"[<＜﹤]")
_LOOK_AHEAD = 64
_ESCAPED = re.compile(r"&(?=(?:amp;)*lt;)")
_INVISIBLE = re.compile(
    # Zero width, embeddings and overrides of direction, and "tag" letters, which spell words that nobody
    # sees. Joiners stay: Persian and emoji are written with them.
    "[\u200b\u2060-\u2064\ufeff\u202a-\u202e\u2066-\u2069\U000e0001\U000e0020-\U000e007f]"
)
_FLAG = re.compile("(\U0001f3f4[\U000e0020-\U000e007f]+)")


def visible(text: str) -> str:
    """Return a text without characters that are read but not seen; the flags made of them stay."""
    parts = _FLAG.split(text)
    parts[::2] = [_INVISIBLE.sub("", part) for part in parts[::2]]
    return "".join(parts)


def one_line(text: str) -> str:
    """Return a text on one line, whatever kind of line end it holds: a line of a section is one record."""
    return " ".join(line for line in map(str.strip, text.splitlines()) if line)


def as_data(text: str) -> str:
    """Escape what could be taken for a tag of the prompt or of a chat template; `as_written` undoes it."""
    if text.isascii() and "<" not in text and "&" not in text:
        return text
    text = _ESCAPED.sub("&amp;", visible(text))
    pieces: list[str] = []
    done = 0
    for found in _OPENER.finditer(text):
        if _opens(text[found.end() : found.end() + _LOOK_AHEAD]):
            pieces += [text[done : found.start()], "&lt;"]
            done = found.end()
    return "".join([*pieces, text[done:]])


def as_written(text: str) -> str:
    """Undo `as_data`."""
    return re.sub(r"&(amp;)*lt;", _unescaped, text)


def _unescaped(found: re.Match[str]) -> str:
    return "<" if found[0] == "&lt;" else found[0].replace("&amp;", "&", 1)


def _opens(rest: str) -> bool:
    folded = unicodedata.normalize("NFKC", rest).casefold()
    seen = "".join(letter for letter in folded if unicodedata.category(letter) not in ("Cf", "Zs", "Cc"))
    return _NAMES.match(seen) is not None
