"""However sessions end, rest, go on and mix, across restarts too: nothing is lost, doubled or changed.

Beside the agent under test runs a twin to whom the same is said in the same sessions, but which never ends a
session and never restarts: both must hold the same and show their generators the same, word for word.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from unittest.mock import patch
from uuid import UUID

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from habitus.agent import Agent, Reply, ScriptedChat, Settings, sessions
from habitus.agent.prompting.prompt import parse
from habitus.memory import records
from habitus.retrievers.encoder import HashingEncoder

ENCODER = HashingEncoder(32)
USERS = st.sampled_from(["maya", "omar"])
SESSIONS = st.sampled_from([None, "a", "b"])
WAITS = st.sampled_from(
    [timedelta(seconds=1), timedelta(minutes=20), timedelta(minutes=61), timedelta(days=2)]
)
SAID = st.sampled_from(
    [
        "I love hiking in the mountains.",
        "I can't stand crowded places.",
        "I don't like hiking anymore.",
        "My sister Ines lives in Ghent.",
        "I work as a nurse.",
        "The meeting was moved to Thursday.",
        "Where does my sister live?",
        "What should I do on Sunday?",
        "What do you know about my work?",
        "It rains.",
    ]
)
# What is learnt of a user's writing when a session ends is left out: the twin's sessions never end.
DIALS = Settings(window_tokens=20, session_tokens=60, idle_gap=timedelta(hours=1), learn_from_writing=False)
NEVER = timedelta(days=10_000)


@contextmanager
def same_ids(step: int, names: Iterator[int]) -> Iterator[None]:
    """Give the records of a step the same ids in both: those of one message stand in their order."""
    numbers = count(1_000 * step)
    with (
        patch.object(records, "uuid4", lambda: UUID(int=next(numbers))),
        patch.object(sessions, "new_id", lambda: f"session-{next(names)}"),
    ):
        yield


class Twins(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.now = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
        self.n_steps, self.names = 0, count()
        self.model, self.twin_model = ScriptedChat(script=["Noted."]), ScriptedChat(script=["Noted."])
        self.agent = self.open()
        self.twin = Agent.open(
            self.folder / "twin",
            encoder=ENCODER,
            generator=self.twin_model,
            settings=DIALS.model_copy(update={"idle_gap": NEVER}),
        )
        self.said: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        self.last: dict[tuple[str, str], datetime] = {}
        self.ended: dict[tuple[str, str], bool] = {}

    def open(self) -> Agent:
        return Agent.open(self.folder / "agent", encoder=ENCODER, generator=self.model, settings=DIALS)

    def teardown(self) -> None:
        self.agent.close()
        self.twin.close()
        shutil.rmtree(self.folder)

    @rule(user=USERS, session=SESSIONS, wait=WAITS, text=SAID)
    def say(self, user: str, session: str | None, wait: timedelta, text: str) -> None:
        self.now += wait
        with same_ids(self.n_steps, self.names):
            reply = self.agent.chat(user, text, session_id=session, at=self.now)
            self.agent.settle()
        with same_ids(self.n_steps, self.names):
            twin = self.twin.chat(user, text, session_id=reply.session_id, at=self.now)
            self.twin.settle()
        self.n_steps += 1
        self.check_session(user, session, reply)
        assert self.model.prompts[-1] == self.twin_model.prompts[-1]
        assert [memory.text for memory in reply.memories] == [memory.text for memory in twin.memories]
        self.check_shown_once(user, reply)
        self.said[user][reply.session_id] += [text, reply.text]
        self.last[user, reply.session_id] = self.now

    def check_session(self, user: str, session: str | None, reply: Reply) -> None:
        """Check which session it went to, and note which others have ended by now."""
        resting = {
            key for key, last in self.last.items() if key[0] == user and self.now - last > DIALS.idle_gap
        }
        going_on = [key for key in self.last if key[0] == user and not self.ended[key] and key not in resting]
        if session is not None:
            assert reply.session_id == session
        elif going_on:
            latest = max(self.last[key] for key in going_on)
            assert self.last[user, reply.session_id] == latest
        else:
            assert reply.session_id not in self.said[user]
        for key in resting:
            self.ended[key] = True
        self.ended[user, reply.session_id] = False

    def check_shown_once(self, user: str, reply: Reply) -> None:
        """Check that the generator is shown no turn twice, in the window and among the memories."""
        window = [text for _, text in parse(self.model.prompts[-1]).window]
        before = self.agent.memories(user, session_id=reply.session_id)[:-2]
        shown = before[len(before) - len(window) :]
        assert [turn.text for turn in shown] == window
        ids = [*(turn.id for turn in shown), *(memory.turn_id for memory in reply.memories)]
        assert len(set(ids)) == len(ids)

    @rule(user=USERS, data=st.data())
    def end(self, user: str, data: st.DataObject) -> None:
        if known := sorted(self.said[user]):
            session = data.draw(st.sampled_from(known))
            self.agent.end_session(user, session)
            self.ended[user, session] = True

    @rule()
    def restart(self) -> None:
        self.agent.close()
        self.agent = self.open()

    @rule(user=USERS, text=SAID)
    def look_up(self, user: str, text: str) -> None:
        found, twin = (one.recall(user, text, at=self.now) for one in (self.agent, self.twin))
        assert found.packed.text == twin.packed.text
        assert len(found.ranked_turn_ids) == len(set(found.ranked_turn_ids)) == self.n_turns(user)

    def n_turns(self, user: str) -> int:
        return sum(map(len, self.said[user].values()))

    @invariant()
    def every_turn_is_stored_once(self) -> None:
        for user, by_session in self.said.items():
            assert len(self.agent.memories(user)) == self.n_turns(user)
            for session, texts in by_session.items():
                turns = self.agent.memories(user, session_id=session)
                assert [turn.text for turn in turns] == texts
                assert [turn.index for turn in turns] == list(range(len(texts)))

    @invariant()
    def sessions_are_open_or_ended_as_they_should(self) -> None:
        for user, by_session in self.said.items():
            found = {one.id: (one.ended, one.n_turns) for one in self.agent.store.sessions(user)}
            expected = {key: (self.ended[user, key], len(texts)) for key, texts in by_session.items()}
            assert found == expected

    @invariant()
    def records_are_those_of_the_twin(self) -> None:
        for user in self.said:
            assert known(self.agent, user) == known(self.twin, user)


def known(agent: Agent, user: str) -> list[tuple[object, ...]]:
    """Return preferences, facts and persona without their random ids."""
    preferences = [
        (p.statement, p.stance, p.status, p.valid_from, p.valid_to, [one.quote for one in p.evidence])
        for p in agent.preferences(user)
    ]
    facts = [
        (f.statement, f.status, f.valid_from, [one.quote for one in f.evidence]) for f in agent.facts(user)
    ]
    persona = agent.persona(user)
    return [*preferences, *facts, (persona.text if persona else None,)]


TestTwins = Twins.TestCase
TestTwins.settings = settings(
    max_examples=12,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    # Making a failure smaller takes minutes: every step talks to two agents on disk.
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow],
)
