"""Damaged exports: what can be read is read, the rest is named, and no error is of any other kind."""

from __future__ import annotations

import copy
import json
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from habitus.agent.importing.formats import FORMATS, FormatName, recognise
from habitus.agent.importing.reading import FileFormatError, Skipped, load_json
from habitus.memory.records import Conversation
from tests.agent.importing.test_importing import FILES
from tests.strategies import bounded, damaged


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
@bounded(60)
def test_a_damaged_export_is_read_refused_or_told(name: FormatName, data: st.DataObject) -> None:
    content = data.draw(damaged(FILES[name]))
    with TemporaryDirectory() as folder:
        path = write(Path(folder), name, content)
        for part in read(name, path):
            assert isinstance(part, Conversation | Skipped)


@pytest.mark.parametrize("name", FILES)
@given(content=st.binary(max_size=200))
@bounded(50)
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
@bounded(100)
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
