"""A turn in an installed Habitus, and what one extra is for; `dist_check.py` runs it in an empty place."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.request import Request, urlopen

ROOT = Path(__file__).parents[1]
HABITUS = str(Path(sysconfig.get_path("scripts"), "habitus"))
DINNER = "Where could I take my parents for dinner on Sunday?"


def expect(true: bool, what: object) -> None:
    """End with an error unless it is true; `assert` would be left out under `-O`."""
    if not true:
        raise SystemExit(f"not as expected: {what}")


def turn(place: str = "my-data", **parts: Any) -> str:
    """Tell a taste, ask for something that it bears on, and return the reply."""
    from habitus.agent import Agent

    with Agent.open(place, **parts) as agent:
        agent.chat("maya", "I'm allergic to shellfish.")
        reply = agent.chat("maya", DINNER)
        expect(any("shellfish" in one.statement for one in agent.preferences("maya")), reply.why())
    return reply.text


def bare() -> None:
    from habitus.agent import Agent
    from habitus.memory.errors import EncryptionError
    from habitus.retrievers import EncoderError, HashingEncoder

    turn(encoder=HashingEncoder())
    try:
        Agent.open("sealed", encoder=HashingEncoder(), key="0f" * 32)
    except EncryptionError as error:
        expect("habitus[encryption]" in str(error), error)
    else:
        raise SystemExit("without SQLCipher a key was taken")
    try:
        Agent.open("other")
    except EncoderError as error:
        expect("habitus[offline]" in str(error), error)
    else:
        raise SystemExit("without weights an encoder was found")


def offline() -> None:
    expect("shellfish" in turn(), "the reply names the allergy")


def encryption() -> None:
    from habitus.agent import Agent
    from habitus.memory.errors import EncryptionError
    from habitus.retrievers import HashingEncoder

    turn("sealed", encoder=HashingEncoder(), key="0f" * 32)
    held = b"".join(file.read_bytes() for file in Path("sealed").iterdir())
    expect(b"shellfish" not in held, "no plain text in the folder")
    try:
        Agent.open("sealed", encoder=HashingEncoder())
    except EncryptionError as error:
        expect("is encrypted" in str(error), error)
    else:
        raise SystemExit("an encrypted folder was opened without its key")


def langchain() -> None:
    from langchain.agents import create_agent
    from langchain_core.messages import HumanMessage

    from habitus.agent import Agent, ScriptedChat
    from habitus.tools import HabitusMiddleware

    model = ScriptedChat(script=["Noted."])
    with Agent.open("my-data") as memory:
        agent = create_agent(model, tools=[], middleware=[HabitusMiddleware(memory, "maya")])
        agent.invoke({"messages": [HumanMessage("I'm allergic to shellfish.")]})
        agent.invoke({"messages": [HumanMessage(DINNER)]})
    expect("shellfish" in str(model.prompts[-1]), model.prompts[-1])


def openai() -> None:
    with answering("Luigi's.") as url:
        expect(turn(generator=f"{url}/v1#any") == "Luigi's.", "what the server said")


def mcp() -> None:
    from mcp import Client
    from mcp.client.stdio import StdioServerParameters

    async def talk() -> str:
        started = StdioServerParameters(
            command=HABITUS, args=["mcp", "--user", "maya", "--folder", "my-data"]
        )
        async with Client(started) as client:
            await client.call_tool("remember", {"words": "I'm allergic to shellfish."})
            return str(await client.call_tool("list_preferences", {}))

    expect("shellfish" in asyncio.run(talk()), "the preference that was told")


def serve() -> None:
    command = [HABITUS, "serve", "--folder", "my-data", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as server:
        try:
            url = said_url(server)
            with urlopen(url) as page:
                expect("<html" in page.read().decode(), "the page")
            asked = {
                "model": "habitus",
                "user": "maya",
                "messages": [{"role": "user", "content": "I hate noise."}],
            }
            request = Request(f"{url}/v1/chat/completions", json.dumps(asked).encode())
            request.add_header("Content-Type", "application/json")
            with urlopen(request) as reply:
                expect(bool(json.load(reply)["choices"][0]["message"]["content"]), "a reply")
        finally:
            server.terminate()


def traces() -> None:
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    from habitus.agent import Settings

    kept, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    trace.set_tracer_provider(provider)
    turn(settings=Settings(opentelemetry=True))
    names = {span.name for span in kept.get_finished_spans()}
    expect("habitus.node.respond" in names and callable(OTLPSpanExporter), names)


def metrics() -> None:
    from habitus.evals.metrics.labels import cohen_kappa, f1
    from habitus.evals.metrics.texts import bleu, rouge

    same = "the small hotel by the sea"
    expect(rouge(same, same)["rougeL"] == 1.0, "ROUGE of a text with itself")
    expect(round(bleu([same], [same]), 6) in (1.0, 100.0), bleu([same], [same]))
    expect(f1([1, 0], [1, 0], "macro") == cohen_kappa([1, 0], [1, 0]) == 1.0, "agreement with itself")


def plots() -> None:
    from habitus.evals.bench.plots import png_plot

    png_plot({"search": [(1_000, 0.2), (10_000, 0.3)]}, Path("growth.png"), target_ms=50.0)
    expect(Path("growth.png").read_bytes().startswith(b"\x89PNG"), "a picture")


def postgres() -> None:
    turn(os.environ["HABITUS_SMOKE_URL"])


def docs() -> None:
    command = [
        sys.executable,
        "-m",
        "mkdocs",
        "build",
        "--strict",
        "--quiet",
        "--site-dir",
        str(Path("site").resolve()),
    ]
    subprocess.run([*command, "--config-file", str(ROOT / "notebooks" / "mkdocs.yml")], check=True)
    expect("habitus.agent.Agent.chat" in Path("site/reference/agent.html").read_text(), "the reference")


def said_url(server: subprocess.Popen[str]) -> str:
    """Return the address that `habitus serve` says it listens on."""
    assert server.stdout is not None
    for line in server.stdout:
        found = next((word for word in line.split() if word.startswith("http://")), None)
        if found is not None:
            return found.rstrip("/.,")
    raise SystemExit("the server ended without saying where it listens")


@contextmanager
def answering(text: str) -> Iterator[str]:
    """A server that streams the same reply to every chat completion; yields its address."""
    chunk = {"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    body = {"id": "one", "object": "chat.completion.chunk", "created": 0, "model": "any", "choices": [chunk]}

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            self.wfile.write(f"data: {json.dumps(body)}\n\ndata: [DONE]\n\n".encode())

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()


SMOKES: dict[str, Callable[[], None]] = {
    "bare": bare,
    "docs": docs,
    "encryption": encryption,
    "langchain": langchain,
    "mcp": mcp,
    "metrics": metrics,
    "offline": offline,
    "openai": openai,
    "plots": plots,
    "postgres": postgres,
    "serve": serve,
    "traces": traces,
}

if __name__ == "__main__":
    # An extra without a check of its own is an error here, not a pass.
    SMOKES[sys.argv[1]]()
