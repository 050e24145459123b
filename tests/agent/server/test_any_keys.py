"""A file of keys that is not whole lets nobody in, and never makes a server one without keys."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given

from habitus.agent.server.app import ServerOptions
from habitus.agent.server.keys import KeyFileError, KeyRing
from tests.agent.server.conftest import Connect
from tests.strategies import bounded, damaged, spoilt

KEYS = [
    {
        "id": "k",
        "sha256": "0" * 64,
        "user_id": "maya",
        "made_at": datetime(2026, 1, 1, tzinfo=UTC).isoformat(),
    },
    {
        "id": "l",
        "sha256": "1" * 64,
        "tenant": "acme",
        "made_at": datetime(2026, 1, 1, tzinfo=UTC).isoformat(),
    },
]
WHOLE = json.dumps(KEYS).encode()


@given(content=spoilt(WHOLE) | damaged(KEYS).map(lambda one: json.dumps(one).encode()))
@bounded(60)
def test_a_damaged_file_of_keys_is_refused(content: bytes) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "keys.json"
        path.write_bytes(content)
        try:
            ring = KeyRing(path)
        except KeyFileError as error:
            assert "keys.json" in str(error)
            return
        assert len(ring) or json.loads(content) == []
        assert ring.find("hab_x") is None


@pytest.mark.parametrize("content", [b"{}", b'""', b"null", b"", b"0", b"[" * 100_000, b"\xff"])
def test_what_is_no_list_of_keys_is_not_taken_for_none(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_bytes(content)
    with pytest.raises(KeyFileError):
        KeyRing(path)


def test_a_folder_in_the_place_of_the_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "keys.json").mkdir()
    with pytest.raises(KeyFileError, match=r"keys\.json"):
        KeyRing(tmp_path / "keys.json")


def test_a_file_that_is_damaged_while_the_server_runs_lets_nobody_in(
    connect: Connect, tmp_path: Path
) -> None:
    ring = KeyRing(tmp_path / "keys.json")
    _, secret = ring.add(user_id="maya")
    client = connect(ServerOptions(keys=ring), Authorization=f"Bearer {secret}")
    whole = (tmp_path / "keys.json").read_bytes()
    for content in (b"{}", whole[:-2]):
        (tmp_path / "keys.json").write_bytes(content)
        answer = client.get("/v1/memory/turns")
        assert answer.status_code == 503
        assert str(tmp_path) not in answer.text
    (tmp_path / "keys.json").write_bytes(whole)
    assert client.get("/v1/memory/turns").status_code == 200
