"""API keys: who may act for which users. Only hashes are kept.

A key is 32 random bytes, so a plain SHA-256 is as hard to reverse as the key is to guess. A key bound to
a user acts for them alone; one bound to a tenant acts for any user of that tenant, whose stored id is
`<tenant>/<user>`, so that two tenants never meet in one memory.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from habitus.agent.errors import AgentError
from habitus.memory.errors import InvalidInputError
from habitus.memory.records import Id

FILE = "keys.json"
_PREFIX = "hab_"


class KeyFileError(AgentError, ValueError):
    """The file of keys cannot be used; the message says what to do."""


class ApiKey(BaseModel):
    """What is kept of a key."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    """Names the key in logs and lists; no secret."""
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    user_id: Id | None = None
    tenant: Id | None = None
    made_at: datetime

    @model_validator(mode="after")
    def _is_bound_to_one(self) -> ApiKey:
        if (self.user_id is None) == (self.tenant is None):
            raise ValueError("a key is bound to a user or to a tenant, not to both or neither")
        if self.tenant is not None and "/" in self.tenant:
            raise ValueError("a tenant's name must not hold a slash: it parts the tenant from the user")
        return self


_KEYS = TypeAdapter(list[ApiKey])


@dataclass(frozen=True)
class Caller:
    """Who a request comes from.

    Attributes:
        key: None where no key is asked for: a server on loopback alone.
    """

    key: ApiKey | None = None

    @property
    def name(self) -> str:
        """For logs and limits."""
        return self.key.id if self.key else "local"

    def user(self, asked: str | None) -> str | None:
        """Return the id whose memory is used, None if this caller may not act for the one asked for."""
        if self.key is None:
            return asked or "me"
        if self.key.user_id is not None:
            return self.key.user_id if asked in (None, self.key.user_id) else None
        return f"{self.key.tenant}/{asked}" if asked else None


class KeyRing:
    """The keys of a server, in a file that only its owner may read.

    Raises:
        KeyFileError: the file is damaged, or cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._keys: list[ApiKey] = []
        self._read_at: tuple[int, int] | None = None
        self._catch_up()

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def keys(self) -> tuple[ApiKey, ...]:
        return tuple(self._keys)

    def add(self, *, user_id: str | None = None, tenant: str | None = None) -> tuple[ApiKey, str]:
        """Make a key for a user or a tenant; returns what is kept, and the secret, shown this once.

        Raises:
            InvalidInputError: nobody can be called so, or it is for both or neither.
        """
        secret = _PREFIX + secrets.token_urlsafe(32)
        try:
            key = ApiKey(
                id=secrets.token_hex(4),
                sha256=_digest(secret),
                user_id=user_id,
                tenant=tenant,
                made_at=datetime.now(UTC),
            )
        except ValidationError as error:
            [first, *_] = error.errors()
            raise InvalidInputError(first["msg"].removeprefix("Value error, ")) from None
        self._write([*self._keys, key])
        return key, secret

    def revoke(self, key_id: str) -> bool:
        """Take a key back; False if there is none of that id."""
        left = [key for key in self._keys if key.id != key_id]
        if len(left) == len(self._keys):
            return False
        self._write(left)
        return True

    def find(self, secret: str) -> ApiKey | None:
        """Return the key of a secret, as the file has it now; takes as long whichever it is."""
        self._catch_up()
        digest, found = _digest(secret), None
        for key in self._keys:
            if hmac.compare_digest(key.sha256, digest):
                found = key
        return found

    def _write(self, keys: Iterable[ApiKey]) -> None:
        kept = [key.model_dump(mode="json") for key in keys]
        part = self._path.with_suffix(".part")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            opened = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with open(opened, "w", encoding="utf-8") as file:
                json.dump(kept, file, indent=2)
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, self._path)
        except OSError as error:
            raise KeyFileError(
                f"{str(self._path)!r} cannot be written: {error.strerror}; no key was changed"
            ) from error
        self._catch_up()

    def _catch_up(self) -> None:
        """Read the file again if somebody else, such as `habitus keys revoke`, has written it."""
        try:
            found = self._path.stat()
        except FileNotFoundError:
            self._keys, self._read_at = [], None
            return
        except OSError as error:
            raise KeyFileError(f"{str(self._path)!r} cannot be read: {error.strerror}") from error
        seen = (found.st_mtime_ns, found.st_ino)
        if seen != self._read_at:
            self._keys, self._read_at = _read(self._path), seen


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _read(path: Path) -> list[ApiKey]:
    try:
        return _KEYS.validate_json(path.read_bytes())
    except OSError as error:
        raise KeyFileError(f"{str(path)!r} cannot be read: {error.strerror}") from error
    except ValidationError:
        raise KeyFileError(
            f"{str(path)!r} is not a file of keys; move it away and make new ones with `habitus keys add`"
        ) from None
