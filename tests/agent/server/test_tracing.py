"""OpenTelemetry traces: what they tell, and what they never do."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path

import httpx
import pytest

pytest.importorskip("opentelemetry.sdk", reason="the extra `traces` is not installed")

import grpc  # type: ignore[import-untyped]
from opentelemetry import trace
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from habitus.agent import Agent, Settings
from habitus.agent.server.app import ServerOptions, create_app
from habitus.retrievers.encoder import HashingEncoder
from tests.agent.server.conftest import served
from tests.agent.server.piecewise import PiecewiseChat

CHAT = "/v1/chat/completions"
NODES = {"route", "extract", "recall", "profile", "respond", "commit"}


@pytest.fixture(scope="module")
def exporter() -> InMemorySpanExporter:
    """The spans of this process: OpenTelemetry lets a provider be set once."""
    kept = InMemorySpanExporter()
    provider = trace.get_tracer_provider()
    if not isinstance(provider, TracerProvider):
        provider = TracerProvider()
        trace.set_tracer_provider(provider)
    provider.add_span_processor(SimpleSpanProcessor(kept))
    return kept


@pytest.fixture
def finished(exporter: InMemorySpanExporter) -> InMemorySpanExporter:
    exporter.clear()
    return exporter


def told(span: ReadableSpan) -> str:
    written: str = span.to_json()
    return written


def by_name(exporter: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    return {span.name: span for span in exporter.get_finished_spans()}


def asks(text: str, *, stream: bool) -> dict[str, object]:
    return {"messages": [{"role": "user", "content": text}], "user": "secret-maya", "stream": stream}


@pytest.mark.parametrize("stream", [False, True])
def test_a_request_holds_its_turn_and_the_turn_its_nodes(
    tmp_path: Path, finished: InMemorySpanExporter, stream: bool
) -> None:
    settings = Settings(opentelemetry=True)
    with (
        Agent.open(tmp_path, encoder=HashingEncoder(), settings=settings) as agent,
        served(create_app(agent, ServerOptions(traces=True))) as url,
    ):
        caller = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        asked = asks("I adore secret opera. Where to?", stream=stream)
        answered = httpx.post(f"{url}{CHAT}", json=asked, headers={"traceparent": caller}, timeout=60)
        assert answered.status_code == 200
        httpx.get(f"{url}/v1/memory/search?q=secret", headers={"X-Habitus-User": "secret-maya"})
    spans = by_name(finished)
    request, turn = spans[f"POST {CHAT}"], spans["habitus.graph.turn"]
    assert request.context is not None and turn.context is not None
    assert f"{request.context.trace_id:032x}" == "0af7651916cd43dd8448eb211c80319c"
    assert turn.parent is not None and turn.parent.span_id == request.context.span_id
    nodes = {
        span.name
        for span in finished.get_finished_spans()
        if span.parent and span.parent.span_id == turn.context.span_id
    }
    assert nodes == {f"habitus.node.{node}" for node in NODES}
    assert dict(spans["GET /v1/memory/search"].attributes or {}) == {
        "http.request.method": "GET",
        "http.route": "/v1/memory/search",
        "http.response.status_code": 200,
    }
    assert not [span for span in finished.get_finished_spans() if "secret" in told(span)]


def test_of_an_error_the_kind_alone_is_told(tmp_path: Path, finished: InMemorySpanExporter) -> None:
    failing = PiecewiseChat(pieces=["Quiet "], fails=True)
    settings = Settings(opentelemetry=True)
    with Agent.open(tmp_path, encoder=HashingEncoder(), settings=settings, generator=failing) as agent:
        with pytest.raises(Exception, match="the model went away"):
            agent.chat("maya", "Where to?")
    respond = by_name(finished)["habitus.node.respond"]
    assert respond.status.status_code is trace.StatusCode.ERROR
    assert respond.status.description == "GeneratorError"
    assert "went away" not in told(respond)


def test_nothing_is_traced_unless_it_is_asked_for(agent: Agent, finished: InMemorySpanExporter) -> None:
    with served(create_app(agent)) as url:
        assert httpx.post(f"{url}{CHAT}", json=asks("Hello.", stream=False), timeout=60).status_code == 200
    assert [one.name for one in finished.get_finished_spans()] == []


# -- to a collector


class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    """Takes what an exporter sends."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.services: set[str] = set()

    def Export(self, request, context):  # type: ignore[no-untyped-def]
        for resource in request.resource_spans:
            self.services |= {
                one.value.string_value for one in resource.resource.attributes if one.key == "service.name"
            }
            self.names += [span.name for scope in resource.scope_spans for span in scope.spans]
        return trace_service_pb2.ExportTraceServiceResponse()


@pytest.fixture
def collector() -> Iterator[tuple[Collector, int]]:
    made = Collector()
    server = grpc.server(futures.ThreadPoolExecutor(2))
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(made, server)  # type: ignore[no-untyped-call]
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield made, port
    server.stop(0).wait()


EXPORTING = """
import sys
from habitus.agent import Agent, Settings
from habitus.agent.server.tracing import exporting
from habitus.retrievers.encoder import HashingEncoder

encoder, settings = HashingEncoder(), Settings(opentelemetry=True)
with exporting(), Agent.open(sys.argv[1], encoder=encoder, settings=settings) as agent:
    agent.chat("maya", "Hello.")
"""


def test_a_collector_gets_the_spans_before_the_process_ends(
    tmp_path: Path, collector: tuple[Collector, int]
) -> None:
    taken, port = collector
    environment = {
        **os.environ,
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}",
        "OTEL_EXPORTER_OTLP_INSECURE": "true",
        "no_proxy": "127.0.0.1",
    }
    command = [sys.executable, "-c", EXPORTING, str(tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "habitus.graph.turn" in taken.names
    assert taken.services == {"habitus"}
