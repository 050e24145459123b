"""A JSON array of any length, decoded one element at a time with the standard library's decoder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, TextIO

CHUNK_CHARS = 1 << 16
_LONGEST_LITERAL = len("-Infinity")


class JsonArrayError(ValueError):
    """The text is not a JSON array."""


def check_text(value: Any) -> None:
    """Check that the strings of a JSON value are text: JSON can spell half of a character.

    Raises:
        ValueError: one holds a lone surrogate, or the value is nested too deeply.
    """
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        half = error.object[error.start]
        raise ValueError(f"a string holds the lone surrogate {half!r}, which is no text") from None
    except RecursionError:
        raise ValueError("nested too deeply") from None


def elements(stream: TextIO) -> Iterator[Any]:
    """Yield the elements of the JSON array that the stream holds, one at a time.

    Raises:
        JsonArrayError: the text is not a JSON array, or ends early; the elements before are valid.
    """
    source = _Buffer(stream)
    if source.peek() != "[":
        raise JsonArrayError("expected a JSON array at the top level")
    source.skip()
    if source.peek() == "]":
        source.skip()
    else:
        while True:
            yield source.decode()
            mark = source.peek()
            source.skip()
            if mark == "]":
                break
            if mark != ",":
                found = f"found {mark!r}" if mark else "the file ends"
                raise JsonArrayError(f"not JSON: expected ',' or ']' after a record, but {found}")
    if source.peek():
        raise JsonArrayError("not JSON: there is more text after the end of the array")


class _Buffer:
    """The part of a text that was read but not yet decoded."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._decoder = json.JSONDecoder()
        self._text = ""
        self._at = 0

    def _more(self) -> bool:
        # Doubling keeps the cost of the tries that fail linear in the length of the record.
        rest = self._text[self._at :]
        read = self._stream.read(max(CHUNK_CHARS, len(rest)))
        self._text, self._at = rest + read, 0
        return bool(read)

    def peek(self) -> str:
        """Return the next character that is not white space, or "" at the end of the text."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in " \t\r\n":
                self._at += 1
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def skip(self) -> None:
        self._at += 1

    def decode(self) -> Any:
        """Return the next JSON value."""
        self.peek()
        while True:
            try:
                value, self._at = self._decoder.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                cut_off = error.msg.startswith("Unterminated string") or (
                    error.pos >= len(self._text) - _LONGEST_LITERAL
                )
                if cut_off and self._more():
                    continue
                where = "the file ends inside a record; download it again" if cut_off else error.msg
                raise JsonArrayError(f"not JSON: {where}") from None
            except RecursionError:
                raise JsonArrayError("nested too deeply") from None
            except ValueError as error:
                raise JsonArrayError(f"not JSON that can be read: {error}") from None
            _check(value)
            return value


def _check(value: Any) -> None:
    try:
        check_text(value)
    except ValueError as error:
        raise JsonArrayError(str(error)) from None
