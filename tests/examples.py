"""Running the code blocks of the README and the guides as printed.

A chat model that is paid for is played by one that is scripted; a server on the default port is a real one,
on a free port.
"""

from __future__ import annotations

import re
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult

from habitus.agent import Agent, ScriptedChat

_PORT = "127.0.0.1:8718"


class ToolCallingChat(ScriptedChat):
    """Calls the tool `remember` once, then says what its script says."""

    script: Any = ("Noted.",)

    def bind_tools(self, tools: Any, **more: Any) -> Any:
        return self

    def _generate(self, messages: list[BaseMessage], *rest: Any, **more: Any) -> ChatResult:
        if any(message.type == "tool" for message in messages):
            return super()._generate(messages)
        said = str(next(m for m in reversed(messages) if m.type == "human").content)
        call = {"name": "remember", "args": {"words": said}, "id": "call"}
        message = AIMessage(content="", tool_calls=[call])
        return ChatResult(generations=[ChatGeneration(message=message)])


def play_models(monkeypatch: pytest.MonkeyPatch, model: ScriptedChat) -> None:
    """Have every model that a provider would be asked for be this one."""
    from langchain import chat_models

    monkeypatch.setattr(chat_models, "init_chat_model", lambda *given, **more: model)


def run(text: str, page: Path, names: dict[str, Any] | None = None) -> dict[str, Any]:
    """Run a block, and return its names.

    Args:
        text: the block.
        page: where it stands, for tracebacks.
        names: left by the blocks before it.
    """
    names = {"__name__": "example"} if names is None else names
    with ExitStack() as stack:
        if _PORT in text:
            from habitus.agent.server.app import create_app
            from tests.agent.server.conftest import served

            agent = stack.enter_context(Agent.open("my-data"))
            text = text.replace(f"http://{_PORT}", stack.enter_context(served(create_app(agent))))
        exec(compile(text, str(page), "exec"), names)
    return names


def promised(text: str) -> list[str]:
    """Return what a block says that it prints: the comments behind its calls of `print`."""
    return re.findall(r"^ *print\(.*\)  # (.+)$", text, re.MULTILINE)
