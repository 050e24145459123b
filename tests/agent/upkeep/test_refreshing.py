from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from habitus.agent import Agent, Conversation, Message, Settings
from habitus.retrievers.encoder import HashingEncoder

MONDAY = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)
DAY = timedelta(days=1)
CHATTY = ("hey whats up with the heating??", "thx!! gonna try that", "lol ok", "and how long??")


def conversations(n: int) -> list[Conversation]:
    return [
        Conversation(
            id=f"c{i}",
            at=MONDAY + i * DAY,
            messages=tuple(
                message
                for line in CHATTY
                for message in (Message(role="user", text=line), Message(role="assistant", text="All right."))
            ),
        )
        for i in range(n)
    ]


@pytest.fixture
def deaf(tmp_path: Path) -> Iterator[Agent]:
    """An agent that does not learn from how its users write."""
    settings = Settings(learn_from_writing=False)
    with Agent.open(tmp_path / "deaf", encoder=HashingEncoder(), settings=settings) as opened:
        yield opened


def registers(agent: Agent) -> list[str]:
    agent.settle()
    return [p.statement for p in agent.preferences("maya", status="active") if p.topic == "style.register"]


def test_conversations_brought_in_tell_how_the_user_writes(agent: Agent) -> None:
    agent.ingest("maya", conversations(2))
    assert registers(agent) == []
    agent.ingest("maya", conversations(3))
    assert registers(agent) == ["Writes informally and briefly."]


def test_a_deletion_waits_for_the_work_on_that_user_alone(agent: Agent) -> None:
    agent.ingest("maya", conversations(3))
    agent.ingest("ida", conversations(3))
    agent.settle()
    with ThreadPoolExecutor(1) as beside, agent.store.turn_of("ida"):
        agent._background.observe("ida")  # cannot go on until the block is left
        agent._background.observe("maya")
        first = agent.memories("maya")[0]
        assert beside.submit(agent.forget, "maya", turn_ids=[first.id]).result(60).turn_ids == (first.id,)
        assert beside.submit(agent.profile, "maya").result(60) is not None
        assert beside.submit(agent.forget_about, "maya", "gardens").result(60).turn_ids == ()
        beside.submit(agent.delete_user, "maya").result(60)
    agent.settle()
    assert agent.store.users() == ["ida"]


def test_what_waits_for_a_user_is_done_before_their_deletion(tmp_path: Path) -> None:
    with Agent.open(tmp_path / "one", encoder=HashingEncoder()) as agent:
        agent.ingest("ida", conversations(1))
        agent.ingest("maya", conversations(2))
        for n, text in enumerate(CHATTY):
            agent.chat("maya", text, session_id="evening", at=MONDAY + 5 * DAY + timedelta(minutes=n))
        agent.settle()
        with ThreadPoolExecutor(1) as beside, agent.store.turn_of("ida"):
            agent._background.observe("ida")
            beside.submit(agent.end_session, "maya", "evening").result(60)
            beside.submit(agent.forget, "maya", preference_ids=["none"]).result(60)
            assert "Writes informally and briefly." in [one.statement for one in agent.preferences("maya")]


def test_the_end_of_a_session_tells_it_and_the_next_persona_says_it(agent: Agent) -> None:
    agent.ingest("maya", conversations(2))
    for n, text in enumerate(CHATTY):
        agent.chat("maya", text, session_id="evening", at=MONDAY + 5 * DAY + timedelta(minutes=n))
    assert registers(agent) == []
    agent.end_session("maya", "evening")
    assert registers(agent) == ["Writes informally and briefly."]
    reply = agent.chat("maya", "Good morning.", at=MONDAY + 6 * DAY)
    assert reply.persona is not None and "informally" in reply.persona.text
    assert "how the user writes" in reply.persona.reason


def test_an_app_may_leave_it_out(deaf: Agent) -> None:
    deaf.ingest("maya", conversations(4))
    deaf.end_session("maya", deaf.chat("maya", "lol", at=MONDAY + 9 * DAY).session_id)
    assert registers(deaf) == []


def test_what_was_rejected_does_not_come_back(agent: Agent) -> None:
    agent.ingest("maya", conversations(3))
    agent.settle()
    [found] = [p for p in agent.preferences("maya") if p.topic == "style.register"]
    agent.reject("maya", found.id, at=MONDAY + 9 * DAY)
    agent.ingest("maya", conversations(5))
    assert registers(agent) == []


def test_a_turn_that_ends_after_the_agent_was_closed_leaves_its_profile_for_the_next(tmp_path: Path) -> None:
    # Its thread has stored it by then: an error would make the caller send it again.
    agent = Agent.open(tmp_path / "data", encoder=HashingEncoder())
    agent.chat("maya", "I love figs.")
    agent.close()
    agent._background._refresher.refresh_later("maya", MONDAY)
    agent._background.observe("maya")
