"""What was exported comes back as it was: by the agent, and by the command line."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from habitus.agent import Agent
from habitus.agent.commands.app import app
from habitus.agent.importing.exported import read_export
from habitus.agent.importing.reading import FileFormatError
from habitus.memory.records import Exported
from habitus.retrievers.encoder import HashingEncoder

AT = datetime(2025, 3, 1, tzinfo=UTC)


@pytest.fixture
def exported(agent: Agent) -> Exported:
    reply = agent.chat("maya", "I hate loud music, and my sister is called Ida.", at=AT)
    agent.feedback("maya", reply.turn_id, comment="Shorter, please.", at=AT + timedelta(minutes=1))
    agent.chat("maya", "Recommend a place for tonight.", at=AT + timedelta(minutes=2))
    agent.settle()
    return agent.export("maya")


def test_the_agent_knows_again_what_it_knew(agent: Agent, exported: Exported) -> None:
    asked = "Which music do I hate?"
    known = agent.recall("maya", asked).packed.text, agent.persona("maya"), agent.preferences("maya")
    assert "loud music" in known[0]
    agent.delete_user("maya")
    assert agent.bring_back(exported)
    assert agent.export("maya") == exported
    assert (
        agent.recall("maya", asked).packed.text,
        agent.persona("maya"),
        agent.preferences("maya"),
    ) == known
    assert not agent.bring_back(exported)


def test_secrets_in_an_export_are_masked(agent: Agent, exported: Exported) -> None:
    agent.delete_user("maya")
    written = exported.model_dump_json().replace("loud music", "4242 4242 4242 4242")
    agent.bring_back(Exported.model_validate_json(written))
    assert "4242 4242" not in agent.export("maya").model_dump_json()


def test_a_file_is_told_from_others(tmp_path: Path, exported: Exported) -> None:
    file = tmp_path / "maya.json"
    file.write_text(exported.model_dump_json(), encoding="utf-8")
    assert read_export(file) == exported
    file.write_text('[{"mapping": {}}]', encoding="utf-8")
    assert read_export(file) is None
    file.write_text(exported.model_dump_json().replace('"role":"user"', '"role":"nobody"'), encoding="utf-8")
    with pytest.raises(FileFormatError, match="turns.0.role"):
        read_export(file)


def test_the_command_line_brings_back_what_it_wrote(
    tmp_path: Path, exported: Exported, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("habitus.agent.defaults.default_encoder", HashingEncoder)
    file, place = tmp_path / "maya.json", ["--folder", str(tmp_path / "new"), "--json"]
    file.write_text(exported.model_dump_json(indent=2), encoding="utf-8")
    run = CliRunner()
    assert run.invoke(app, ["memory", "import", str(file), *place]).exit_code == 2  # of another user
    bring = ["memory", "import", str(file), "--user", "maya", *place]
    dry = json.loads(run.invoke(app, [*bring, "--dry-run"]).stdout)
    assert (dry["stored"], dry["messages"]) == (False, 4)
    assert json.loads(run.invoke(app, bring).stdout)["stored"] is True
    assert json.loads(run.invoke(app, bring).stdout)["stored"] is False
    written = run.invoke(app, ["memory", "export", "--user", "maya", *place]).stdout
    assert Exported.model_validate_json(written) == exported
