"""Damaged exports: what can be read is read, the rest is named, and no error is of any other kind."""

from __future__ import annotations

import copy
import json
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from habitus.agent.importing.formats import FORMATS, FormatName, recognise
from habitus.agent.importing.reading import FileFormatError, Skipped, load_json
from habitus.memory.records import Conversation
from tests.agent.importing.test_importing import FILES

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2023/13/45 (Sat) 99:99"])
    | st.sampled_from([10**400, -62_135_596_800, "\ud800", "\x00", "user", "x" * 300])
)
anything = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["role", "content", "text"]) | st.text(max_size=8), inner, max_size=4
        )
    ),
    max_leaves=8,
)


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the way to every part of a document."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(place for key, one in inside for place in places(one, (*at, key)))]


@st.composite
def damaged(draw: st.DrawFn, name: FormatName) -> Any:
    """Draw a document of a format in which some parts are something else, or missing."""
    whole = [copy.deepcopy(FILES[name])]
    for _ in range(draw(st.integers(1, 3))):
        way: tuple[Any, ...] = (0, *draw(st.sampled_from(places(whole[0]))))
        holder: Any = whole
        for key in way[:-1]:
            holder = holder[key]
        last, is_left_out = way[-1], draw(st.booleans())
        if len(way) > 1 and is_left_out:
            del holder[last]
        else:
            holder[last] = draw(anything)
    return whole[0]


def write(folder: Path, name: FormatName, content: Any) -> Path:
    path = folder / ("said.jsonl" if name == "jsonl" else "said.json")
    lines = content if name == "jsonl" and isinstance(content, list) else [content]
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    return path


def read(name: FormatName, path: Path) -> list[Conversation | Skipped]:
    """Read a file, which may be refused as a whole."""
    try:
        recognise(path)
        return list(FORMATS[name].read(path))
    except FileFormatError:
        return []


@pytest.mark.parametrize("name", FILES)
@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_damaged_export_is_read_refused_or_told(name: FormatName, data: st.DataObject) -> None:
    content = data.draw(damaged(name))
    with TemporaryDirectory() as folder:
        path = write(Path(folder), name, content)
        for part in read(name, path):
            assert isinstance(part, Conversation | Skipped)


@pytest.mark.parametrize("name", FILES)
@given(content=st.binary(max_size=200))
@settings(max_examples=50, deadline=None)
def test_bytes_that_are_no_export_are_refused(name: FormatName, content: bytes) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / ("said.jsonl" if name == "jsonl" else "said.json")
        path.write_bytes(content)
        assert all(isinstance(part, Skipped) for part in read(name, path))


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("nested", ["[" * 100_000, '{"a":' * 100_000, '{"value": {"content":' * 50_000])
def test_endless_nesting_is_refused(name: FormatName, nested: str, tmp_path: Path) -> None:
    path = tmp_path / ("said.jsonl" if name == "jsonl" else "said.json")
    path.write_text(nested)
    with pytest.raises(FileFormatError):
        list(FORMATS[name].read(path))


@given(cut=st.integers(0, 400), flipped=st.integers(0, 400))
@settings(max_examples=100, deadline=None)
def test_a_damaged_archive_is_refused_or_read(cut: int, flipped: int) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "export.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("conversations.json", json.dumps(FILES["claude"]))
        content = bytearray(path.read_bytes())
        content[flipped % len(content)] ^= 0xFF
        path.write_bytes(bytes(content[: len(content) - cut // 4]))
        try:
            load_json(path)
        except FileFormatError as error:
            assert path.name in str(error)


def test_sessions_without_names_and_dates_of_their_own_are_not_lost(tmp_path: Path) -> None:
    record = copy.deepcopy(FILES["longmemeval"][0])
    record["haystack_sessions"] *= 3
    found = list(FORMATS["longmemeval"].read(write(tmp_path, "longmemeval", [record])))
    assert [type(part) for part in found] == [Conversation, Skipped, Skipped]
    assert [part.why for part in found if isinstance(part, Skipped)] == ["it says no date"] * 2
