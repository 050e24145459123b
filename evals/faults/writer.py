"""The process that gets killed: an agent at work, which reports what was acknowledged, line by line.

Before each operation it writes `{"begin": ...}`, after it `{"done": ...}`.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from multiprocessing.connection import Connection
from typing import Any

from habitus.agent import Agent, Conversation, ExtractiveChat, Message
from habitus.evals.faults.ledger import Line
from habitus.evals.faults.places import DIM, WRITER, open_store
from habitus.memory.storage.moving import checksum, move_users
from habitus.memory.storage.relational import EXACT_LIMIT
from habitus.memory.store import MemoryStore
from habitus.retrievers.encoder import HashingEncoder

N_USERS = 8
_START = datetime(2025, 1, 1, tzinfo=UTC)
_WISHES = (
    "I love {mark} soup with figs.",
    "I can't stand {mark} music while I work.",
    "I always take the {mark} line to work, because it is never late.",
    "Please keep your replies short, it is about {mark}.",
    "My sister Ida moved to {mark} last week.",
    "What did I say about {mark} and plums?",
)
_WEIGHTS = {
    "chat": 12.0,
    "ingest": 3.0,
    "feedback": 4.0,
    "forget": 1.0,
    "end_session": 1.5,
    "flush": 0.3,
    "reindex": 0.5,
    "migrate": 0.7,
    "export": 0.3,
    "delete_user": 0.15,
}


Say = Callable[..., None]
"""Takes a line as keywords."""


class Writer:
    """Does random operations on one store for as long as it lives.

    Args:
        store: where they go.
        place: of that store; beside it is the one that users are moved to.
        seed: of what is done and said.
        life: tells the marks of this life from those of others.
        say: told before and after each operation.
    """

    def __init__(self, store: MemoryStore, place: str, *, seed: int, life: int, say: Say) -> None:
        self._say = say
        self._place = place
        self._agent = Agent(store=store, generator=ExtractiveChat(encoder=store.encoder))
        self._chance = random.Random(f"{seed}.{life}")
        self._life = life
        self._number = 0
        self._now = _START + timedelta(days=life)
        self._replies: list[tuple[str, str]] = []
        self._sessions: dict[str, str] = {}

    def work(self, n: int | None = None) -> None:
        """Do n things; without n, go on until killed."""
        names, weights = list(_WEIGHTS), list(_WEIGHTS.values())
        doing: dict[str, Callable[[str], None]] = {name: getattr(self, f"_{name}") for name in names}
        for _ in count() if n is None else range(n):
            [name] = self._chance.choices(names, weights)
            doing[name](f"user{self._chance.randrange(N_USERS)}")

    def go_on(self, unfinished: Line) -> None:
        """Do what an earlier life began, as it was told then."""
        if unfinished["begin"] == "ingest":
            self.ingest(unfinished["user"], unfinished["talks"])
        else:
            self.migrate(unfinished["user"])

    def close(self) -> None:
        """Close the agent and with it the store."""
        self._agent.close()

    def _mark(self) -> str:
        self._number += 1
        return f"mark{self._life}x{self._number}"

    def _tick(self) -> datetime:
        # Clocks jump: a day back and forth, now and then.
        self._now += timedelta(minutes=1)
        if self._chance.random() < 0.05:
            return self._now + timedelta(days=self._chance.choice((-400, -1, 1)))
        return self._now

    def _chat(self, user: str) -> None:
        if user not in self._sessions or self._chance.random() < 0.2:
            self._sessions[user] = f"talk{self._life}.{self._number}"
        text = self._chance.choice(_WISHES).format(mark=self._mark())
        self._say(begin="chat", user=user)
        reply = self._agent.chat(user, text, session_id=self._sessions[user], at=self._tick())
        both = self._agent.store.turns(user, session_id=reply.session_id)
        turns = {turn.id: turn.text for turn in both if turn.id == reply.turn_id or turn.text == text}
        self._say(
            done="chat",
            user=user,
            turns=turns,
            preferences=[preference.id for preference in reply.preferences],
        )
        self._replies.append((user, reply.turn_id))

    def _ingest(self, user: str) -> None:
        name = f"old{self._life}.{self._number}"
        talks = [
            [name + f".{place}", [self._chance.choice(_WISHES).format(mark=self._mark()) for _ in range(6)]]
            for place in range(self._chance.randrange(1, 6))
        ]
        self.ingest(user, talks)

    def ingest(self, user: str, talks: list[Any]) -> None:
        """Bring in conversations; those that are stored already are left as they are."""
        self._say(begin="ingest", user=user, talks=talks)
        self._agent.ingest(
            user,
            [
                Conversation(
                    id=name,
                    at=_START,
                    messages=tuple(
                        Message(role="assistant" if place % 2 else "user", text=text)
                        for place, text in enumerate(texts)
                    ),
                )
                for name, texts in talks
            ],
        )
        stored = [turn for name, _ in talks for turn in self._agent.store.turns(user, session_id=name)]
        if [turn.text for turn in stored] != [text for _, texts in talks for text in texts]:
            raise RuntimeError("what was brought in is not what is stored")
        self._say(done="ingest", user=user, turns={turn.id: turn.text for turn in stored})

    def _feedback(self, user: str) -> None:
        if not self._replies:
            return
        user, turn_id = self._chance.choice(self._replies)
        given: dict[str, Any] = self._chance.choice(
            [
                {"rating": self._chance.choice((-1.0, 0.5, 1.0))},
                {"comment": "Too long, please use short sentences."},
                {"edit": f"Short: {self._mark()}."},
            ]
        )
        if not self._agent.store.turns(user, ids=[turn_id]):
            return
        self._say(begin="feedback", user=user)
        final = self._agent.feedback(user, turn_id, at=self._tick(), **given)
        stored = final["feedback"]
        self._say(done="feedback", user=user, feedback=[stored.id] if stored else [])

    def _forget(self, user: str) -> None:
        turns = self._agent.store.turns(user)
        if not turns:
            return
        ids = [turn.id for turn in self._chance.sample(turns, min(2, len(turns)))]
        self._say(begin="forget", user=user, turns=ids)
        gone = self._agent.forget(user, turn_ids=ids)
        self._say(
            done="forget",
            user=user,
            forgot=gone.turn_ids,
            forgot_preferences=gone.preference_ids,
            forgot_feedback=gone.feedback_ids,
        )

    def _end_session(self, user: str) -> None:
        session = self._sessions.pop(user, None)
        if session is None or session not in {one.id for one in self._agent.store.sessions(user)}:
            return
        self._say(begin="end_session", user=user)
        self._agent.end_session(user, session)
        self._say(done="end_session", user=user)

    def _flush(self, user: str) -> None:
        self._say(begin="flush", user=user)
        self._agent.store.flush()
        self._say(done="flush", user=user)

    def _reindex(self, user: str) -> None:
        self._say(begin="reindex", user=user)
        self._agent.store.reindex()
        self._say(done="reindex", user=user)

    def _migrate(self, user: str) -> None:
        if user not in self._agent.store.users():
            return
        with self._open_beside() as target:
            # Another state of the user may be there.
            if user in target.users():
                self._say(begin="clear", user=user)
                target.delete_user(user)
                self._say(done="clear", user=user)
        self.migrate(user)

    def migrate(self, user: str) -> None:
        """Move a user to the store beside, or go on with that."""
        self._say(begin="migrate", user=user)
        with self._open_beside() as target:
            move_users(self._agent.store, target, [user])
            arrived = checksum(target, user)
        self._say(done="migrate", user=user, checksum=arrived)

    def _open_beside(self) -> MemoryStore:
        return open_store(self._place, self._agent.store.encoder, exact_limit=EXACT_LIMIT, moved=True)

    def _export(self, user: str) -> None:
        if user in self._agent.store.users():
            self._agent.export(user)

    def _delete_user(self, user: str) -> None:
        if user not in self._agent.store.users():
            return
        self._say(begin="delete_user", user=user)
        self._agent.delete_user(user)
        self._sessions.pop(user, None)
        self._say(done="delete_user", user=user)


def main(
    output: Connection, place: str, seed: int, life: int, exact_limit: int, unfinished: Line | None
) -> None:
    """Open the place and work until killed.

    Args:
        output: takes lines of JSON; an empty one, before the store is touched, is a sign of life.
        place: of the store.
        seed, life: see `Writer`.
        exact_limit: users with more turns are searched through the derived indexes.
        unfinished: the line with which an earlier life began what it did not end.
    """
    os.environ["PGAPPNAME"] = WRITER
    with os.fdopen(os.dup(output.fileno()), "w", encoding="utf-8") as lines:

        def say(**line: Any) -> None:
            lines.write(json.dumps(line) + "\n")
            lines.flush()

        lines.write("\n")
        lines.flush()
        store = open_store(place, HashingEncoder(DIM), exact_limit=exact_limit)
        writer = Writer(store, place, seed=seed, life=life, say=say)
        if unfinished is not None:
            writer.go_on(unfinished)
        writer.work()
