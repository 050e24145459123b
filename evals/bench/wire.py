"""A wire between a client and a PostgreSQL server on this machine: it counts round trips, and takes its time.

How long a commit takes on a busy machine says little; how often it waits for the server decides what it takes
over any network.
"""

from __future__ import annotations

import socket
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from threading import Lock, Thread
from time import sleep
from types import TracebackType
from typing import Self

_CHUNK = 1 << 16


@dataclass
class _Line:
    """One connection: whose turn it is to speak."""

    client_spoke_last: bool = False


class Wire:
    """Listens on a socket of its own, and passes on what is said.

    Args:
        socket_folder: of the server's socket.
        port: of the server, part of the socket's name.
        round_trip_s: seconds that each round trip takes more.
    """

    def __init__(self, socket_folder: str, port: int = 5432, *, round_trip_s: float = 0.0) -> None:
        self.round_trip_s = round_trip_s
        self._name = f".s.PGSQL.{port}"
        self._server = str(Path(socket_folder) / self._name)
        self._lock = Lock()
        self._n = 0
        self._undo = ExitStack()

    @property
    def round_trips(self) -> int:
        """How often somebody has spoken to the server after it had answered, or first."""
        with self._lock:
            return self._n

    def __enter__(self) -> Self:
        self.folder = self._undo.enter_context(tempfile.TemporaryDirectory(prefix="wire-"))
        self._listener = socket.socket(socket.AF_UNIX)
        self._undo.callback(self._listener.close)
        self._listener.bind(str(Path(self.folder) / self._name))
        self._listener.listen()
        Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Closing alone would not wake the thread that waits for a client.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._undo.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return  # closed
            server = socket.socket(socket.AF_UNIX)
            server.connect(self._server)
            line = _Line()
            for args in ((client, server, line, True), (server, client, line, False)):
                Thread(target=self._pass_on, args=args, daemon=True).start()

    def _pass_on(self, one: socket.socket, other: socket.socket, line: _Line, is_client: bool) -> None:
        try:
            while said := one.recv(_CHUNK):
                with self._lock:
                    begins = is_client and not line.client_spoke_last
                    self._n += begins
                    line.client_spoke_last = is_client
                if begins and self.round_trip_s:
                    sleep(self.round_trip_s)
                other.sendall(said)
        except OSError:
            pass  # either side may hang up at any time
        finally:
            for end in (one, other):
                end.close()


def through(wire: Wire, url: str) -> str:
    """Return the URL by which a server on a local socket is reached through a wire."""
    from psycopg.conninfo import conninfo_to_dict

    parts = conninfo_to_dict(url)
    return f"postgresql://{parts['user']}:@/{parts['dbname']}?host={wire.folder}"
