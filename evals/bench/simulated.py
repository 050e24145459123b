"""One process of `habitus bench simulate`: talks with users that other processes talk with too.

Everything that the agent acknowledged is a line on standard output, written after the acknowledgement, so
that a killed process has told of nothing that it did not do.
"""

from __future__ import annotations

import json
import random
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic
from typing import TYPE_CHECKING, Any

from habitus.retrievers.encoder import HashingEncoder

if TYPE_CHECKING:
    from habitus.agent.agent import Agent

DIM = 64
FORGOTTEN_SHARE, RATED_SHARE, WISHED_SHARE = 0.05, 0.2, 0.3
LIKED = ("olives", "trains", "jazz")
WISHES = {"like": "I love {thing}.", "dislike": "I hate {thing}."}
"""By stance, what is said of these again and again, so that the last must hold."""


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
    from habitus.memory.storage.postgres.store import PostgresStore

    encoder = HashingEncoder(DIM)
    store = PostgresStore.open(life.url, encoder, schema=life.schema)
    with Agent(store=store, generator=default_generator(encoder)) as agent:
        chance = random.Random(life.seed)
        for number in range(life.n_turns):
            _turn(agent, life, number, chance)


def _turn(agent: Agent, life: Life, number: int, chance: random.Random) -> None:
    user_id = f"u{chance.randrange(life.n_users)}"
    word = mark(user_id, life.name, number)
    if chance.random() < WISHED_SHARE:
        wish = WISHES[chance.choice(list(WISHES))].format(thing=chance.choice(LIKED))
        text = f"{wish} The code of today is {word}."
    else:
        text = f"I like {word}. Which code did I like before?"
    # The time of day, since the same users talk elsewhere too; and a clock that all processes share.
    at, began = datetime.now(UTC), monotonic()
    reply = agent.chat(user_id, text, session_id="s", at=at)
    ended = monotonic()
    took = (ended - began) * 1e3
    _tell(kind="turn", user=user_id, mark=word, reply=reply.text, ms=took, began=began, ended=ended)
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
