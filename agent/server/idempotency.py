"""Requests sent again: a write with an `Idempotency-Key` is done once, and answered alike.

Answers of this process are kept in memory for a while: they hold the user's words, which must be on no
disk but in the store that can delete them. A key that comes back with another request is refused (409),
and so is one whose first request is still under way. A request with a key goes on when its caller goes away:
whether it was done could not be told otherwise, and asking again would do it twice.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from habitus.agent.server.errors import problem

if TYPE_CHECKING:
    from habitus.agent.agent import Agent

KEPT_SECONDS = 3_600.0
MAX_KEPT = 1_000
MAX_ANSWER_BYTES = 2**20
MAX_ALL_BYTES = 64 * 2**20
_PASSING = frozenset({401, 403, 408, 409, 429})
"""Refusals that say nothing of the request itself: the next attempt may succeed."""


@dataclass
class _Kept:
    asked: str
    at: float
    start: Message | None = None
    body: list[Message] = field(default_factory=list)
    n_bytes: int = 0
    done: bool = False
    user_id: str | None = None
    """Whose words the answer may hold; known when it begins."""
    is_gone: bool = False
    """Whether the answer was deleted with what it may have told of."""

    @property
    def too_large(self) -> bool:
        return self.n_bytes > MAX_ANSWER_BYTES


class Idempotency:
    """ASGI middleware for POST, PATCH and DELETE. A stream that failed on its way may be asked for again.

    What was done is never done again: an answer too large to keep is a 409 the next time.
    """

    def __init__(self, app: ASGIApp, agent: Agent) -> None:
        self._app = app
        # Called from the threads of turns.
        self._lock = Lock()
        agent.when_forgotten(self._empty)
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope.get("headers", ()))
        key = headers.get(b"idempotency-key")
        if scope["type"] != "http" or not key or scope["method"] not in ("POST", "PATCH", "DELETE"):
            await self._app(scope, receive, send)
            return
        body = await _body(receive)
        if body is None:
            return
        name = _digest(key, headers.get(b"authorization", b""), headers.get(b"x-habitus-user", b""))
        asked = _digest(scope["method"].encode(), scope["raw_path"], scope["query_string"], body)
        self._forget_old()
        known = self._kept.get(name)
        if known is not None:
            await _again(known, asked)(scope, receive, send)
            return
        kept = _Kept(asked, monotonic())
        with self._lock:
            self._kept[name] = kept
        try:
            await self._app(scope, _replayed(body), _recorded(kept, scope, send))
        finally:
            # What failed on our side may be tried again.
            with self._lock:
                if not kept.done and self._kept.get(name) is kept:
                    del self._kept[name]

    def _empty(self, user_id: str) -> None:
        """Let go of what a user was answered: something it may tell of was deleted."""
        with self._lock:
            for kept in self._kept.values():
                if kept.user_id == user_id:
                    kept.body.clear()
                    kept.is_gone = True

    def _forget_old(self) -> None:
        oldest = monotonic() - KEPT_SECONDS
        while self._kept:
            name, kept = next(iter(self._kept.items()))
            n_bytes = sum(one.n_bytes for one in self._kept.values() if not one.too_large)
            if len(self._kept) <= MAX_KEPT and n_bytes <= MAX_ALL_BYTES and kept.at > oldest:
                break
            with self._lock:
                del self._kept[name]


def _recorded(kept: _Kept, scope: Scope, send: Send) -> Send:
    async def record(message: Message) -> None:
        if message["type"] == "http.response.start":
            kept.start = dict(message)
            # Words may follow from here on, and be deleted before the request has ended.
            kept.user_id = scope.get("state", {}).get("user_id")
        elif message["type"] == "http.response.body" and kept.start is not None:
            kept.n_bytes += len(message.get("body", b""))
            kept.body.append(dict(message))
            if kept.too_large:
                kept.body.clear()
            if not message.get("more_body"):
                kept.done = _is_final(kept, scope)
        await send(message)

    return record


def _is_final(kept: _Kept, scope: Scope) -> bool:
    assert kept.start is not None
    status = kept.start["status"]
    failed = status >= 500 or status in _PASSING or scope.get("state", {}).get("failed", False)
    return not failed


def _again(known: _Kept, asked: str) -> ASGIApp:
    """Return what answers a key that was seen before."""
    if known.asked != asked:
        return problem(409, "this Idempotency-Key came with another request", code="idempotency_conflict")
    if not known.done or known.start is None:
        message = "the first request with this Idempotency-Key is still under way; try again in a moment"
        return problem(409, message, code="idempotency_in_progress", headers={"Retry-After": "1"})
    if known.too_large or known.is_gone:
        why = "was deleted with what it told of" if known.is_gone else "was too large to keep"
        message = f"this request was carried out, but its answer {why}; look at memory"
        return problem(409, message, code="idempotency_answer_gone")

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        assert known.start is not None
        await send({**known.start, "headers": [*known.start["headers"], (b"idempotent-replay", b"true")]})
        for part in tuple(known.body):
            await send(part)

    return answer


async def _body(receive: Receive) -> bytes | None:
    """Return the whole body; None of a caller who left before it had come."""
    parts: list[bytes] = []
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


def _replayed(body: bytes) -> Receive:
    """Give the body; after it nothing comes, not even the news that the caller has left."""
    sent = False

    async def replay() -> Message:
        nonlocal sent
        if sent:
            await asyncio.Future()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def _digest(*parts: bytes) -> str:
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()
