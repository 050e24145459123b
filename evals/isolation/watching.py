"""What a process tells of itself, which must never hold what a user said: log, metrics, traces."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

_CLIENTS = ("httpx", "httpcore")
"""Log what the client of the walk itself asks for."""


class Lines(logging.Handler):
    """Keeps the lines of the log, those of libraries too, at every level."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self._kept: list[str] = []
        self.n_lines = 0
        self.setFormatter(logging.Formatter("%(name)s %(levelname)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        if not record.name.startswith(_CLIENTS):
            self._kept.append(self.format(record))
            self.n_lines += 1

    def take(self) -> list[str]:
        """Return the lines since the last call."""
        taken, self._kept = self._kept, []
        return taken


@contextmanager
def logged() -> Iterator[Lines]:
    """Log everything at DEBUG to memory, and nowhere else, while the block runs."""
    root = logging.getLogger()
    lines, level, before = Lines(), root.level, root.handlers[:]
    root.handlers[:] = [lines]
    root.setLevel(logging.DEBUG)
    try:
        yield lines
    finally:
        root.handlers[:] = before
        root.setLevel(level)


class Spans:
    """Keeps the OpenTelemetry spans of this process; a process has one provider, so make one of it only.

    Raises:
        ModuleNotFoundError: the extra `traces` is not installed.
    """

    def __init__(self) -> None:
        from opentelemetry import trace
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

        self._exporter: InMemorySpanExporter = InMemorySpanExporter()
        self.n_spans = 0
        provider = trace.get_tracer_provider()
        if not isinstance(provider, TracerProvider):
            provider = TracerProvider()
            trace.set_tracer_provider(provider)
        provider.add_span_processor(SimpleSpanProcessor(self._exporter))

    def take(self) -> list[str]:
        """Return the spans since the last call, as JSON."""
        spans = self._exporter.get_finished_spans()
        self._exporter.clear()
        self.n_spans += len(spans)
        return [span.to_json(indent=None) for span in spans]
