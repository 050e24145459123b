"""Killed at any moment, the store has every turn it acknowledged, once."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from habitus.memory.records import Turn
from habitus.memory.storage.embedded import EmbeddedStore
from habitus.memory.store import Query
from habitus.retrievers.encoder import HashingEncoder

MakeTurns = Callable[..., tuple[Turn, ...]]

WRITER = """
import sys
from datetime import UTC, datetime, timedelta
from habitus.memory.storage.embedded import EmbeddedStore
from habitus.memory.records import Changes, Turn
from habitus.retrievers.encoder import HashingEncoder
folder, life = sys.argv[1:]
store = EmbeddedStore.open(folder, HashingEncoder(64), index_after=8)
start = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=int(life))
print("ready", flush=True)
for number in range(100_000):
    session = f"life{life}.{number}"
    turns = tuple(
        Turn(id=f"{session}.{index}", user_id=f"user{number % 3}", session_id=session, index=index,
             role="user", text=f"mark{life}x{number} index{index} fig plum pear", at=start)
        for index in range(2)
    )
    store.commit(f"user{number % 3}", Changes(turns=turns))
    print(session, flush=True)
    if number % 9 == 8:
        store.forget(f"user{number % 3}", turn_ids=[turns[0].id])
        print("forgot", turns[0].id, flush=True)
"""


def live_and_die(folder: Path, life: int, lines: int) -> list[str]:
    """Run a writer, kill it after so many acknowledgements, and return all it printed in full."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder), str(life)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process.stdout as output:
        printed = [next(output) for _ in range(lines)]
        process.send_signal(signal.SIGKILL)
        printed += list(output)
    assert process.wait() == -signal.SIGKILL
    return [line.strip() for line in printed if line.endswith("\n")][1:]


@pytest.mark.slow
@pytest.mark.parametrize("exact_limit", [20_000, 0])
def test_nothing_acknowledged_is_lost_or_doubled(
    tmp_path: Path, encoder: HashingEncoder, exact_limit: int
) -> None:
    rng = random.Random(exact_limit)
    kept: set[str] = set()
    forgotten: set[str] = set()
    for life in range(5):
        for line in live_and_die(tmp_path, life, rng.randrange(2, 60)):
            if line.startswith("forgot "):
                forgotten.add(line.removeprefix("forgot "))
            else:
                kept |= {f"{line}.0", f"{line}.1"}
    with EmbeddedStore.open(tmp_path, encoder, exact_limit=exact_limit) as store:
        _check(store, kept - forgotten, forgotten)
        store.flush()
        assert store.stats().n_pending == 0
        _check(store, kept - forgotten, forgotten)


def _check(store: EmbeddedStore, kept: set[str], forgotten: set[str]) -> None:
    turns = [turn for user in store.users() for turn in store.turns(user)]
    ids = [turn.id for turn in turns]
    assert len(set(ids)) == len(ids)
    # The last forgetting of each life may have been carried out without being acknowledged.
    missing = kept - set(ids)
    assert all(turn_id.endswith(".0") for turn_id in missing)
    assert len(missing) <= 5
    assert not forgotten & set(ids)
    for user in store.users():
        own = {turn.id: turn for turn in store.turns(user)}
        text = "fig plum pear"
        query = Query(text=text, vector=store.encoder.encode([text])[0], limit=len(own))
        found = store.search(user, query)
        assert sorted(found.turn_ids) == sorted(own)
        assert sum(session.n_turns for session in store.sessions(user)) == len(own)
    if turns:
        turn = turns[-1]
        mark = turn.text.split()[0]
        found = store.search(turn.user_id, Query(text=mark, vector=store.encoder.encode([mark])[0]))
        marked = {found.turn_ids[row] for row in found.arms["bm25"].nonzero()[0]}
        assert turn.id in marked
        assert marked <= {f"{turn.session_id}.0", f"{turn.session_id}.1"}
