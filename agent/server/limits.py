"""How much, and how often, one caller may ask."""

from __future__ import annotations

import asyncio
import math
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock
from time import monotonic

from fastapi.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from habitus.agent.server.errors import problem

_MAX_BUCKETS = 10_000


class RefusedBodyError(Exception):
    """A body went past a limit while it was read."""


class BodyLimit:
    """Refuses bodies over a size (413), whether they announce it or not, and those that never end (408).

    Args:
        app: behind it.
        max_bytes: of one request's body.
        max_seconds: within which all of it must have come.
    """

    def __init__(self, app: ASGIApp, max_bytes: int, max_seconds: float) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._max_seconds = max_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if announced.isdigit() and _exceeds(announced, self._max_bytes):
            await self._too_large()(scope, receive, send)
            return
        body = _Read(self, receive)
        begun = False

        async def noted(message: Message) -> None:
            nonlocal begun
            # Whoever reads the body may take the error for a malformed one, and answer so.
            if body.refusal is None or begun:
                begun = True
                await send(message)

        with suppress(RefusedBodyError):
            await self._app(scope, body.receive, noted)
        if body.refusal is not None and not begun:
            await body.refusal(scope, receive, send)

    def _too_large(self) -> JSONResponse:
        message = f"a request must not be larger than {self._max_bytes:,} bytes"
        return problem(413, message, code="request_too_large")

    def _too_slow(self) -> JSONResponse:
        message = f"a request must have come within {self._max_seconds:g} s"
        return problem(408, message, code="request_too_slow", headers={"Connection": "close"})


def _exceeds(digits: bytes, limit: int) -> bool:
    """Compare a number of any length, of which Python would not make an integer."""
    digits = digits.lstrip(b"0") or b"0"
    return len(digits) > len(str(limit)) or int(digits) > limit


class _Read:
    """The body of one request as it is read."""

    def __init__(self, limit: BodyLimit, receive: Receive) -> None:
        self._limit = limit
        self._receive = receive
        self._until = monotonic() + limit._max_seconds
        self._n_read = 0
        self._ended = False
        self.refusal: JSONResponse | None = None

    async def receive(self) -> Message:
        if self._ended:
            # What comes now is the end of the connection, however late.
            return await self._receive()
        try:
            message = await asyncio.wait_for(self._receive(), max(self._until - monotonic(), 0.001))
        except TimeoutError:
            self.refusal = self._limit._too_slow()
            raise RefusedBodyError from None
        self._n_read += len(message.get("body", b""))
        self._ended = not message.get("more_body", False)
        if self._n_read > self._limit._max_bytes:
            self.refusal = self._limit._too_large()
            raise RefusedBodyError
        return message


@dataclass
class _Bucket:
    tokens: float
    at: float


class RateLimiter:
    """A token bucket for each caller: so many requests a minute, as many at once.

    Args:
        per_minute: 0 is no limit.
    """

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()
        self._lock = Lock()

    def wait(self, caller: str) -> int:
        """Take one request; returns 0, or the whole seconds after which there is room again."""
        if not self._per_minute:
            return 0
        rate, now = self._per_minute / 60.0, monotonic()
        with self._lock:
            bucket = self._buckets.setdefault(caller, _Bucket(float(self._per_minute), now))
            self._buckets.move_to_end(caller)
            if len(self._buckets) > _MAX_BUCKETS:
                self._buckets.popitem(last=False)
            bucket.tokens = min(float(self._per_minute), bucket.tokens + (now - bucket.at) * rate)
            bucket.at = now
            if bucket.tokens < 1.0:
                return math.ceil((1.0 - bucket.tokens) / rate)
            bucket.tokens -= 1.0
        return 0
