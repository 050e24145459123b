"""A turn that runs in a thread while its caller takes the pieces as they come."""

from __future__ import annotations

import asyncio
import queue
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Executor
from contextvars import copy_context
from threading import Event
from typing import TypeVar

T = TypeVar("T")

Emit = Callable[[str], None]
Run = Callable[[Emit, Event], T]
"""Does the work: hands out pieces, looks now and then whether it was cancelled, returns the result."""


class _End:
    pass


def iterate(executor: Executor, run: Run[T]) -> Iterator[str | T]:
    """Yield the pieces that `run` emits, and last what it returns.

    The work never waits for the one who takes the pieces. Leaving early cancels it, and waits until it
    has ended; an error in it is raised here.
    """
    items: queue.SimpleQueue[str | T | BaseException | _End] = queue.SimpleQueue()
    cancelled = Event()
    worker = executor.submit(copy_context().run, _work, run, items.put, cancelled)
    try:
        while not isinstance(item := items.get(), _End):
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        cancelled.set()
        worker.result()


async def aiterate(executor: Executor, run: Run[T]) -> AsyncIterator[str | T]:
    """`iterate` for an event loop."""
    loop = asyncio.get_running_loop()
    items: asyncio.Queue[str | T | BaseException | _End] = asyncio.Queue()
    cancelled = Event()

    def put(item: str | T | BaseException | _End) -> None:
        loop.call_soon_threadsafe(items.put_nowait, item)

    context = copy_context()
    worker = loop.run_in_executor(executor, lambda: context.run(_work, run, put, cancelled))
    try:
        while not isinstance(item := await items.get(), _End):
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        cancelled.set()
        await worker


def _work(run: Run[T], put: Callable[[str | T | BaseException | _End], None], cancelled: Event) -> None:
    try:
        put(run(put, cancelled))
    except BaseException as error:  # whatever it is, the waiting side raises it
        put(error)
    else:
        put(_End())
