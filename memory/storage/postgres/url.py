"""URLs of databases as people write them."""

from __future__ import annotations

import psycopg
from psycopg.conninfo import conninfo_to_dict

from habitus.memory.errors import InvalidInputError


def check_url(url: str) -> None:
    """Check that a URL can be read, before anything quotes what may be a piece of the password.

    Raises:
        InvalidInputError: it cannot; nothing of it is in the message.
    """
    if not _has_one_host(url) or not _is_read(url):
        raise InvalidInputError(
            "the URL of the database cannot be read: give postgresql://USER:PASSWORD@HOST:PORT/DATABASE, and"
            " write @ : / ? # %, spaces and the like in user or password as %40 %3A %2F %3F %23 %25 %20"
        )


def _has_one_host(url: str) -> bool:
    """Tell whether the only @ before the parameters is the one that leads the host."""
    _, found, rest = url.partition("://")
    if not found:
        return True
    authority, _, path = rest.partition("?")[0].partition("/")
    return authority.count("@") <= 1 and "@" not in path


def _is_read(url: str) -> bool:
    try:
        conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        return False
    return True
