"""The few questions that the agent puts to a user of its own accord, where the app allows them."""

from __future__ import annotations

from collections.abc import Sequence

from habitus.agent.state import Context, State
from habitus.memory.known.answering import Answer, read_answer
from habitus.memory.known.coldstart import Question, question_for
from habitus.memory.known.knowledge import Knowledge
from habitus.memory.records import AskedQuestion, Evidence, Preference, Turn

LEAD = "So that I can answer this to your taste:"


def answer_in(state: State, context: Context, told: Sequence[Preference]) -> Answer | None:
    """Return what the message says to the question that the reply before it asked, if it asked one.

    Args:
        state: with the message and the reply before it.
        context: of the turn.
        told: the preferences that extraction found in the message.
    """
    reply = state.get("previous_reply")
    if context.settings.cold_start_questions < 1 or reply is None:
        return None
    open_ones = [
        one
        for one in context.store.questions(reply.user_id)
        if one.turn_id == reply.id and one.answer_id is None
    ]
    if not open_ones:
        return None
    before = [turn for turn in context.session.turns if turn.index < reply.index and turn.role == "user"]
    return read_answer(
        open_ones[-1],
        state["turn"],
        request=before[-1].text if before else "",
        told=told,
        encoder=context.store.encoder,
    )


def take_in(answer: Answer, known: Knowledge, turn: Turn) -> None:
    """Bring what is known up to date with an answer."""
    known.prefer(answer.preferences, turn.at)
    asked = answer.question.preference_id
    if answer.confirms is None or asked is None:
        return
    if answer.confirms:
        known.confirm(asked, turn.at, evidence=(Evidence(turn_id=turn.id, quote=turn.text.strip()),))
    else:
        known.reject(asked, turn.at)


def question_in(state: State, context: Context, known: Knowledge) -> Question | None:
    """Return the question to end the reply with, or None.

    At most so many are asked of a user as the settings allow, never in two replies running, and only
    where the message asks for something.
    """
    allowed = context.settings.cold_start_questions
    if allowed < 1 or state["mode"] != "turn" or "generalization" not in state["routes"]:
        return None
    asked = context.store.questions(state["user_id"])
    reply = state.get("previous_reply")
    if len(asked) >= allowed or (reply is not None and any(one.turn_id == reply.id for one in asked)):
        return None
    return question_for(
        state["turn"].text,
        state["query_vector"],
        preferences=known.preferences,
        asked=asked,
        encoder=context.store.encoder,
        at=state["at"],
    )


def spoken(question: Question) -> str:
    """Return how a question is put at the end of a reply."""
    return f"{LEAD} {question.text}"


def as_asked(question: Question, reply: Turn) -> AskedQuestion:
    """Return the record of a question that a reply asked."""
    return AskedQuestion(
        user_id=reply.user_id,
        turn_id=reply.id,
        topic=question.topic,
        text=question.text,
        asked_at=reply.at,
        preference_id=question.preference_id,
    )
