"""The load on a server: a client that runs in a process of its own and measures what it sees.

Written on sockets, so that what is measured is the server and not an HTTP client.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from time import monotonic, perf_counter

_HOST = "127.0.0.1"
_FIRST_PIECE = re.compile(rb'"content":"([\d.]+) ')


@dataclass
class Seen:
    """What the clients saw.

    Attributes:
        first_ms: from the moment that the generator gave its first piece until the client had it.
        waited_ms: from the request until the client had the first piece.
        n_done: streams that came to their end.
        errors: of streams that did not, each once with its count.
    """

    first_ms: list[float] = field(default_factory=list)
    waited_ms: list[float] = field(default_factory=list)
    n_done: int = 0
    errors: dict[str, int] = field(default_factory=dict)


def work(orders: Connection, port: int) -> None:
    """Do what is ordered until told to stop: `("turn", texts)`, `("streams", n, seconds)`, `("stop",)`."""
    while True:
        order = orders.recv()
        if order[0] == "stop":
            return
        if order[0] == "turn":
            orders.send(asyncio.run(_turn(port, order[1])))
        else:
            orders.send(asyncio.run(_streams(port, order[1], order[2])))


async def _turn(port: int, texts: Sequence[str]) -> list[float]:
    """Return the milliseconds of turns over one connection."""
    reader, writer = await asyncio.open_connection(_HOST, port)
    times: list[float] = []
    for text in texts:
        begun = perf_counter()
        writer.write(_request(text, "over-http", stream=False))
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        if not head.startswith(b"HTTP/1.1 200") or length is None:
            raise RuntimeError(f"the server answered {head[:80]!r}")
        await reader.readexactly(int(length[1]))
        times.append((perf_counter() - begun) * 1e3)
    writer.close()
    return times


async def _streams(port: int, n: int, seconds: float) -> Seen:
    seen, until = Seen(), monotonic() + seconds
    await asyncio.gather(*(_client(port, f"user {number}", until, seen) for number in range(n)))
    return seen


async def _client(port: int, user: str, until: float, seen: Seen) -> None:
    """Stream replies to one user, one after the other."""
    while monotonic() < until:
        try:
            first_ms, waited_ms = await _stream(port, user)
            seen.first_ms.append(first_ms)
            seen.waited_ms.append(waited_ms)
            seen.n_done += 1
        except (OSError, EOFError, RuntimeError, asyncio.IncompleteReadError) as error:
            name = f"{type(error).__name__}: {error}"
            seen.errors[name] = seen.errors.get(name, 0) + 1
            await asyncio.sleep(0.1)


async def _stream(port: int, user: str) -> tuple[float, float]:
    """Return the milliseconds until the first piece: since the generator gave it, and since the request."""
    begun = monotonic()
    reader, writer = await asyncio.open_connection(_HOST, port)
    try:
        writer.write(_request("Tell me something about the weather of today.", user, stream=True))
        said, first = b"", None
        while b"data: [DONE]" not in said:
            came = await reader.read(65_536)
            if not came:
                raise RuntimeError(f"a stream broke off; it began {said[:60]!r}")
            said += came
            if first is None and (found := _FIRST_PIECE.search(said)):
                now = monotonic()
                first = (now - float(found[1])) * 1e3, (now - begun) * 1e3
        if first is None:
            raise RuntimeError("a stream had no first piece")
        return first
    finally:
        writer.close()


def _request(text: str, user: str, *, stream: bool) -> bytes:
    body = json.dumps(
        {"messages": [{"role": "user", "content": text}], "user": user, "stream": stream}
    ).encode()
    head = (
        "POST /v1/chat/completions HTTP/1.1\r\n"
        f"Host: {_HOST}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
