"""The benchmark of encryption: that it measures both kinds of folder, at a size that takes no time."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from habitus.evals.cli import bench_app

pytest.importorskip("sqlcipher3", reason="no SQLCipher: install the extra `encryption`")


def test_both_kinds_of_folder_are_measured() -> None:
    done = CliRunner().invoke(
        bench_app, ["encryption", "--memories", "40", "--n", "2", "--rounds", "1"], catch_exceptions=False
    )
    assert done.exit_code == 0
    report = json.loads(done.output)
    assert report["plain"].keys() == report["encrypted"].keys()
    for one in (report["plain"], report["encrypted"]):
        assert one["commit of a turn"]["n"] == one["whole turn"]["n"] == one["search"]["n"] == 2
        assert one["first search"]["n"] == one["forgetting a message"]["n"] == 1
        assert one["bytes of a memory while searched"] > 0
    assert report["encrypt"]["n"] == report["decrypt"]["n"] == 1
