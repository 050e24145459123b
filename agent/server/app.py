"""The application: an agent, who may call it, and how much."""

from __future__ import annotations

import importlib.metadata
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import FileResponse, JSONResponse, PlainTextResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from habitus.agent.agent import Agent
from habitus.agent.server import memory_api, openai_api
from habitus.agent.server.errors import KNOWN, ApiError, problem
from habitus.agent.server.idempotency import Idempotency
from habitus.agent.server.keys import KeyRing
from habitus.agent.server.limits import BodyLimit, RateLimiter
from habitus.agent.server.serving import CallerNow, Serving
from habitus.agent.server.tracing import Traced
from habitus.agent.server.watching import Metrics, Watch

PAGE = Path(__file__).parent / "page"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
)


# What younger FastAPIs tell OpenTelemetry of their own accord has paths, queries and texts of errors in it:
# ids of users and records, and what was searched for. Older ones take no notice.
_TELL_NOTHING: Any = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}


@dataclass(frozen=True, kw_only=True)
class ServerOptions:
    """How a server is set up.

    Attributes:
        keys: None asks for none, and answers requests to loopback alone.
        per_minute: requests of one caller; 0 is no limit.
        max_body_bytes: of one request.
        body_seconds: within which a request's body must have come.
        cors: origins of web pages that may call; none by default.
        metrics: whether `/metrics` is served.
        page: whether the web page is.
        traces: whether requests are OpenTelemetry spans; needs the extra `traces`.
    """

    keys: KeyRing | None = None
    per_minute: int = 0
    max_body_bytes: int = 8 * 2**20
    body_seconds: float = 60.0
    cors: Sequence[str] = field(default_factory=tuple)
    metrics: bool = False
    page: bool = True
    traces: bool = False


def create_app(agent: Agent, options: ServerOptions | None = None) -> FastAPI:
    """Return the ASGI application of an agent; whoever serves it closes the agent afterwards."""
    options = options or ServerOptions()
    app = FastAPI(
        title="Habitus",
        summary="An agent that knows its user: OpenAI-compatible chat, and memory over REST.",
        version=importlib.metadata.version("habitus"),
        lifespan=_lifespan(agent),
        docs_url=None,
        redoc_url=None,
        telemetry=_TELL_NOTHING,
    )
    serving = Serving(agent=agent, keys=options.keys, limiter=RateLimiter(options.per_minute))
    agent.when_forgotten(serving.replies.drop)
    app.state.serving = serving
    app.include_router(openai_api.router)
    app.include_router(memory_api.router)
    _add_health(app, agent)
    _add_errors(app)
    metrics = Metrics() if options.metrics else None
    if metrics is not None:
        _add_metrics(app, metrics)
    if options.page:
        _add_page(app)
    # The last one added is the first that a request meets.
    app.add_middleware(Idempotency, agent=agent)
    app.add_middleware(BodyLimit, max_bytes=options.max_body_bytes, max_seconds=options.body_seconds)
    if options.cors:
        app.add_middleware(
            CORSMiddleware, allow_origins=options.cors, allow_methods=["*"], allow_headers=["*"]
        )
    if options.keys is None:
        app.add_middleware(LoopbackOnly)
    app.add_middleware(SafeHeaders)
    if options.traces:
        app.add_middleware(Traced)
    app.add_middleware(Watch, metrics=metrics)
    return app


def _lifespan(agent: Agent) -> Callable[[FastAPI], Any]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        # Turns that were accepted are stored by now; what replies did not wait for is finished here.
        agent.settle()

    return lifespan


class SafeHeaders:
    """Tells browsers to load nothing from elsewhere, and to show the page in no frame."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def guarded(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_HEADERS]
            await send(message)

        await self._app(scope, receive, guarded if scope["type"] == "http" else send)


class LoopbackOnly:
    """Answers a server without keys only under a name of loopback, and no page from elsewhere.

    A web page of somebody else could otherwise reach it through the user's browser, by a name that it
    points to 127.0.0.1 (DNS rebinding) or by a request across origins.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = dict(scope["headers"])
            host = headers.get(b"host", b"").decode("latin-1")
            origin = headers.get(b"origin", b"").decode("latin-1")
            if _name(f"//{host}") not in _LOOPBACK or (origin and urlsplit(origin).netloc != host):
                message = "a server without keys answers on loopback only; make a key with `habitus keys add`"
                await problem(403, message, code="loopback_only")(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _name(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _add_health(app: FastAPI, agent: Agent) -> None:
    @app.get("/healthz", tags=["operation"], response_class=PlainTextResponse)
    async def healthz() -> str:
        """Say that the process answers."""
        return "ok"

    @app.get("/readyz", tags=["operation"], response_class=PlainTextResponse)
    def readyz() -> str:
        """Say that memory can be read."""
        agent.store.users()
        return "ok"


def _add_metrics(app: FastAPI, metrics: Metrics) -> None:
    @app.get("/metrics", tags=["operation"], response_class=PlainTextResponse)
    async def show(caller: CallerNow) -> Response:
        """Return counts and latencies in Prometheus' format; a key is needed where keys are."""
        return Response(metrics.text(), media_type="text/plain; version=0.0.4")


def _add_page(app: FastAPI) -> None:
    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(PAGE / "index.html")

    app.mount("/page", StaticFiles(directory=PAGE), name="page")


def _add_errors(app: FastAPI) -> None:
    @app.exception_handler(ApiError)
    async def ours(request: Request, error: ApiError) -> JSONResponse:
        return problem(error.status, error.message, code=error.code, param=error.param, headers=error.headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"][1:])) or str(first["loc"][0])
        return problem(422, f"{place}: {first['msg']}", code="invalid_request", param=place)

    @app.exception_handler(HTTPException)
    async def plain(request: Request, error: HTTPException) -> JSONResponse:
        return problem(error.status_code, str(error.detail), headers=error.headers)

    @app.exception_handler(Exception)
    async def unforeseen(request: Request, error: Exception) -> JSONResponse:
        return problem(500, "the server failed; its log says more", code="internal_error")

    for kind, (status, code) in KNOWN.items():
        app.add_exception_handler(kind, _handler(status, code))


def _handler(status: int, code: str) -> Callable[[Request, Exception], JSONResponse]:
    def handle(request: Request, error: Exception) -> JSONResponse:
        return problem(status, str(error), code=code)

    return handle
