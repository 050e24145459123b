"""A bar for work that takes long."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from habitus.memory.store import Progress


@contextmanager
def progress_bar(what: str) -> Iterator[Progress]:
    """Show a bar on stderr; yields a function to call with (done, total)."""
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
