"""A URL that cannot be read is refused without a word of its password."""

from __future__ import annotations

import pytest

pytest.importorskip("psycopg", reason="no driver for PostgreSQL: install the extra `postgres`")

from habitus.agent.checkpoints import postgres_checkpointer
from habitus.memory.errors import InvalidInputError
from habitus.memory.opening import open_store
from habitus.memory.storage.postgres.url import check_url
from habitus.retrievers.encoder import HashingEncoder

MISWRITTEN = ["hush%hush", "hush hush", "p@hush", "p/hush"]


@pytest.mark.parametrize("password", MISWRITTEN)
def test_no_piece_of_a_password_is_told(password: str, encoder: HashingEncoder) -> None:
    url = f"postgresql://ann:{password}@127.0.0.1:1/memory"
    with pytest.raises(InvalidInputError, match="%40") as opening:
        open_store(url, encoder)
    with pytest.raises(InvalidInputError, match="%40") as checkpointing, postgres_checkpointer(url):
        pass
    for caught in (opening.value, checkpointing.value):
        assert "hush" not in str(caught)
        assert caught.__cause__ is None and caught.__context__ is None


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ann:p%40%2F@127.0.0.1:1/memory?application_name=a@b",
        "postgresql:///memory?host=/tmp",
        "postgresql://ann@one:1,two:2/memory",
        "postgresql://ann:p?q@127.0.0.1:1/memory",
        "host=/tmp dbname=a@b",
    ],
)
def test_what_can_be_read_passes(url: str) -> None:
    check_url(url)
