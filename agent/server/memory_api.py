"""Memory over REST: everything that is known of a user, to see, correct and delete.

Whose memory is in the header `X-Habitus-User`; a key bound to a user needs none. What belongs to somebody
else is answered like what is not there.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query

from habitus.agent.server.errors import ApiError, ErrorResponse, not_found
from habitus.agent.server.memory_bodies import (
    Difference,
    FeedbackGiven,
    FeedbackTaken,
    ForgetRequest,
    ForgottenShown,
    Found,
    Imported,
    ImportRequest,
    PreferenceChanges,
    RollbackRequest,
)
from habitus.agent.server.serving import Serving, ServingNow, UserNow, off_loop
from habitus.agent.server.shown import MemoryShown, ReplyShown
from habitus.memory.records import (
    Exported,
    Fact,
    Persona,
    Preference,
    Profile,
    Session,
    Status,
    Turn,
)

_ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorResponse} for status in (400, 401, 403, 404, 408, 409, 413, 422, 429, 503, 507)
}
router = APIRouter(prefix="/v1/memory", tags=["memory"], responses=_ERRORS)

Limit = Annotated[int, Query(ge=1, le=1_000)]
Offset = Annotated[int, Query(ge=0, le=10**9)]


@router.get("/turns")
async def turns(
    serving: ServingNow,
    user_id: UserNow,
    session_id: str | None = None,
    limit: Limit = 100,
    offset: Offset = 0,
    newest: Annotated[bool, Query(description="Count limit and offset from the newest.")] = False,
    wait: Annotated[
        bool, Query(description="Wait first for the user's turns that are under way, such as one just left.")
    ] = False,
) -> list[Turn]:
    """List messages, newest last."""
    stored = await off_loop(partial(_turns, serving, user_id, session_id, wait))
    end = len(stored) - offset if newest else offset + limit
    return stored[max(0, end - limit) : max(0, end)]


@router.get("/sessions")
async def sessions(serving: ServingNow, user_id: UserNow) -> list[Session]:
    """List conversations."""
    return await off_loop(partial(serving.agent.store.sessions, user_id))


@router.post("/sessions/{session_id}/end", status_code=204)
async def end_session(session_id: str, serving: ServingNow, user_id: UserNow) -> None:
    """Consolidate a conversation into long-term memory now, rather than after the idle gap."""
    await off_loop(partial(serving.agent.end_session, user_id, session_id))


@router.get("/search")
async def search(
    serving: ServingNow,
    user_id: UserNow,
    q: Annotated[str, Query(min_length=1, max_length=10_000)],
    context_tokens: Annotated[int, Query(ge=0, le=100_000)] = 1_000,
) -> Found:
    """Return what memory holds on a question."""
    found = await off_loop(partial(serving.agent.recall, user_id, q, context_tokens=context_tokens))
    return Found(
        text=found.packed.text,
        n_tokens=found.packed.n_tokens,
        memories=[MemoryShown.of(memory) for memory in found.evidence],
    )


@router.get("/preferences")
async def preferences(
    serving: ServingNow, user_id: UserNow, status: Status | None = None
) -> list[Preference]:
    """List preferences, oldest first, with their history unless one status is asked for."""
    return await off_loop(partial(serving.agent.preferences, user_id, status=status))


@router.get("/preferences/{preference_id}")
async def preference(preference_id: str, serving: ServingNow, user_id: UserNow) -> Preference:
    for one in await off_loop(partial(serving.agent.preferences, user_id)):
        if one.id == preference_id:
            return one
    raise not_found("preference")


@router.patch("/preferences/{preference_id}")
async def edit(
    preference_id: str, changes: PreferenceChanges, serving: ServingNow, user_id: UserNow
) -> Preference:
    """Put a preference differently: a new one supersedes it, and its history stays."""
    given = changes.model_dump(exclude_unset=True)
    if not given:
        raise ApiError(400, "name at least one field to change")
    return await off_loop(partial(serving.agent.edit, user_id, preference_id, **given))


@router.post("/preferences/{preference_id}/{verdict}")
async def judge(
    preference_id: str, verdict: Literal["confirm", "reject"], serving: ServingNow, user_id: UserNow
) -> Preference:
    """Say that a preference is right, or that it is wrong; a wrong one is retracted, its history stays."""
    doers: dict[str, Callable[[str, str], Preference]] = {
        "confirm": serving.agent.confirm,
        "reject": serving.agent.reject,
    }
    return await off_loop(partial(doers[verdict], user_id, preference_id))


@router.delete("/preferences/{preference_id}", status_code=204)
async def forget_preference(preference_id: str, serving: ServingNow, user_id: UserNow) -> None:
    """Delete a preference for good."""
    await off_loop(partial(_forget_one, serving, user_id, preference_ids=[preference_id]))


@router.get("/facts")
async def facts(serving: ServingNow, user_id: UserNow) -> list[Fact]:
    """List what is known of the user and their people."""
    return await off_loop(partial(serving.agent.facts, user_id))


@router.delete("/facts/{fact_id}", status_code=204)
async def forget_fact(fact_id: str, serving: ServingNow, user_id: UserNow) -> None:
    """Delete a fact for good."""
    await off_loop(partial(_forget_one, serving, user_id, fact_ids=[fact_id]))


@router.get("/profile")
async def profile(serving: ServingNow, user_id: UserNow) -> Profile | None:
    """Return the summary of the user, each section with the records it was made from."""
    return await off_loop(partial(serving.agent.profile, user_id))


@router.get("/persona")
async def persona(serving: ServingNow, user_id: UserNow) -> Persona | None:
    """Return the block of the system prompt in force."""
    return await off_loop(partial(serving.agent.persona, user_id))


@router.get("/persona/versions")
async def personas(serving: ServingNow, user_id: UserNow) -> list[Persona]:
    """List every version of the persona, oldest first."""
    return await off_loop(partial(serving.agent.personas, user_id))


@router.get("/persona/diff")
async def persona_diff(serving: ServingNow, user_id: UserNow, old: int, new: int) -> Difference:
    """Compare two versions of the persona."""
    return Difference(lines=await off_loop(partial(serving.agent.persona_diff, user_id, old, new)))


@router.post("/persona/rollback")
async def rollback(asked: RollbackRequest, serving: ServingNow, user_id: UserNow) -> Persona:
    """Go back to an earlier version of the persona, as a new version."""
    return await off_loop(partial(serving.agent.rollback_persona, user_id, asked.version))


@router.post("/feedback")
async def feedback(given: FeedbackGiven, serving: ServingNow, user_id: UserNow) -> FeedbackTaken:
    """Tell what the user made of a reply; what follows from it is in the answer."""
    choice = None if given.winner is None else (given.winner, given.losers)
    final = await off_loop(
        partial(
            serving.agent.feedback,
            user_id,
            given.turn_id,
            rating=given.rating,
            comment=given.comment,
            edit=given.edit,
            choice=choice,
        )
    )
    effect, standing = final["feedback_effect"], final["standing"]
    return FeedbackTaken(
        reason=effect.reason if effect else "nothing follows from it",
        understood=list(effect.understood) if effect else [],
        not_understood=list(effect.not_understood) if effect else [],
        preferences=list(standing.changes.preferences),
        persona=standing.persona,
    )


@router.get("/replies/{turn_id}/why")
async def why(turn_id: str, serving: ServingNow, user_id: UserNow) -> ReplyShown:
    """Explain one of the latest replies of this server: what was used and why, what was learnt."""
    reply = serving.replies.get(user_id, turn_id)
    if reply is None:
        raise not_found("reply among the latest ones")
    return reply


@router.post("/forget")
async def forget(asked: ForgetRequest, serving: ServingNow, user_id: UserNow) -> ForgottenShown:
    """Delete for good a subject named in words, or records by their ids."""
    if asked.about is not None:
        gone = await off_loop(partial(serving.agent.forget_about, user_id, asked.about))
    else:
        gone = await off_loop(
            partial(
                serving.agent.forget,
                user_id,
                turn_ids=asked.turn_ids,
                preference_ids=asked.preference_ids,
                fact_ids=asked.fact_ids,
            )
        )
    return ForgottenShown(
        turn_ids=list(gone.turn_ids),
        rewritten_ids=list(gone.rewritten_ids),
        preference_ids=list(gone.preference_ids),
        fact_ids=list(gone.fact_ids),
    )


@router.get("/export")
async def export(serving: ServingNow, user_id: UserNow) -> Exported:
    """Return everything that is stored about the user."""
    return await off_loop(partial(serving.agent.export, user_id))


@router.post("/import")
async def bring_in(asked: ImportRequest, serving: ServingNow, user_id: UserNow) -> Imported:
    """Bring in conversations; those that are stored already are left as they are."""
    n_stored = await off_loop(partial(serving.agent.ingest, user_id, asked.conversations, learn=asked.learn))
    return Imported(n_stored=n_stored)


@router.delete("", status_code=204)
async def delete_user(
    serving: ServingNow,
    user_id: UserNow,
    confirm: Literal["delete everything"],
) -> None:
    """Delete everything about the user, for good."""
    await off_loop(partial(serving.agent.delete_user, user_id))


def _turns(serving: Serving, user_id: str, session_id: str | None, wait: bool) -> list[Turn]:
    with serving.agent.store.turn_of(user_id) if wait else nullcontext():
        return serving.agent.memories(user_id, session_id=session_id)


def _forget_one(serving: Serving, user_id: str, **ids: list[str]) -> None:
    gone = serving.agent.forget(user_id, **ids)
    if not gone.preference_ids and not gone.fact_ids:
        raise not_found("record")
