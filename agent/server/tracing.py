"""OpenTelemetry traces of a server: a span for each request, and their export."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from habitus.agent.errors import ExtraMissingError

_OF_TRACES = ("traceparent", "tracestate")


class Traced:
    """Makes every request a span, within the caller's trace if it names one (`traceparent`).

    The span tells method, route and status. The route is the template, so no id is in it, and neither are
    the path, the query or a header: they hold what users said and who they are.
    """

    def __init__(self, app: ASGIApp) -> None:
        try:
            from opentelemetry import propagate, trace
        except ModuleNotFoundError as error:
            raise ExtraMissingError("traces", error) from error
        self._app = app
        self._trace = trace
        self._extract = propagate.extract
        self._tracer = trace.get_tracer("habitus.server")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        carrier = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        parent = self._extract({name: carrier[name] for name in _OF_TRACES if name in carrier})
        with self._tracer.start_as_current_span(
            scope["method"],
            context=parent,
            kind=self._trace.SpanKind.SERVER,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            status = 500

            async def noted(message: Message) -> None:
                nonlocal status
                if message["type"] == "http.response.start":
                    status = message["status"]
                await send(message)

            try:
                await self._app(scope, receive, noted)
            finally:
                route = getattr(scope.get("route"), "path", "unknown")
                span.update_name(f"{scope['method']} {route}")
                span.set_attributes(
                    {"http.request.method": scope["method"], "http.route": route}
                    | {"http.response.status_code": status}
                )
                if status >= 500:
                    span.set_status(self._trace.StatusCode.ERROR)


@contextmanager
def exporting() -> Iterator[None]:
    """Export the spans of this process by OTLP while the block runs, to where OpenTelemetry's variables say.

    `OTEL_EXPORTER_OTLP_ENDPOINT` names the collector (by default http://localhost:4317), `OTEL_SERVICE_NAME`
    the service (by default `habitus`). What waits is sent when the block ends.

    Raises:
        ExtraMissingError: the extra `traces` is not installed.
    """
    try:
        from opentelemetry import trace
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ModuleNotFoundError as error:
        raise ExtraMissingError("traces", error) from error
    name = os.environ.get("OTEL_SERVICE_NAME") or "habitus"
    made = TracerProvider(resource=Resource.create({"service.name": name}))
    made.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(made)
    try:
        yield
    finally:
        made.shutdown()
