"""Removing files so that their bytes do not stay on the disk.

They are overwritten before they are removed. On a solid-state disk, or a file system that copies on write
or takes snapshots, old blocks may outlast that all the same: only encryption from the first day, or of the
whole disk, keeps them from being read.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from habitus.memory.errors import StoreFullError

_AT_ONCE = 2**20


def erase(file: Path) -> None:
    """Overwrite a file with zeros, durably, and remove it; nothing is done where there is none.

    Raises:
        StoreFullError: it cannot be written or removed.
    """
    try:
        with file.open("r+b", buffering=0) as opened:
            left = os.fstat(opened.fileno()).st_size
            while left > 0:
                left -= opened.write(bytes(min(left, _AT_ONCE))) or 0
            os.fsync(opened.fileno())
        file.unlink()
    except FileNotFoundError:
        return
    except OSError as error:
        raise StoreFullError(
            f"{file} cannot be overwritten and removed ({error.strerror}); it may hold what is to be gone:"
            " remove it, or make it writable and try again"
        ) from error


def erase_tree(folder: Path) -> None:
    """Erase every file of a folder, and the folder; nothing is done where there is none.

    Raises:
        StoreFullError: something cannot be written or removed.
    """
    for place, _, names in os.walk(folder):
        for name in names:
            file = Path(place, name)
            # What a link leads to is another's.
            if not file.is_symlink():
                erase(file)
    if folder.exists():
        shutil.rmtree(folder)
