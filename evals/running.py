"""What the benchmark commands share: the agent under test, a progress bar, and their exit codes.

Nothing heavy is imported before an agent is made.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from habitus.agent.agent import Agent
    from habitus.evals.evaluated import AgentFactory, RecallingAgent
    from habitus.retrievers.encoder import Encoder

FAILED = 1
INTERRUPTED = 130


class UsageError(ValueError):
    """The command cannot be run as given."""


def check_positive(**values: int | None) -> None:
    """Raise `UsageError` for an option below 1; the names are those of the options, `_` for `-`."""
    for name, value in values.items():
        if value is not None and value < 1:
            raise UsageError(f"--{name.replace('_', '-')} must be at least 1, got {value}")


@dataclass(frozen=True, kw_only=True)
class AgentUnderTest:
    """An agent to evaluate."""

    open: AgentFactory
    encoder: str
    """Fingerprint of its encoder."""
    settle: Callable[[RecallingAgent], None] = lambda agent: None
    """Called with an agent that holds a large user, before the first question: finishes what would
    otherwise be done in the background, where a run would measure something between two states."""


def cached_encoder(embedding_cache: Path | None) -> Encoder:
    """Return the default encoder, over a cache in a folder if there is one."""
    from habitus.agent.defaults import default_encoder

    encoder = default_encoder()
    if embedding_cache is None:
        return encoder
    from habitus.retrievers.cache import CachedEncoder

    return CachedEncoder(encoder, embedding_cache)


def habitus_on(
    encoder: Encoder,
    context_tokens: int,
    *,
    exact_limit: int | None = None,
    generator: BaseChatModel | None = None,
    without: Sequence[str] = (),
) -> AgentUnderTest:
    """Return Habitus on its embedded store; all agents share encoder and generator.

    Args:
        encoder: of every agent.
        context_tokens: budget of the packed evidence.
        generator: of every agent; None is the one without weights.
        without: parts left out of the prompt, see `habitus.evals.adapters.habitus.WITHOUT`.
        exact_limit: users with at most so many turns are searched in memory, and are given the memory
            that takes; None leaves both at the store's defaults.
    """
    return AgentUnderTest(
        open=lambda folder: open_agent(
            folder, encoder, context_tokens, exact_limit=exact_limit, generator=generator, without=without
        ),
        encoder=encoder.fingerprint,
        settle=lambda agent: _index_if_searched(cast("Agent", agent), exact_limit),
    )


def _index_if_searched(agent: Agent, exact_limit: int | None) -> None:
    """Bring the derived indexes up to date if a user is too large to be searched in memory."""
    from habitus.memory.storage.relational import EXACT_LIMIT

    largest = max((agent.store.stats(user_id).n_turns for user_id in agent.store.users()), default=0)
    if largest > (EXACT_LIMIT if exact_limit is None else exact_limit):
        agent.store.flush()


def open_agent(
    folder: Path,
    encoder: Encoder,
    context_tokens: int,
    *,
    exact_limit: int | None = None,
    generator: BaseChatModel | None = None,
    without: Sequence[str] = (),
) -> Agent:
    """Open an agent on a folder; see `habitus_on` for the arguments."""
    from habitus.agent.agent import Agent
    from habitus.agent.defaults import default_generator
    from habitus.agent.settings import Settings
    from habitus.memory.storage.embedded import EmbeddedStore

    settings = Settings(context_tokens=context_tokens)
    if without:
        from habitus.evals.adapters.habitus import without as leaving_out

        settings = leaving_out(settings, without)
    if exact_limit is None:
        return Agent.open(folder, encoder=encoder, generator=generator, settings=settings)
    # A user that does not fit is read from disk again for every question.
    resident_bytes = max(exact_limit * _RESIDENT_BYTES_PER_TURN, 2**28)
    store = EmbeddedStore.open(folder, encoder, exact_limit=exact_limit, resident_bytes=resident_bytes)
    return Agent(store=store, generator=generator or default_generator(encoder), settings=settings)


_RESIDENT_BYTES_PER_TURN = 2**15


@contextmanager
def scratch_in(out: Path) -> Iterator[Path]:
    """Give an empty folder for the agents' data, deleted afterwards.

    It lies in the output folder, so that what a killed run leaves is found and removed by the next one.
    """
    scratch = out / "scratch"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True, exist_ok=True)
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


@contextmanager
def progress(title: str, total: float) -> Iterator[Callable[[float, str], None]]:
    """Show a bar on stderr; the function it gives takes (how much of `total` is done, description)."""
    from rich.console import Console
    from rich.progress import Progress, TimeElapsedColumn

    columns = (*Progress.get_default_columns(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(title, total=total)
        yield lambda done, description: bar.update(task, completed=done, description=description)
        bar.update(task, completed=total)
