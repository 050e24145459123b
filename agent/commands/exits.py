"""What the exit codes of the command line mean, and how errors become one of them."""

from __future__ import annotations

import errno
import sys
from enum import IntEnum
from io import TextIOWrapper

import typer


class Exit(IntEnum):
    """The exit codes of every command."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    INTERRUPTED = 130


EXITS = (
    "Exit codes. 0: done. 1: something failed on its way, such as the model, the disk or some questions of a "
    "benchmark; or a question was answered with no. 2: it cannot be done as it was asked for. "
    "130: interrupted."
)
"""One paragraph: what stands on lines of its own here does so in `--help`, too."""


_NOT_ASKED_FOR = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)


def run(application: typer.Typer) -> None:
    """Run a command line: an error of ours, or about a file, is one line on stderr and an exit code."""
    if isinstance(sys.stdout, TextIOWrapper):
        # Names of files may hold what the terminal's encoding, or any, cannot say.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        application()
    except Exception as error:
        from habitus.agent.errors import AgentError
        from habitus.memory.errors import MemoryStoreError
        from habitus.retrievers.errors import RetrieverError

        if isinstance(error, OSError) and error.filename is not None:
            told = f"{error.filename!r} cannot be used: {error.strerror}"
        elif isinstance(error, (AgentError, MemoryStoreError, RetrieverError)):
            told = str(error)
        else:
            raise
        sys.stderr.write(f"habitus: {told}\n")
        sys.exit(Exit.FAILED if _failed_on_its_way(error) else Exit.USAGE)


def _failed_on_its_way(error: Exception) -> bool:
    """Tell what the machine, the network or a model did from what was asked for wrongly."""
    from habitus.agent.errors import GeneratorError
    from habitus.memory import errors as memory
    from habitus.retrievers.errors import IndexCorruptError, IndexFullError

    kinds = (
        GeneratorError,
        IndexCorruptError,
        IndexFullError,
        memory.ChatModelError,
        memory.StoreCorruptError,
        memory.StoreFullError,
        memory.StoreUnreachableError,
        memory.TurnTimeoutError,
    )
    return isinstance(error, kinds) or (isinstance(error, OSError) and error.errno in _NOT_ASKED_FOR)
