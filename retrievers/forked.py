"""Processes that begin in milliseconds: forked from one that has everything imported and has seen nothing.

That one, the nursery, is started by exec when the first child is asked for, and is told where each child
serves, never what. So the memory of a child holds what modules hold after their import, and nothing of
anybody. The nursery ends with the process that started it.

Linux only: elsewhere libraries may not stand being forked once they are imported.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from threading import Lock
from time import monotonic, sleep
from typing import Any, BinaryIO, NoReturn

CAN_FORK = sys.platform == "linux"
_MAX_MESSAGE_BYTES = 65_536
_SECONDS_BETWEEN_LOOKS = 0.002


class ForkedProcess:
    """A child of the nursery, with what its users need of `subprocess.Popen`.

    Attributes:
        pid: its number.
        stdin: what it reads.
        stdout: what it writes.

    Args:
        module: has `prepare()`, which imports, and `serve(arguments, requests, answers)`.
        arguments: of `serve`.

    Raises:
        OSError: it cannot be started.
    """

    def __init__(self, module: str, arguments: Sequence[str]) -> None:
        requests, self._requests = os.pipe()
        self._answers, answers = os.pipe()
        try:
            self._nursery, self.pid = _begun(module, arguments, [requests, answers])
        except BaseException:
            os.close(self._requests)
            os.close(self._answers)
            raise
        finally:
            os.close(requests)
            os.close(answers)
        self.stdin: BinaryIO = os.fdopen(self._requests, "wb")
        self.stdout: BinaryIO = os.fdopen(self._answers, "rb")
        self._code: int | None = None
        self._guard = Lock()

    def kill(self) -> None:
        """End it at once; nothing is done once it has been waited for."""
        with self._guard, suppress(ProcessLookupError):
            # Not yet reaped, so the number is nobody else's.
            if self._code is None:
                os.kill(self.pid, signal.SIGKILL)

    def wait(self, timeout: float = float("inf")) -> int:
        """Wait for its end; return its exit code, which is negative after a signal.

        Raises:
            subprocess.TimeoutExpired: it goes on for `timeout` seconds more.
        """
        until = monotonic() + timeout
        while True:
            with self._guard:
                if self._code is None:
                    self._code = self._nursery.reap(self.pid)
                if self._code is not None:
                    return self._code
            if monotonic() > until:
                raise subprocess.TimeoutExpired(str(self.pid), timeout)
            sleep(_SECONDS_BETWEEN_LOOKS)


class _Nursery:
    def __init__(self, module: str) -> None:
        self._lock = Lock()
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # What can be imported here must be found there; `-P` keeps files of the folder we are in out of it.
        places = [place or os.getcwd() for place in sys.path]
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", __name__, module, str(theirs.fileno())],
                env={**os.environ, "PYTHONPATH": os.pathsep.join(places)},
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        except OSError:
            self._socket.close()
            raise
        finally:
            theirs.close()

    def ask(self, question: dict[str, Any], descriptors: Sequence[int] = ()) -> Any:
        """Return the answer.

        Raises:
            OSError: the nursery has ended.
        """
        with self._lock:
            socket.send_fds(self._socket, [json.dumps(question).encode()], descriptors)
            answer = self._socket.recv(_MAX_MESSAGE_BYTES)
        if not answer:
            raise BrokenPipeError(f"the process {self._process.pid} that begins others has ended")
        return json.loads(answer)

    def reap(self, pid: int) -> int | None:
        """Return the exit code of a child that has ended."""
        try:
            code: int | None = self.ask({"reap": pid})
        except OSError:  # children of a nursery that was killed are the system's, which tells no code
            with suppress(ProcessLookupError):
                os.kill(pid, 0)
                return None
            return -signal.SIGKILL
        return code

    def close(self) -> None:
        """End it; its children end when their pipes are closed."""
        # A fork of this process may hold the socket too: closed here alone, it would still be open there.
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._process.wait()


_nurseries: dict[str, tuple[int, _Nursery]] = {}
_making = Lock()


def _begun(module: str, arguments: Sequence[str], descriptors: Sequence[int]) -> tuple[_Nursery, int]:
    """Let the nursery begin a child; if it has ended, another one."""
    question = {"arguments": list(arguments)}
    with _making:
        owner, nursery = _nurseries.get(module, (0, None))
        if nursery is not None and owner == os.getpid():
            try:
                return nursery, int(nursery.ask(question, descriptors))
            except OSError:
                nursery.close()
        nursery = _Nursery(module)
        _nurseries[module] = os.getpid(), nursery
        return nursery, int(nursery.ask(question, descriptors))


@atexit.register
def _end() -> None:
    for owner, nursery in _nurseries.values():
        if owner == os.getpid():
            nursery.close()


def _tend(module: str, control: socket.socket) -> None:
    """Begin children, and tell of those that have ended, until nobody can ask any more."""
    served = import_module(module)
    served.prepare()
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, _MAX_MESSAGE_BYTES, 2)
        if not message:
            return
        asked = json.loads(message)
        if "reap" in asked:
            ended, status = os.waitpid(asked["reap"], os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if ended else None
        else:
            answer = os.fork()
            if answer == 0:
                control.close()
                _live(served, asked["arguments"], *descriptors)
            for descriptor in descriptors:
                os.close(descriptor)
        control.send(json.dumps(answer).encode())


def _live(served: Any, arguments: Sequence[str], requests: int, answers: int) -> NoReturn:
    code = 1
    try:
        with os.fdopen(requests, "rb") as asked, os.fdopen(answers, "wb") as answering:
            served.serve(arguments, asked, answering)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)  # what is registered to be done in the end is the nursery's


def main() -> None:
    """Be the nursery of the module named on the command line."""
    # Whoever ends the program ends these processes too, by closing what they read.
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    os.dup2(2, 1)  # what native code may print is no answer of the program's
    module, descriptor = sys.argv[1:]
    # Whoever asked was killed before the answer; a child that was begun for it reads the end of its pipe.
    with suppress(BrokenPipeError, ConnectionResetError):
        _tend(module, socket.socket(fileno=int(descriptor)))


if __name__ == "__main__":
    main()
