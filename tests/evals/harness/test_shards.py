"""Shards as they are written on the command line."""

from __future__ import annotations

import pytest

from habitus.evals.harness.shards import Shard
from habitus.evals.running import UsageError


def test_a_shard_is_read() -> None:
    assert Shard.parse("2/4") == Shard(2, 4)
    assert Shard.parse(None) is None
    assert [place for place in range(9) if Shard(2, 4).holds(place)] == [1, 5]


@pytest.mark.parametrize("text", ["0/4", "5/4", "2", "a/b", "1/0", "-1/2"])
def test_what_is_no_shard_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--shard must be I/N"):
        Shard.parse(text)
