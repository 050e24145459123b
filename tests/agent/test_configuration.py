import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from habitus.agent.commands.app import app
from habitus.agent.configuration import ConfigurationError, load


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "habitus.toml"
    path.touch()
    monkeypatch.setenv("HABITUS_CONFIG", str(path))
    return path


def test_defaults_file_environment_in_rising_order(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load().settings.context_tokens == 2_000
    file.write_text(
        'generator = "openai:x"\n[settings]\ncontext_tokens = 3000\nidle_gap = 60\n[serve]\nport = 9\n'
    )
    assert (load().settings.context_tokens, load().serve.port, load().generator) == (3_000, 9, "openai:x")
    monkeypatch.setenv("HABITUS_SETTINGS__CONTEXT_TOKENS", "4000")
    assert load().settings.context_tokens == 4_000
    assert load().settings.idle_gap.total_seconds() == 60


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("generater = 'x'", "did you mean generator?"),
        ("[settings]\ncontext_token = 3", "did you mean settings.context_tokens?"),
        ("[settings]\ncontext_tokens = -3", "settings.context_tokens: Input should be greater"),
        ("quux = 3", "habitus config show"),
        ("[settings", "cannot read"),
    ],
)
def test_a_wrong_file_is_refused_with_what_was_meant(file: Path, content: str, told: str) -> None:
    file.write_text(content)
    with pytest.raises(ConfigurationError) as caught:
        load()
    assert told in str(caught.value)


def test_a_mistyped_variable_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HABITUS_SETINGS__CONTEXT_TOKENS", "3")
    with pytest.raises(ConfigurationError, match="did you mean HABITUS_SETTINGS__CONTEXT_TOKENS"):
        load()


def test_a_file_that_is_named_must_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HABITUS_CONFIG", str(tmp_path / "absent.toml"))
    with pytest.raises(ConfigurationError, match="there is no file"):
        load()


def test_what_is_in_force_is_shown_without_secrets(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HABITUS_GENERATOR_KEY", "very-secret")
    for arguments in (["config", "show"], ["config", "show", "--json"]):
        done = CliRunner().invoke(app, arguments, catch_exceptions=False)
        assert done.exit_code == 0
        assert "very-secret" not in done.output
        assert "context_tokens" in done.output
    assert json.loads(done.output)["generator_key"] == "**********"
    assert CliRunner().invoke(app, ["config", "path"]).output.strip() == str(file)
