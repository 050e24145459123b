"""OpenTelemetry spans of turns and their nodes: names, durations and kinds of errors, never words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from habitus.agent.errors import ExtraMissingError

Span = Callable[[str], AbstractContextManager[object]]


def no_span(name: str) -> AbstractContextManager[object]:
    """Trace nothing."""
    return nullcontext()


def spans(wanted: bool) -> Span:
    """Return what opens a span by its name, on the process's tracer provider.

    Raises:
        ExtraMissingError: the extra `traces` is not installed.
    """
    if not wanted:
        return no_span
    try:
        from opentelemetry import trace
    except ModuleNotFoundError as error:
        raise ExtraMissingError("traces", error) from error
    tracer = trace.get_tracer("habitus")

    @contextmanager
    def span(name: str) -> Iterator[None]:
        # What an error says may quote the user: its kind is all that is told.
        with tracer.start_as_current_span(
            name, record_exception=False, set_status_on_exception=False
        ) as opened:
            try:
                yield
            except BaseException as error:
                opened.set_status(trace.StatusCode.ERROR, type(error).__name__)
                raise

    return span
