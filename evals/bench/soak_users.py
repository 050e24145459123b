"""What users do for hours in `habitus bench soak`: they talk, rate, look things up, forget, and leave.

Each thread has users of its own and keeps count of what was acknowledged to them, so that at the end the
store can be asked whether it holds exactly that.
"""

from __future__ import annotations

import random
from array import array
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from time import perf_counter
from typing import TYPE_CHECKING

from habitus.evals.bench.memories import START
from habitus.evals.bench.texts import made_up

if TYPE_CHECKING:
    from habitus.agent.agent import Agent

KINDS = {
    "turn": 70.0,
    "feedback": 12.0,
    "search": 12.0,
    "forget": 1.0,
    "look": 4.0,
    "export": 0.5,
    "delete_user": 0.2,
}
"""What is done, and how often in proportion."""

_STAYS = 0.75
"""The chance that the next thing is done by the same user: conversations of four on average."""
_AWAY = timedelta(seconds=20)
_MAX_REPLIES = 1_000
"""Replies that may still be given feedback."""

_THINGS = (
    "soups|trains|jazz|spreadsheets|hiking|crosswords|olives|museums|podcasts|tea|cycling|novels|chess|figs|"
    "hotels|gardens|concerts|aquariums|pottery|saunas|trams|thrillers|lentils|sailing|ferries|choirs"
).split("|")
_PLACES = tuple(
    f"{first}{last} {kind}"
    for first in "Ald Brack Carn Dun Elm Fen Glen Hart Ink Kirk Lang Mar New Oak Pen Rad Sel Thorn Up".split()
    for last in "bury combe dale field ford gate ham ley mere minster port shaw stead ton wick".split()
    for kind in "Bay|Bridge|Common|Green|Heath|Hill|Market|Mills|Park|Sands".split("|")
)
_SAID = (
    "I love {thing} from {place}.",
    "I can't stand {thing} while I work in {place}.",
    "Please keep your replies short when it is about {place}.",
    "My sister moved to {place} last week, because of the {thing}.",
    "I always take {thing} with me when I travel to {place}, unless it rains.",
    "Actually, I no longer like {thing}. I prefer {other} now.",
    "I prefer {thing} to {other} when we go to {place} with the children.",
    "What did I tell you about {place}?",
    "How often did I mention {thing}?",
    "Which {thing} did I like before I moved to {place}?",
    "Recommend something to do in {place} this weekend.",
    "Write three sentences on {thing} for my newsletter.",
    "What kind of person am I when it comes to {thing}?",
    "Here is what happened in {place}: {story}",
    "Explain {thing} to me. {story}",
)
_COMMENTS = (
    "Too long, please use short sentences.",
    "That is not what I asked for.",
    "Thank you, more like this.",
    "Please use bullet points next time.",
)


class Tally:
    """What one thread did.

    Attributes:
        ms: milliseconds of each operation, by kind.
        errors: what failed, by kind and type, each once with its count.
    """

    def __init__(self) -> None:
        self.ms = {kind: array("d") for kind in KINDS}
        self.errors: Counter[str] = Counter()

    @property
    def n(self) -> int:
        return sum(len(times) for times in self.ms.values())


class Users:
    """The users of one thread.

    Args:
        agent: talked to by all threads.
        names: of these users; no other thread has them.
        n_stored: messages that each of them has already.
        seed: of what they do.
    """

    def __init__(self, agent: Agent, names: Sequence[str], n_stored: int, seed: int) -> None:
        self._agent = agent
        self._names = names
        self._chance = random.Random(seed)
        self._stories = made_up(200, 120, seed)
        self._replies: OrderedDict[str, str] = OrderedDict()
        self._user = names[0]
        self._now = START + timedelta(days=3_650)
        self.stored = dict.fromkeys(names, n_stored)
        self.tally = Tally()

    def act(self) -> None:
        """Do one thing and note how long it took, or how it failed."""
        if self._chance.random() > _STAYS:
            self._user = self._chance.choice(self._names)
        self._now += _AWAY
        [kind] = self._chance.choices(list(KINDS), list(KINDS.values()))
        does: Callable[[str, datetime], bool] = getattr(self, f"_{kind}")
        begun = perf_counter()
        try:
            done = does(self._user, self._now)
        except Exception as error:
            # Whatever it is, it is counted and ends in exit code 1; a soak goes on to show what follows.
            self.tally.errors[f"{kind}: {type(error).__name__}: {str(error)[:120]}"] += 1
            return
        if done:
            self.tally.ms[kind].append((perf_counter() - begun) * 1e3)

    def talk(self) -> None:
        """Say something; what fails is raised."""
        self._now += _AWAY
        self._turn(self._user, self._now)

    def _turn(self, user: str, at: datetime) -> bool:
        thing, other = self._chance.sample(_THINGS, 2)
        text = self._chance.choice(_SAID).format(
            thing=thing,
            other=other,
            place=self._chance.choice(_PLACES),
            story=self._chance.choice(self._stories),
        )
        reply = self._agent.chat(user, text, at=at)
        self.stored[user] += 2
        self._replies[user] = reply.turn_id
        self._replies.move_to_end(user)
        while len(self._replies) > _MAX_REPLIES:
            self._replies.popitem(last=False)
        return True

    def _feedback(self, user: str, at: datetime) -> bool:
        turn_id = self._replies.pop(user, None)
        if turn_id is None:
            return False
        way = self._chance.random()
        if way < 0.5:
            self._agent.feedback(user, turn_id, rating=self._chance.choice((-1.0, 0.5, 1.0)), at=at)
        elif way < 0.8:
            self._agent.feedback(user, turn_id, comment=self._chance.choice(_COMMENTS), at=at)
        else:
            edit = f"In short: {self._chance.choice(_THINGS)} in {self._chance.choice(_PLACES)}."
            self._agent.feedback(user, turn_id, edit=edit, at=at)
        return True

    def _search(self, user: str, at: datetime) -> bool:
        thing, place = self._chance.choice(_THINGS), self._chance.choice(_PLACES)
        self._agent.recall(user, f"What did I say about {thing} in {place}?", at=at)
        return True

    def _forget(self, user: str, at: datetime) -> bool:
        turns = self._agent.memories(user)
        if not turns:
            return False
        chosen = [turn.id for turn in self._chance.sample(turns, min(2, len(turns)))]
        gone = self._agent.forget(user, turn_ids=chosen)
        self.stored[user] -= len(gone.turn_ids)
        self._replies.pop(user, None)
        return True

    def _look(self, user: str, at: datetime) -> bool:
        self._agent.profile(user, at=at)
        self._agent.persona(user)
        self._agent.preferences(user)
        return True

    def _export(self, user: str, at: datetime) -> bool:
        if not self.stored[user]:
            return False
        self._agent.export(user)
        return True

    def _delete_user(self, user: str, at: datetime) -> bool:
        if not self.stored[user]:
            return False
        self._agent.delete_user(user)
        self.stored[user] = 0
        self._replies.pop(user, None)
        return True
