"""From a generator that blocks to one that an event loop can wait for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from threading import Event
from typing import TypeVar

T = TypeVar("T")


class _End:
    pass


async def iterate_in_thread(make: Callable[[], Iterator[T]]) -> AsyncIterator[T]:
    """Yield what an iterator yields while it runs in a thread of its own.

    An error in it is raised here. Leaving early closes the iterator at its next item.
    """
    loop = asyncio.get_running_loop()
    items: asyncio.Queue[T | BaseException | _End] = asyncio.Queue()
    left = Event()

    def put(item: T | BaseException | _End) -> None:
        loop.call_soon_threadsafe(items.put_nowait, item)

    def run() -> None:
        try:
            for item in make():
                if left.is_set():
                    return
                put(item)
        except BaseException as error:  # whatever it is, the waiting side raises it
            put(error)
        else:
            put(_End())

    worker = loop.run_in_executor(None, run)
    try:
        while not isinstance(item := await items.get(), _End):
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        left.set()
        await worker
