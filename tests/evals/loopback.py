"""A real server on loopback that speaks the OpenAI chat protocol, answers by a script, and can do wrong.

Run as a program it answers every request by the rule of `echo`, for trying commands on real files.
"""

from __future__ import annotations

import json
import re
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any

Request = dict[str, Any]
Step = int | str
"""A status, a fault (`hang`, `cut`, `broken`), or the words of a reply."""
FAULTS: tuple[Step, ...] = (429, 500, 503, "cut", "broken", "hang")
PROMPT_TOKENS, COMPLETION_TOKENS = 40, 9


class Server(ThreadingHTTPServer):
    """Answers each request by what `script` makes of it; `faults` come before, one request each."""

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.script: Callable[[Request], Step] = echo
        self.faults: list[Step] = []
        self.requests: list[Request] = []
        self.closing = Event()
        self._lock = Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def next_step(self, request: Request) -> Step:
        with self._lock:
            self.requests.append(request)
            if self.faults:
                return self.faults.pop(0)
        return self.script(request)


def words(request: Request) -> str:
    """Return all that a request says."""
    return "\n".join(str(message["content"]) for message in request["messages"])


def echo(request: Request) -> Step:
    """Answer a judge's request with yes if the expected answer stands in the reply, another with itself."""
    said = words(request)
    tagged = r"<expected_answer>\n(.*?)\n</expected_answer>\n<reply>\n(.*)\n</reply>"
    gold = re.search(tagged, said, re.DOTALL)
    if gold is None:
        return said[-2_000:]
    verdict = "yes" if gold[1].lower() in gold[2].lower() else "no"
    return json.dumps({"reason": "by its words", "verdict": verdict})


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        assert isinstance(self.server, Server)
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        step = self.server.next_step(request)
        if step == "hang":
            self.server.closing.wait(30)
            self.close_connection = True
        elif step == "cut":
            self._cut()
        elif step == "broken":
            self._send(200, b'{"choices": [{"message"')
        elif isinstance(step, int):
            self._send(step, b'{"error": {"message": "no"}}')
        elif request.get("stream"):
            self._send(200, streamed(step), "text/event-stream")
        else:
            self._send(200, json.dumps(completion(step)).encode())

    def _cut(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b'{"choices": [')
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True

    def _send(self, status: int, body: bytes, kind: str = "application/json") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if status == 429:
            self.send_header("Retry-After", "0.01")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def completion(text: str) -> dict[str, object]:
    """Return a whole reply as the protocol has it."""
    return {
        **_HEAD,
        "object": "chat.completion",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}],
        "usage": _USAGE,
    }


def streamed(text: str) -> bytes:
    """Return the events of a reply that comes in two pieces."""
    half = len(text) // 2
    pieces = [{"role": "assistant", "content": text[:half]}, {"content": text[half:]}]
    events: list[dict[str, object]] = [
        {"choices": [{"index": 0, "delta": piece, "finish_reason": None}]} for piece in pieces
    ]
    events.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    events.append({"choices": [], "usage": _USAGE})
    lines = [json.dumps({**_HEAD, "object": "chat.completion.chunk", **event}) for event in events]
    return "".join(f"data: {line}\n\n" for line in [*lines, "[DONE]"]).encode()


_HEAD: dict[str, object] = {"id": "1", "created": 0, "model": "loopback"}
_USAGE = {
    "prompt_tokens": PROMPT_TOKENS,
    "completion_tokens": COMPLETION_TOKENS,
    "total_tokens": PROMPT_TOKENS + COMPLETION_TOKENS,
}


@contextmanager
def serving() -> Iterator[Server]:
    """Run a server while the context is open."""
    with Server() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.closing.set()
            server.shutdown()
            thread.join()


if __name__ == "__main__":
    Server(int(sys.argv[1])).serve_forever()
