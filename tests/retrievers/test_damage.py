"""A full disk is told from damaged files, whatever a native library raises."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from habitus.retrievers.damage import told_apart
from habitus.retrievers.errors import IndexCorruptError, IndexFullError


class PanicError(BaseException):
    """As Rust's panics are: no `Exception`."""


@pytest.mark.parametrize(
    "said",
    ["(code: 13) database or disk is full", "No space left on device (os error 28)", "Read-only file system"],
)
def test_want_of_room_is_no_damage(said: str) -> None:
    with pytest.raises(IndexFullError, match="'here' has no room"), told_apart("vector", "here"):
        raise PanicError(said)


@pytest.mark.parametrize(("free", "kind"), [(2**20, IndexFullError), (2**30, IndexCorruptError)])
def test_whatever_fails_on_a_disk_with_hardly_any_room_is_no_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, kind: type[Exception]
) -> None:
    monkeypatch.setattr(
        shutil, "disk_usage", lambda place: SimpleNamespace(free=free) if place.exists() else None
    )
    with pytest.raises(kind), told_apart("vector", str(tmp_path / "not" / "made")):
        raise PanicError("cannot open file")


def test_all_else_is_damage_and_what_was_said_is_not_repeated() -> None:
    with pytest.raises(IndexCorruptError) as caught, told_apart("vector", "here"):
        raise PanicError("bad bytes after 'my secret'")
    assert str(caught.value) == "the vector index in 'here' failed: PanicError"


def test_an_interruption_passes() -> None:
    with pytest.raises(KeyboardInterrupt), told_apart("vector", "here"):
        raise KeyboardInterrupt
