"""The OpenAI chat protocol: any of its clients gets memory by changing its base URL.

The last message of the user is the turn. Earlier messages of the request are the client's own record of
the session, which memory has as well; what memory knows decides. System messages are the app's
instructions. Beside the reply stands `habitus`: the id to give feedback on, and what led to it.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, contextmanager
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from habitus.agent.reply import Reply
from habitus.agent.server.bodies import Body
from habitus.agent.server.errors import KNOWN, ApiError, ErrorResponse, worded
from habitus.agent.server.serving import MAX_WAITING, CallerNow, Serving, ServingNow, unquoted, user_named
from habitus.agent.server.shown import ReplyShown
from habitus.memory.records import new_id

MODEL = "habitus"
router = APIRouter(prefix="/v1", tags=["openai"])


class TextPart(BaseModel):
    """A piece of a message."""

    type: Literal["text"]
    text: str


class ChatMessage(BaseModel):
    """A message as the protocol has it; only text is read."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[TextPart] | None = None

    @property
    def text(self) -> str:
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content)
        return self.content or ""


class StreamOptions(BaseModel):
    include_usage: bool = False


class ChatRequest(Body):
    """A request for a chat completion. What cannot be honoured is refused, not ignored."""

    model_config = ConfigDict(extra="allow")

    model: str = MODEL
    messages: list[ChatMessage] = Field(min_length=1, max_length=10_000)
    stream: bool = False
    stream_options: StreamOptions | None = None
    user: str | None = None
    n: int = 1
    temperature: float | None = Field(default=None, ge=0.0, le=2.0)
    top_p: float | None = Field(default=None, gt=0.0, le=1.0)
    max_tokens: int | None = Field(default=None, ge=1, lt=2**31)
    max_completion_tokens: int | None = Field(default=None, ge=1, lt=2**31)
    stop: str | Annotated[list[str], Field(max_length=16)] | None = None
    seed: int | None = Field(default=None, ge=-(2**63), lt=2**63)

    @property
    def generation(self) -> dict[str, Any]:
        """The arguments of the generator's call."""
        given: dict[str, Any] = {
            "temperature": self.temperature,
            "top_p": self.top_p,
            "max_tokens": self.max_completion_tokens or self.max_tokens,
            "stop": [self.stop] if isinstance(self.stop, str) else self.stop,
            "seed": self.seed,
        }
        return {name: value for name, value in given.items() if value is not None}


_HARMLESS = frozenset(
    {"metadata", "store", "service_tier", "parallel_tool_calls", "prompt_cache_key", "safety_identifier"}
)
"""Fields of the protocol that change nothing about the reply."""


class Choice(BaseModel):
    index: int = 0
    message: dict[str, str]
    finish_reason: Literal["stop"] = "stop"


