"""Bringing in whole conversations: their turns, and what is learnt from them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from habitus.agent.inputs import instant, record
from habitus.agent.settings import Settings
from habitus.memory.extraction import extract
from habitus.memory.knowledge import Knowledge
from habitus.memory.records import Changes, Conversation, Norm, Turn
from habitus.memory.store import MemoryStore
from habitus.memory.tokens import CountTokens

_CONTEXT_TURNS = 4


def conversation_turns(user_id: str, conversation: Conversation) -> list[Turn]:
    """Return a conversation's turns; the i-th has the id `<conversation id>:<i>`."""
    return [
        record(
            Turn,
            id=f"{conversation.id}:{index}",
            user_id=user_id,
            session_id=conversation.id,
            index=index,
            role=message.role,
            text=message.text,
            at=instant(message.at or _later(conversation.at, index)),
        )
        for index, message in enumerate(conversation.messages)
    ]


def _later(at: datetime, seconds: int) -> datetime:
    return instant(at) + timedelta(seconds=seconds)


def learnt_changes(
    turns: Sequence[Turn],
    store: MemoryStore,
    user_id: str,
    *,
    settings: Settings,
    norms: Sequence[Norm],
    count_tokens: CountTokens,
) -> Changes:
    """Return what turns that are to be stored tell of the user: preferences, facts, persona, profile.

    Args:
        turns: in time order, those of a session together.
    """
    known = Knowledge.read(store, user_id, norms=norms)
    for position, turn in enumerate(turns):
        if turn.role == "user":
            before = turns[max(0, position - _CONTEXT_TURNS) : position]
            context = [one for one in before if one.session_id == turn.session_id]
            known.learn(extract(turn, context=context), turn.at)
    if not known.written and not known.told:
        return Changes(corrections=known.corrections)
    at = max(turn.at for turn in turns)
    persona = known.compiled_persona(
        at, reason="ingest", max_tokens=settings.persona_tokens, count_tokens=count_tokens
    )
    profile = known.summarised(at)
    return Changes(
        preferences=known.written,
        facts=known.told,
        corrections=known.corrections,
        persona=persona if persona is not known.persona else None,
        profile=profile if profile is not known.profile else None,
    )
