"""What property tests draw from: texts that trouble readers, texts that patterns match, odd names.

`bounded` sets how many examples a property takes: few as a rule and the same in every run, a hundred times as
many, different in every run, under `--hypothesis-profile=deep`.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from types import ModuleType
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

_TIMES = settings().max_examples // settings.get_profile("default").max_examples or 1
_SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]

_SAME_TO_IGNORECASE = {"s": "ſ", "i": "ıİ", "k": "\u212a"}
"""Letters that `re.IGNORECASE` takes for another, but `str.lower` does not make it."""
_ODD = [
    "\u00a0",
    "\u2028",
    "\r",
    "\x00",
    "\x1b[31m",
    "\u202e",
    "\ud800",
    "\U0001f9d1\u200d\U0001f373",
    "é",
    "e\u0301",
]
_LETTERS = st.characters(max_codepoint=0x2026, exclude_categories=["Cs", "Cn"])
"""The letters of what matches a pattern; all of Unicode comes by itself."""
_CUES = (
    "I my me don't not never always like love hate prefer want please stop if when because but instead of "
    "between and or than more total order last week two days ago in March on 5 May short replies remember "
    "forget that Actually, no , . ? ! ; : ( ) \" “ ” ' ’ - – \n * # ``` > $12 7/22 100 %"
).split(" ")


def bounded(n_examples: int, **more: Any) -> settings:
    """Return settings for so many examples, a hundred times as many in a deep run."""
    return settings(
        max_examples=n_examples * _TIMES,
        derandomize=_TIMES == 1,
        deadline=None,
        suppress_health_check=_SLOW,
        **more,
    )


def _patterns(module: ModuleType) -> list[re.Pattern[str]]:
    return list(dict.fromkeys(_within(vars(module).values())))


def _within(values: Any) -> Iterator[re.Pattern[str]]:
    for value in values:
        if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
            yield value
        elif isinstance(value, tuple | list):
            yield from _within(value)
        elif isinstance(value, dict):
            yield from _within(value.values())


@st.composite
def disguised(draw: st.DrawFn, words: st.SearchStrategy[str]) -> str:
    """Draw a text in which letters are another case, or those that patterns take for the same."""
    text = draw(words)
    if not text or not draw(st.booleans()):
        return text
    letters = list(text)
    for place in draw(st.lists(st.integers(0, len(text) - 1), max_size=4)):
        same = _SAME_TO_IGNORECASE.get(letters[place].lower(), "") + letters[place].swapcase()
        letters[place] = draw(st.sampled_from(same))
    return "".join(letters)


def sayings(*modules: ModuleType, max_parts: int = 6) -> st.SearchStrategy[str]:
    """Draw texts of cues of English, odd characters, and what the patterns of some modules match."""
    patterns = [one for module in modules for one in _patterns(module)]
    matching = st.sampled_from(patterns).flatmap(lambda one: st.from_regex(one, alphabet=_LETTERS))
    part = st.one_of(matching, st.sampled_from([*_CUES, *_ODD]), st.text(max_size=12))
    return disguised(st.lists(part, max_size=max_parts).map(" ".join))


def storable(texts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Draw those texts that a message may consist of."""
    return texts.map(lambda text: re.sub("[\x00\ud800-\udfff]", "", text)).filter(
        lambda text: bool(text.strip())
    )


def instants() -> st.SearchStrategy[datetime]:
    """Draw aware datetimes: the ends of the calendar, leap days, odd offsets."""
    zones = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
    edges = [
        datetime.min,
        datetime(1, 1, 2),
        datetime(1, 12, 31),
        datetime(2, 1, 1),
        datetime(4, 2, 29),
        datetime(1900, 2, 28),
        datetime(2000, 2, 29),
        datetime(9999, 2, 28),
        datetime.max,
    ]
    days = st.one_of(st.sampled_from(edges), st.datetimes())
    return st.builds(lambda day, zone: day.replace(tzinfo=zone), days, st.just(UTC) | zones)


def names() -> st.SearchStrategy[str]:
    """Draw names of users, sessions and records, most of them impossible."""
    odd = [
        "",
        " ",
        ".",
        "..",
        "../../etc/passwd",
        "C:\\con",
        "a/b",
        "%2e%2e%2f",
        "x" * 256,
        "x" * 257,
        "é" * 256,
    ]
    return st.one_of(st.sampled_from([*odd, *_ODD, "' OR 1=1 --", "{}", "me"]), st.text(max_size=20))


@st.composite
def spoilt(draw: st.DrawFn, content: bytes) -> bytes:
    """Draw the bytes of a file that is cut off, or in which some are others."""
    spoilt = bytearray(content[: draw(st.integers(0, len(content)))] if draw(st.booleans()) else content)
    for _ in range(draw(st.integers(0, 3))):
        if spoilt:
            spoilt[draw(st.integers(0, len(spoilt) - 1))] = draw(st.integers(0, 255))
    place = draw(st.integers(0, len(spoilt)))
    spoilt[place:place] = draw(
        st.sampled_from([b"", b"\xff", b"\x00", b"[" * 100_000, b"9" * 5_000, b'"', b","])
    )
    return bytes(spoilt)


_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2023/13/45 (Sat) 99:99"])
    | st.sampled_from([10**400, -62_135_596_800, "\ud800", "\x00", "user", "x" * 300, "9" * 400])
)
json_values = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["role", "content", "text"]) | st.text(max_size=8), inner, max_size=4
        )
    ),
    max_leaves=8,
)


def _places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the way to every part of a document."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(place for key, one in inside for place in _places(one, (*at, key)))]


@st.composite
def damaged(draw: st.DrawFn, document: Any) -> Any:
    """Draw a JSON document in which some parts are something else, or missing."""
    whole = [copy.deepcopy(document)]
    for _ in range(draw(st.integers(1, 3))):
        way: tuple[Any, ...] = (0, *draw(st.sampled_from(_places(whole[0]))))
        holder: Any = whole
        for key in way[:-1]:
            holder = holder[key]
        last, is_left_out = way[-1], draw(st.booleans())
        if len(way) > 1 and is_left_out:
            del holder[last]
        else:
            holder[last] = draw(json_values)
    return whole[0]
