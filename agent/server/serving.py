"""What every endpoint shares: the agent, who calls, whose memory, and how work leaves the event loop."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Annotated, TypeVar
from urllib.parse import unquote

from fastapi import Depends, Header, Request
from fastapi.concurrency import run_in_threadpool

from habitus.agent.agent import Agent
from habitus.agent.server.errors import ApiError, not_found
from habitus.agent.server.keys import ApiKey, Caller, KeyFileError, KeyRing
from habitus.agent.server.limits import RateLimiter
from habitus.agent.server.shown import ReplyShown

T = TypeVar("T")
log = logging.getLogger("habitus.server")

_KEPT_BYTES = 32 * 2**20
MAX_WAITING = 1_024
"""Turns under way or waiting at once; beyond, a caller is told to come back."""


class RecentReplies:
    """What the latest replies show of what led to them; the oldest go first.

    Args:
        max_bytes: of all of them, as JSON.
    """

    def __init__(self, max_bytes: int = _KEPT_BYTES) -> None:
        self._shown: OrderedDict[tuple[str, str], bytes] = OrderedDict()
        self._n_bytes = 0
        self._max_bytes = max_bytes
        self._lock = Lock()

    def keep(self, user_id: str, shown: ReplyShown) -> None:
        written = shown.model_dump_json().encode()
        with self._lock:
            self._shown[user_id, shown.turn_id] = written
            self._n_bytes += len(written)
            while self._n_bytes > self._max_bytes:
                self._n_bytes -= len(self._shown.popitem(last=False)[1])

    def get(self, user_id: str, turn_id: str) -> ReplyShown | None:
        with self._lock:
            written = self._shown.get((user_id, turn_id))
        return None if written is None else ReplyShown.model_validate_json(written)

    def drop(self, user_id: str) -> None:
        """Let go of a user's replies: something they rest on was deleted."""
        with self._lock:
            for key in [key for key in self._shown if key[0] == user_id]:
                self._n_bytes -= len(self._shown.pop(key))


@dataclass
class Serving:
    """The parts of a running server.

    Attributes:
        agent: answers.
        keys: None where none are asked for.
        limiter: of requests by caller.
        replies: the latest ones.
        n_turns: under way or waiting.
    """

    agent: Agent
    keys: KeyRing | None
    limiter: RateLimiter
    replies: RecentReplies = field(default_factory=RecentReplies)
    n_turns: int = 0


def serving_of(request: Request) -> Serving:
    found: Serving = request.app.state.serving
    return found


def caller_of(request: Request, authorization: Annotated[str | None, Header()] = None) -> Caller:
    """Return who calls, and count the request.

    Raises:
        ApiError: 401 without a valid key where one is asked for; 429 for too many requests; 503 if the file
            of keys cannot be read.
    """
    serving, key = serving_of(request), None
    if serving.keys is not None:
        scheme, _, secret = (authorization or "").partition(" ")
        key = _found(serving.keys, secret.strip()) if scheme.lower() == "bearer" else None
        if key is None:
            message = "give a valid key: `Authorization: Bearer hab_...`"
            raise ApiError(401, message, code="invalid_api_key", headers={"WWW-Authenticate": "Bearer"})
    caller = Caller(key)
    request.state.caller = caller.name
    if wait := serving.limiter.wait(caller.name):
        message = f"too many requests; try again in {wait} s"
        raise ApiError(429, message, code="rate_limit_exceeded", headers={"Retry-After": str(wait)})
    return caller


def _found(keys: KeyRing, secret: str) -> ApiKey | None:
    try:
        return keys.find(secret)
    except KeyFileError as error:
        log.error("%s", error)
        message = "the server cannot read its keys; its log says more"
        raise ApiError(503, message, code="keys_unreadable") from error


def user_named(request: Request, caller: Caller, asked: str | None) -> str:
    """Return the id whose memory is used, and note it with the request.

    Raises:
        ApiError: 404 for a user this caller may not act for; 400 where a tenant names none.
    """
    user_id = caller.user(asked)
    if user_id is None:
        if asked is None:
            raise ApiError(400, "name the user: the field `user` or the header X-Habitus-User", param="user")
        raise not_found("user")
    request.state.user_id = user_id
    return user_id


def unquoted(header: str | None) -> str | None:
    """Return a header that holds percent-encoded UTF-8: headers carry no letters beyond Latin-1.

    Raises:
        ApiError: 400 for other letters, which two clients may encode in two ways, and for other bytes.
    """
    if header is None:
        return None
    try:
        if header.isascii():
            return unquote(header, errors="strict")
    except UnicodeDecodeError:
        pass
    raise ApiError(400, "percent-encode the user and the session in headers, as UTF-8", code="bad_header")


def user_of(
    request: Request,
    caller: Annotated[Caller, Depends(caller_of)],
    x_habitus_user: Annotated[
        str | None, Header(description="Whose memory, percent-encoded; by default the key's user.")
    ] = None,
) -> str:
    """Return the user that a request to memory is about."""
    return user_named(request, caller, unquoted(x_habitus_user))


async def off_loop(work: Callable[[], T]) -> T:
    """Do blocking work in a thread, of 40: some of them wait for turns of their users."""
    return await run_in_threadpool(work)


ServingNow = Annotated[Serving, Depends(serving_of)]
CallerNow = Annotated[Caller, Depends(caller_of)]
UserNow = Annotated[str, Depends(user_of)]
