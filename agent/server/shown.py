"""What a reply shows of what led to it, over HTTP."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel

from habitus.agent.reply import Reply
from habitus.memory.retrieval.recall import Memory


class AppliedShown(BaseModel):
    """A preference that was kept in mind."""

    preference_id: str
    statement: str
    stance: str
    scope: str | None
    reason: str


class MemoryShown(BaseModel):
    """A message from memory that was looked at."""

    turn_id: str
    role: str
    text: str
    at: datetime
    score: float
    why: str

    @classmethod
    def of(cls, memory: Memory) -> MemoryShown:
        return cls(
            turn_id=memory.turn_id,
            role=memory.role,
            text=memory.text,
            at=memory.at,
            score=memory.score,
            why=memory.why,
        )


class LearntShown(BaseModel):
    """A preference or fact that the message told."""

    id: str
    statement: str
    status: str


class ReplyShown(BaseModel):
    """A reply's id, and all that led to it."""

    turn_id: str
    session_id: str
    routes: list[str]
    applied: list[AppliedShown]
    memories: list[MemoryShown]
    learnt: list[LearntShown]
    why: str
    masked: list[str] = []
    persona_version: int | None
    timings_ms: dict[str, float]

    @classmethod
    def of(cls, reply: Reply) -> ReplyShown:
        return cls(
            turn_id=reply.turn_id,
            session_id=reply.session_id,
            routes=sorted(reply.routes),
            applied=[
                AppliedShown(
                    preference_id=one.preference.id,
                    statement=one.preference.statement,
                    stance=one.preference.stance,
                    scope=one.preference.scope,
                    reason=one.reason,
                )
                for one in reply.applied
            ],
            memories=[MemoryShown.of(memory) for memory in reply.memories],
            learnt=[
                *(LearntShown(id=p.id, statement=p.statement, status=p.status) for p in reply.preferences),
                *(LearntShown(id=f.id, statement=f.statement, status=f.status) for f in reply.facts),
            ],
            why=reply.why(),
            masked=list(reply.masked),
            persona_version=reply.persona.version if reply.persona else None,
            timings_ms={name: round(ms, 3) for name, ms in reply.timings_ms.items()},
        )
