"""Errors as the OpenAI protocol words them, for every endpoint alike."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi.responses import JSONResponse
from pydantic import BaseModel

from habitus.agent.errors import ClosedError, GeneratorError, PromptTooLongError
from habitus.memory.errors import (
    InvalidInputError,
    NotFoundError,
    StoreClosedError,
    StoreFullError,
    StoreUnreachableError,
    TurnTimeoutError,
)

KNOWN: Mapping[type[Exception], tuple[int, str]] = {
    InvalidInputError: (400, "invalid_input"),
    PromptTooLongError: (400, "context_length_exceeded"),
    NotFoundError: (404, "not_found"),
    GeneratorError: (502, "generator_failed"),
    StoreFullError: (507, "store_full"),
    StoreUnreachableError: (503, "store_unreachable"),
    TurnTimeoutError: (503, "turn_timeout"),
    ClosedError: (503, "shutting_down"),
    StoreClosedError: (503, "shutting_down"),
}
"""The agent's own errors: their status, and their code for programs."""


class ErrorBody(BaseModel):
    """What went wrong."""

    message: str
    type: str
    param: str | None = None
    code: str | None = None


class ErrorResponse(BaseModel):
    """The body of every response that is an error."""

    error: ErrorBody


class ApiError(Exception):
    """An answer other than success.

    Args:
        status: of HTTP.
        message: for whoever calls; says what to do.
        code: for programs.
        param: the field that is wrong.
        headers: to send with it.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.code, self.param = status, message, code, param
        self.headers = dict(headers or {})


_TYPES = {401: "authentication_error", 404: "not_found_error", 429: "rate_limit_error"}


def problem(
    status: int,
    message: str,
    *,
    code: str | None = None,
    param: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """Return an error as a response."""
    body = worded(status, message, code=code, param=param)
    return JSONResponse(body.model_dump(), status_code=status, headers=dict(headers or {}))


def worded(status: int, message: str, *, code: str | None = None, param: str | None = None) -> ErrorResponse:
    """Return an error as the body of a response, or as an event of a stream."""
    kind = _TYPES.get(status, "invalid_request_error" if status < 500 else "server_error")
    return ErrorResponse(error=ErrorBody(message=message, type=kind, param=param, code=code))


def not_found(what: str) -> ApiError:
    """Return the answer for what is not there, and alike for what is somebody else's."""
    return ApiError(404, f"there is no such {what}", code="not_found")
