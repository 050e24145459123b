"""A data folder and the one process that owns it."""

from __future__ import annotations

import os
from pathlib import Path

from filelock import FileLock, Timeout

from habitus.memory.errors import FolderInUseError, InvalidInputError, StoreFullError
from habitus.memory.storage.replacing import finish_replacing


class DataFolder:
    """Owns a folder until it is released; the operating system releases it when the process dies.

    A replacement of the database that was interrupted is finished first.

    Raises:
        FolderInUseError: somebody owns it already, another process or another store of this one.
        InvalidInputError: the path leads to something that is no folder.
        StoreFullError: the folder cannot be made or written.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).expanduser().absolute()
        self._owner = self.path / "owner.pid"
        # Released by whichever thread closes the store, so the lock must not belong to a thread.
        self._lock = FileLock(self.path / "owner.lock", thread_local=False)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
            self._owner.write_text(str(os.getpid()))
        except (FileExistsError, NotADirectoryError) as error:
            raise InvalidInputError(f"the data folder must be a folder, {str(self.path)!r} is not") from error
        except Timeout as error:
            raise FolderInUseError(self._in_use()) from error
        except OSError as error:
            self._lock.release()
            raise StoreFullError(
                f"the data folder {str(self.path)!r} cannot be made or written ({error.strerror}): check its"
                " rights and the space on the disk, or choose another folder"
            ) from error
        try:
            finish_replacing(self.path)
        except BaseException:
            self.release()
            raise

    def _in_use(self) -> str:
        try:
            pid = self._owner.read_text().strip()
        except OSError:
            pid = ""
        mine = pid == str(os.getpid())
        owner = "this process" if mine else f"process {pid}" if pid else "another process"
        return (
            f"the data folder {str(self.path)!r} is in use by {owner}. Close the store there (or end the"
            " program), talk to that program through its server, or choose another folder"
        )

    def bytes_on_disk(self) -> int:
        """Return the size of all files in the folder."""
        total = 0
        for place, _, names in os.walk(self.path):
            for name in names:
                try:
                    total += os.stat(os.path.join(place, name)).st_size
                except FileNotFoundError:  # an index merged it away while we were looking
                    continue
        return total

    def release(self) -> None:
        """Let others own the folder; a second call does nothing."""
        if self._lock.is_locked:
            self._owner.unlink(missing_ok=True)
            self._lock.release()
