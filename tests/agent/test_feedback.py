from datetime import UTC, datetime

import pytest

from habitus.agent import Agent
from habitus.memory.errors import InvalidInputError, NotFoundError

MONDAY = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)


def test_a_complaint_in_the_next_message_changes_persona_and_prompt(agent: Agent) -> None:
    agent.chat("maya", "Can you suggest a plan for Sunday?", at=MONDAY)
    reply = agent.chat("maya", "That was too long.", at=MONDAY)
    assert "feedback" in reply.routes
    assert reply.feedback_effect is not None
    assert [p.topic for p in reply.preferences] == ["style.length"]
    persona = agent.persona("maya")
    assert persona is not None
    assert persona.reason == "feedback"
    assert reply.persona_diff()


def test_an_edit_given_outside_the_conversation_teaches_style(agent: Agent) -> None:
    reply = agent.chat("maya", "What do you know about me, and what could I do on a rainy Sunday?", at=MONDAY)
    final = agent.feedback("maya", reply.turn_id, edit="Read.", at=MONDAY)
    effect = final["feedback_effect"]
    assert effect is not None
    assert effect.preferences
    assert [given.edit is not None for given in agent.export("maya").feedback] == [True]
    assert [p.source for p in agent.preferences("maya")] == ["edit"] * len(agent.preferences("maya"))


def test_a_rating_alone_does_not_overrule_what_was_said(agent: Agent) -> None:
    agent.chat("maya", "I adore opera.", at=MONDAY)
    reply = agent.chat("maya", "Can you suggest an opera?", at=MONDAY)
    agent.feedback("maya", reply.turn_id, rating=-1.0, at=MONDAY)
    opera = [p for p in agent.preferences("maya") if "opera" in p.statement]
    assert [(p.stance, p.status) for p in opera] == [("like", "active")]


def test_feedback_goes_through_the_graph(agent: Agent) -> None:
    reply = agent.chat("maya", "Hello.", at=MONDAY)
    final = agent.feedback("maya", reply.turn_id, rating=1.0, at=MONDAY)
    assert list(final["timings_ms"]) == ["route", "feedback", "profile", "commit"]


def test_feedback_needs_a_reply_of_this_user(agent: Agent) -> None:
    reply = agent.chat("maya", "Hello.", at=MONDAY)
    own = agent.memories("maya")[0].id
    for user, turn in (("maya", "nothing"), ("omar", reply.turn_id), ("maya", own)):
        with pytest.raises(NotFoundError, match="has no reply"):
            agent.feedback(user, turn, rating=1.0)


def test_feedback_is_exactly_one_thing(agent: Agent) -> None:
    reply = agent.chat("maya", "Hello.", at=MONDAY)
    with pytest.raises(InvalidInputError, match="exactly one"):
        agent.feedback("maya", reply.turn_id)
    with pytest.raises(InvalidInputError, match="exactly one"):
        agent.feedback("maya", reply.turn_id, rating=1.0, comment="Good.")
    with pytest.raises(InvalidInputError, match="rating"):
        agent.feedback("maya", reply.turn_id, rating=5.0)
    assert agent.export("maya").feedback == ()
