"""How the memory of a program of ours is handed out by the C library."""

from __future__ import annotations

import ctypes
import os
import sys

_M_ARENA_MAX = -8
"""Parameter of `mallopt`, see mallopt(3)."""


def allocate_in_one_arena() -> None:
    """Let glibc keep one heap for all threads, unless the environment says how many; do nothing elsewhere.

    By default a thread takes from one of eight heaps a core, and what another thread frees there is seldom
    used again, so that a server that changes users all day keeps growing. To be called before threads begin.
    """
    if sys.platform != "linux" or "MALLOC_ARENA_MAX" in os.environ:
        return
    # Other C libraries have no arenas, nor this function.
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is not None:
        set_option(_M_ARENA_MAX, 1)
