"""Chroma in a process of its own, so that its files hold nothing but what was given to it.

hnswlib writes memory that it has never filled: the whole of `length.bin`, and the empty places of
`data_level0.bin`. In the process of an agent that memory held whatever was freed before, of any user, also of
one who was deleted since. This process sees the vectors of one folder alone, and must end, by `kill`, before
something of that folder is deleted for good: then nothing else can ever come into the files.

It is never a fork of the agent (see `forked.py`), and ends with the process that started it. Requests go to
it as a line of JSON with the vectors after it, answers come back as a line of JSON.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from threading import Event, Lock, Thread
from time import monotonic
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from habitus.retrievers.damage import cannot_be_written
from habitus.retrievers.encoder import Vectors
from habitus.retrievers.errors import (
    IndexCorruptError,
    IndexDiedError,
    IndexFullError,
    IndexUnreachableError,
)
from habitus.retrievers.forked import CAN_FORK, ForkedProcess

ANSWERS_WITHIN_SECONDS = 60.0
_OPENS_IN_TIMES = 5
"""As long as an answer may take: opening reads the whole index."""
FILES_FREE_WITHIN_SECONDS = 60.0
_ADD_AT_ONCE = 256
"""Texts a request: a process whose parent was killed ends after the request it is at."""
_CLOSES_WITHIN_SECONDS = 60.0
_LOOKS_EVERY_SECONDS = 5.0
Keys = npt.NDArray[np.int64]


class ChromaProcess:
    """A `ChromaIndex` in a folder, with the same methods. Safe to call from several threads.

    Args:
        path: a folder of its own; made if it does not exist.
        lock: a file beside it. Whoever holds its lock may touch the folder: a process that outlived a parent
            that was killed is waited for.
        seconds: in which each request must be answered, or the process is killed; opening may take five times
            as long.
        files_free: seconds in which another process must have let go of the files.

    Raises:
        IndexDiedError: the process ended, was killed or did not answer, here and in every method. What it
            did not acknowledge may have been done or not; all of it can be done again.
        IndexCorruptError: the folder cannot be read, here and in every method.
        IndexFullError: there is no room or no right to write.
        IndexUnreachableError: the process cannot be started, or another still has the files.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        lock: str | os.PathLike[str],
        *,
        seconds: float = ANSWERS_WITHIN_SECONDS,
        files_free: float = FILES_FREE_WITHIN_SECONDS,
    ) -> None:
        self._path, self._seconds = os.fspath(path), seconds
        self._guard = Lock()
        try:
            self._process = _started([self._path, os.fspath(lock), str(files_free)])
        except OSError as error:
            raise IndexUnreachableError(
                f"the process of the vector index in {self._path!r} cannot be started ({error.strerror})"
            ) from error
        try:
            self._ask("open")
        except BaseException:
            self.kill()
            raise

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    def add(self, keys: Sequence[int], groups: Sequence[str], vectors: Sequence[Vectors]) -> None:
        """See `ChromaIndex.add`."""
        for begin in range(0, len(keys), _ADD_AT_ONCE):
            part = slice(begin, begin + _ADD_AT_ONCE)
            passages = vectors[part]
            self._ask(
                "add",
                np.concatenate(passages).astype(np.float32, copy=False).tobytes(),
                keys=[int(key) for key in keys[part]],
                groups=list(groups[part]),
                counts=[len(one) for one in passages],
            )

    def remove(self, keys: Sequence[int]) -> None:
        """See `ChromaIndex.remove`."""
        self._ask("remove", keys=[int(key) for key in keys])

    def search(self, vector: Vectors, group: str, k: int) -> Keys:
        """See `ChromaIndex.search`."""
        found = self._ask("search", vector.astype(np.float32, copy=False).tobytes(), group=group, k=k)
        return np.array(found, dtype=np.int64)

    def __len__(self) -> int:
        """Return the number of passages."""
        return int(self._ask("count"))

    def close(self) -> None:
        """End the process once everything is on disk; a second call does nothing."""
        with self._guard:
            with suppress(OSError):  # nobody is there any more
                _open(self._process.stdin).close()
            try:
                self._process.wait(_CLOSES_WITHIN_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            _open(self._process.stdout).close()

    def kill(self) -> None:
        """End the process at once and with it all that it has seen; its folder can then be removed."""
        self._process.kill()
        self.close()

    def _ask(self, name: str, content: bytes = b"", **arguments: Any) -> Any:
        line = json.dumps({"do": name, "n_bytes": len(content), **arguments}).encode() + b"\n"
        with self._guard:
            seconds = self._seconds * (_OPENS_IN_TIMES if name == "open" else 1)
            answer = json.loads(self._exchanged(line + content, seconds))
        if "error" not in answer:
            return answer["found"]
        raise _ERRORS[answer["error"]](answer["text"])

    def _exchanged(self, request: bytes, seconds: float) -> bytes:
        answered, given_up, answer = Event(), Event(), b""
        Thread(target=self._watch, args=(answered, given_up, seconds), daemon=True).start()
        try:
            requests = _open(self._process.stdin)
            requests.write(request)
            requests.flush()
            answer = _open(self._process.stdout).readline()
        except (OSError, ValueError):
            pass  # it is gone, which the missing answer tells
        finally:
            answered.set()
        if answer.endswith(b"\n"):
            return answer
        self._process.kill()
        code = self._process.wait()
        is_late = given_up.is_set()
        if is_late and cannot_be_written(self._path):
            raise IndexFullError(f"the vector index in {self._path!r} has no room or may not be written")
        how = f"did not answer within {seconds:.0f} s" if is_late else f"ended with exit code {code}"
        raise IndexDiedError(f"the process of the vector index in {self._path!r} {how}")

    def _watch(self, answered: Event, given_up: Event, seconds: float) -> None:
        """End the process when it is late, or when it waits, as Chroma may for ever, for room on the disk."""
        until = monotonic() + seconds
        while not answered.wait(min(_LOOKS_EVERY_SECONDS, max(until - monotonic(), 0.0))):
            if monotonic() >= until or cannot_be_written(self._path):
                given_up.set()
                self._process.kill()
                return


def _started(arguments: list[str]) -> ForkedProcess | subprocess.Popen[bytes]:
    if CAN_FORK:
        return ForkedProcess(__name__, arguments)
    places = [place or os.getcwd() for place in sys.path]
    return subprocess.Popen(
        [sys.executable, "-P", "-m", __name__, *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(places)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


_ERRORS = {kind.__name__: kind for kind in (IndexCorruptError, IndexFullError, IndexUnreachableError)}


def _open(stream: Any) -> BinaryIO:
    """Return a pipe of the process, which is always there: it was asked for."""
    opened: BinaryIO = stream
    return opened


def _serve(path: str, lock: str, files_free: float, requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until there are no more."""
    from filelock import FileLock, Timeout

    from habitus.retrievers.chroma import ChromaIndex
    from habitus.retrievers.damage import told_apart

    files, index = FileLock(lock), None
    try:
        for line in requests:
            if not line.endswith(b"\n"):
                return  # whoever asked was killed in the middle of it
            asked = json.loads(line)
            n_bytes = asked.pop("n_bytes")
            content = requests.read(n_bytes)
            if len(content) < n_bytes:
                return
            try:
                if index is None:
                    with told_apart("vector", path, Timeout):
                        files.acquire(timeout=files_free)
                    index = ChromaIndex(path)
                answer: dict[str, Any] = {"found": _done(index, content, **asked)}
            except Timeout:
                text = f"another process has the files of the vector index in {path!r}; end it and try again"
                answer = {"error": IndexUnreachableError.__name__, "text": text}
            except (IndexCorruptError, IndexFullError) as error:
                answer = {"error": type(error).__name__, "text": str(error)}
            answers.write(json.dumps(answer).encode() + b"\n")
            answers.flush()
    finally:
        if index is not None:
            index.close()


def _done(index: Any, content: bytes, do: str, **asked: Any) -> Any:
    """Do what was asked of an index, and return what was found."""
    vectors = np.frombuffer(content, dtype=np.float32)
    if do == "add":
        counts = asked["counts"]
        rows = np.split(vectors.reshape(sum(counts), -1), np.cumsum(counts)[:-1])
        index.add(asked["keys"], asked["groups"], rows)
    elif do == "remove":
        index.remove(asked["keys"])
    elif do == "search":
        return index.search(vectors, asked["group"], asked["k"]).tolist()
    elif do == "count":
        return len(index)
    return None


def prepare() -> None:
    """Import what serving takes."""
    import chromadb
    import filelock

    import habitus.retrievers.chroma
    import habitus.retrievers.damage

    assert chromadb and filelock and habitus


def serve(arguments: Sequence[str], requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests for a folder until there are no more.

    Args:
        arguments: the folder, the lock beside it, and seconds to wait for that.
        requests: lines of JSON, each with the bytes of its vectors after it.
        answers: a line of JSON each.
    """
    path, lock, files_free = arguments
    try:
        _serve(path, lock, float(files_free), requests, answers)
    except BrokenPipeError:  # whoever asked was killed; what was asked for is done
        os._exit(0)  # else the answer would be tried again, and fail aloud


def main() -> None:
    """Serve the folder named on the command line."""
    # Whoever ends the program ends this process too, by closing the pipe, after what is being written.
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what native code may print must not get among the answers
    serve(sys.argv[1:], sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
