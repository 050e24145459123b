"""Whatever a model calls a tool with, it is answered in words, and nobody else is touched."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from inspect import signature
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("mcp", reason="the package `mcp` is not installed")
from anyio.from_thread import BlockingPortal, start_blocking_portal
from mcp import Client
from mcp.types import TextContent

from habitus.agent import Agent
from habitus.retrievers.encoder import HashingEncoder
from habitus.tools.actions import INPUT_ERRORS, NAMED, Actions
from habitus.tools.mcp_server import mcp_server
from tests.strategies import bounded, json_values

ARGUMENTS = ("words", "question", "about", "right")
TEXTS = st.text(max_size=20) | st.sampled_from(
    ["", " ", "\x00", "a\x00b", "x" * 100_000, "\u202e", "I hate loud music.", "everything", "[" * 5_000]
)


@pytest.fixture(scope="module")
def connected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[BlockingPortal, Any, Agent]]:
    """A client of a server for maya, whose neighbour's memory lies in the same folder."""
    with Agent.open(tmp_path_factory.mktemp("any"), encoder=HashingEncoder(16)) as agent:
        agent.chat("neighbour", "I love quiet gardens.")
        agent.settle()
        with (
            start_blocking_portal() as portal,
            portal.wrap_async_context_manager(Client(mcp_server(agent, "maya"))) as client,
        ):
            yield portal, client, agent


@given(
    tool=st.sampled_from(sorted(NAMED)),
    arguments=st.dictionaries(
        st.sampled_from(ARGUMENTS),
        TEXTS | json_values.filter(lambda one: "\\ud" not in ascii(one)),
        max_size=2,
    ),
)
@bounded(30)
def test_any_call_is_answered(
    connected: tuple[BlockingPortal, Any, Agent], tool: str, arguments: dict[str, Any]
) -> None:
    portal, client, agent = connected
    before = agent.export("neighbour")
    with _Errors() as problems:
        result = portal.call(client.call_tool, tool, arguments)
    [content] = result.content
    assert isinstance(content, TextContent)
    assert content.text
    assert "quiet gardens" not in content.text
    assert problems.told == []
    assert agent.export("neighbour") == before


@given(tool=st.sampled_from(sorted(NAMED)), words=TEXTS)
@bounded(20)
def test_any_words_are_taken_or_refused_in_words(
    connected: tuple[BlockingPortal, Any, Agent], tool: str, words: str
) -> None:
    takes_words = len(signature(NAMED[tool]).parameters) > 1
    try:
        said = NAMED[tool](Actions(connected[2], "maya"), *([words] if takes_words else []))
    except INPUT_ERRORS as error:
        assert str(error)
        return
    assert said.strip()


class _Errors(logging.Handler):
    """What is logged as an error meanwhile."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.told: list[str] = []

    def __enter__(self) -> _Errors:
        logging.getLogger().addHandler(self)
        return self

    def __exit__(self, *left: object) -> None:
        logging.getLogger().removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self.told.append(record.getMessage())