class Usage(BaseModel):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class ChatCompletion(BaseModel):
    """A reply as the protocol has it, and what led to it."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str = MODEL
    choices: list[Choice]
    usage: Usage
    habitus: ReplyShown


class Model(BaseModel):
    id: str
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: str = "habitus"


class Models(BaseModel):
    object: Literal["list"] = "list"
    data: list[Model]


@router.get("/models", responses={401: {"model": ErrorResponse}})
async def models(caller: CallerNow) -> Models:
    """List the one model there is: the agent. Requests may name any model; this one answers."""
    return Models(data=[Model(id=MODEL)])


@router.get("/models/{model}", responses={404: {"model": ErrorResponse}})
async def model(model: str, caller: CallerNow) -> Model:
    if model != MODEL:
        raise ApiError(404, f"there is no model {model!r}; there is {MODEL!r}", code="model_not_found")
    return Model(id=MODEL)


@router.post(
    "/chat/completions",
    response_model=ChatCompletion,
    responses={
        200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}},
        **{
            status: {"model": ErrorResponse}
            for status in (400, 401, 403, 404, 408, 409, 413, 422, 429, 502, 503, 507)
        },
    },
)
async def chat(
    request: Request,
    asked: ChatRequest,
    serving: ServingNow,
    caller: CallerNow,
    x_habitus_user: Annotated[str | None, Header(description="Percent-encoded; `user` goes first.")] = None,
    x_habitus_session: Annotated[
        str | None, Header(description="The conversation, percent-encoded; by default the open one.")
    ] = None,
    x_habitus_strength: Annotated[float, Header(ge=0.0, le=1.0)] = 1.0,
) -> Response:
    """Answer the last message of the user, and remember it."""
    user_id = user_named(request, caller, asked.user or unquoted(x_habitus_user))
    session_id = unquoted(x_habitus_session)
    text, instructions = _read(asked)
    if asked.stream:
        options = asked.stream_options or StreamOptions()
        turn = partial(
            serving.agent.astream,
            user_id,
            text,
            session_id=session_id,
            instructions=instructions,
            generation=asked.generation,
            strength=x_habitus_strength,
        )
        return StreamingResponse(
            await _started(_events(serving, turn, options), partial(setattr, request.state, "failed", True)),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store"},
        )
    with counted(serving):
        reply = await serving.agent.achat(
            user_id,
            text,
            session_id=session_id,
            instructions=instructions,
            generation=asked.generation,
            strength=x_habitus_strength,
        )
    shown = ReplyShown.of(reply)
    serving.replies.keep(user_id, shown)
    completion = _completion(serving, reply, shown)
    return Response(completion.model_dump_json(), media_type="application/json")


def _read(asked: ChatRequest) -> tuple[str, str | None]:
    """Return the user's words and the app's instructions."""
    unknown = set(asked.model_extra or {}) - _HARMLESS
    wanted = sorted(name for name in unknown if (asked.model_extra or {})[name] not in (None, False, [], {}))
    if wanted:
        raise ApiError(
            400,
            f"{wanted[0]!r} is not supported; leave it out",
            code="unsupported_parameter",
            param=wanted[0],
        )
    if asked.n != 1:
        raise ApiError(400, "one reply at a time: leave out `n`", code="unsupported_parameter", param="n")
    last = asked.messages[-1]
    if last.role != "user":
        raise ApiError(400, "the last message must be the user's", param="messages")
    said = [one.text for one in asked.messages if one.role in ("system", "developer") and one.text.strip()]
    return last.text, "\n\n".join(said) or None


@contextmanager
def counted(serving: Serving) -> Iterator[None]:
    """Count a turn while it is under way.

    Raises:
        ApiError: 503 if too many are.
    """
    if serving.n_turns >= MAX_WAITING:
        message = "too many turns are waiting; try again in a moment"
        raise ApiError(503, message, code="overloaded", headers={"Retry-After": "1"})
    serving.n_turns += 1
    try:
        yield
    finally:
        serving.n_turns -= 1


def _completion(serving: Serving, reply: Reply, shown: ReplyShown) -> ChatCompletion:
    return ChatCompletion(
        id=f"chatcmpl-{reply.turn_id}",
        created=int(reply.at.timestamp()),
        choices=[Choice(message={"role": "assistant", "content": reply.text})],
        usage=_usage(serving, reply),
        habitus=shown,
    )


def _usage(serving: Serving, reply: Reply) -> Usage:
    n_reply = serving.agent.count_tokens(reply.text)
    return Usage(
        prompt_tokens=reply.prompt_tokens,
        completion_tokens=n_reply,
        total_tokens=reply.prompt_tokens + n_reply,
    )


async def _started(events: AsyncIterator[str], failed: Callable[[], None]) -> AsyncIterator[str]:
    """Wait for the first event: what goes wrong before it is answered by a status of its own.

    What goes wrong later is an event, which clients of the protocol raise.
    """
    first = await anext(events)

    async def everything() -> AsyncIterator[str]:
        async with aclosing(events):  # type: ignore[type-var]
            yield first
            try:
                async for event in events:
                    yield event
            except Exception as error:
                failed()
                known = KNOWN.get(type(error))
                status, code = known or (500, "internal_error")
                message = str(error) if known else "the server failed; nothing of this turn may be stored"
                yield _data(worded(status, message, code=code).model_dump())
                if not known:
                    raise

    return everything()


async def _events(
    serving: Serving, turn: Callable[[], AsyncIterator[str | Reply]], options: StreamOptions
) -> AsyncIterator[str]:
    common = {
        "id": f"chatcmpl-{new_id()}",
        "object": "chat.completion.chunk",
        "created": int(time.time()),
        "model": MODEL,
    }

    def event(delta: dict[str, str], *, end: bool = False, **more: Any) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": "stop" if end else None}
        return _data({**common, "choices": [choice], **more})

    with counted(serving):
        parts = turn()
        async with aclosing(parts):  # type: ignore[type-var]
            begun = False
            async for part in parts:
                if isinstance(part, Reply):
                    shown = ReplyShown.of(part)
                    serving.replies.keep(part.user_id, shown)
                    yield event({}, end=True, habitus=shown.model_dump(mode="json"))
                    if options.include_usage:
                        yield _data({**common, "choices": [], "usage": _usage(serving, part).model_dump()})
                else:
                    yield event({"content": part} if begun else {"role": "assistant", "content": part})
                    begun = True
    yield "data: [DONE]\n\n"


def _data(content: dict[str, Any]) -> str:
    return f"data: {json.dumps(content, ensure_ascii=False, separators=(',', ':'))}\n\n"
