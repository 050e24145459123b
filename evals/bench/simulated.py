"""One process of `habitus bench simulate`: talks with users that other processes talk with too.

Everything that the agent acknowledged is a line on standard output, written after the acknowledgement, so
that a killed process has told of nothing that it did not do.
"""

from __future__ import annotations

import json
import random
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import TYPE_CHECKING, Any

from habitus.retrievers.encoder import HashingEncoder

if TYPE_CHECKING:
    from habitus.agent.agent import Agent

DIM = 64
FORGOTTEN_SHARE, RATED_SHARE = 0.05, 0.2
START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Life:
    """What a process is to do.

    Attributes:
        url, schema: the database.
        name: of this process, in no other.
        n_users: it talks with any of them.
        n_turns: before it ends.
        seed: of what it chooses.
    """

    url: str
    schema: str
    name: str
    n_users: int
    n_turns: int
    seed: int


def mark(user_id: str, life: str, number: int) -> str:
    """Return a word that occurs in one message of one user."""
    return f"mark{user_id}life{life}turn{number}end"


def live(life: Life) -> None:
    """Talk, rate and forget, and print a line for each."""
    from habitus.agent.agent import Agent
    from habitus.agent.defaults import default_generator
    from habitus.memory.postgres.store import PostgresStore

    encoder = HashingEncoder(DIM)
    store = PostgresStore.open(life.url, encoder, schema=life.schema)
    with Agent(store=store, generator=default_generator(encoder)) as agent:
        chance = random.Random(life.seed)
        for number in range(life.n_turns):
            _turn(agent, life, number, chance)


def _turn(agent: Agent, life: Life, number: int, chance: random.Random) -> None:
    user_id = f"u{chance.randrange(life.n_users)}"
    word = mark(user_id, life.name, number)
    at, begin = START + timedelta(minutes=number), perf_counter()
    reply = agent.chat(user_id, f"I like {word}. Which code did I like before?", session_id="s", at=at)
    took = (perf_counter() - begin) * 1e3
    _tell(kind="turn", user=user_id, mark=word, reply=reply.text, ms=took)
    if chance.random() < RATED_SHARE:
        agent.feedback(user_id, reply.turn_id, rating=chance.choice([-1.0, 1.0]), at=at)
        _tell(kind="rating", user=user_id, turn=reply.turn_id)
    if chance.random() < FORGOTTEN_SHARE:
        gone = [turn.id for turn in agent.store.turns(user_id) if word in turn.text]
        _tell(kind="forgetting", user=user_id, mark=word)
        agent.forget(user_id, turn_ids=gone)
        _tell(kind="forgotten", user=user_id, mark=word)


def _tell(**what: Any) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    live(Life(**json.loads(sys.argv[1])))
