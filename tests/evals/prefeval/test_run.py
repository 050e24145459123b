"""PrefEval's form of data (content of our own), its rows, the report and the command."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from habitus.agent import Agent
from habitus.evals.cli import add_commands
from habitus.evals.longmemeval.files import DatasetError, HaystackSession
from habitus.evals.prefeval.agent import distracted_row, lives_row, together_row
from habitus.evals.prefeval.extraction import (
    choice_row,
    explicit_row,
    filler_row,
    options_row,
    persona_row,
)
from habitus.evals.prefeval.files import distractor_sessions, n_user, read_prefeval
from habitus.evals.prefeval.lifelines import life_lines
from habitus.evals.prefeval.run import PrefEvalOptions, run_prefeval
from habitus.evals.prefeval.scores import Row, Scored, Target, means, summarised
from habitus.evals.running import UsageError
from habitus.retrievers.encoder import HashingEncoder

Write = Callable[..., Path]
ENCODER = HashingEncoder()

TASTES = {
    "boats": [
        ("I avoid speedboats.", "Which boat should we rent?", "A sailing dinghy.", "Two speedboats."),
        ("I love canoes.", "What could we do on the lake?", "Paddle canoes.", "Sit on the pier."),
    ],
    "bread": [
        ("I can't stand rye bread.", "Which bread goes with soup?", "A wheat roll.", "Dark rye bread."),
        ("I prefer flatbread.", "What bread should I bake?", "A flatbread.", "A sponge cake."),
    ],
}


def base(preference: str, question: str) -> dict[str, Any]:
    return {"preference": preference, "question": question, "explanation": "-"}


def forms(preference: str, question: str, good: str, bad: str) -> dict[str, dict[str, Any]]:
    known = base(preference, question)
    return {
        "explicit_preference": known,
        "implicit_preference/choice-based": known
        | {
            "conversation": {
                "query": question,
                "assistant_options": f"Here are some options:\n1. {good}\n2. {bad}",
                "user_selection": f"I'll go with option 1, {good.lower().rstrip('.')}. "
                f"The other option doesn't appeal to me because {preference[0].lower()}{preference[1:]}",
                "assistant_acknowledgment": "Noted.",
            }
        },
        "implicit_preference/persona-driven": known
        | {
            "persona": "a baker",
            "conversation": {
                "0": {"user": "Hello there, how are you?", "assistant": "Fine, thanks."},
                "1": {
                    "user": f"Good. By the way, {preference} Anyway, what is new?",
                    "assistant": "",
                },
            },
        },
        "mcq_options": known | {"classification_task_options": [good, bad]},
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "prefeval"
    for topic, tastes in TASTES.items():
        made = [forms(*taste) for taste in tastes]
        for form in made[0]:
            (root / form).mkdir(parents=True, exist_ok=True)
            (root / form / f"{topic}.json").write_text(json.dumps([one[form] for one in made]))
    return root


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Agent]:
    with Agent.open(tmp_path / "agent", encoder=ENCODER) as opened:
        yield opened


@pytest.fixture
def fillers(record: Callable[..., dict[str, Any]], write: Write) -> Path:
    sessions = [
        [{"role": "user", "content": f"How far is it to town {n}?"}, {"role": "assistant", "content": "Far."}]
        for n in range(4)
    ]
    sessions.append([{"role": "user", "content": "I love accordions."}])
    ids = [f"s{n}" for n in range(5)]
    dates = ["2023/05/20 (Sat) 06:13"] * 5
    changes = {"haystack_sessions": sessions, "haystack_session_ids": ids, "haystack_dates": dates}
    return write([record(answer_session_ids=["s3"], **changes)], "distractors.json")


# -- the data


def test_all_forms_of_a_preference_share_topic_and_number(folder: Path) -> None:
    data = read_prefeval(folder)

    assert data.topics == ["boats", "bread"]
    for form in (data.explicit, data.choices, data.personas, data.options):
        assert [(item.topic, item.number) for item in form] == [
            ("boats", 0),
            ("boats", 1),
            ("bread", 0),
            ("bread", 1),
        ]
    assert data.options[0].options == ("A sailing dinghy.", "Two speedboats.")
    assert [role for role, _ in data.personas[0].turns] == ["user", "assistant", "user"]


def test_the_limit_is_per_topic(folder: Path) -> None:
    assert [item.topic for item in read_prefeval(folder, limit=1).explicit] == ["boats", "bread"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{}", "does not hold a list"),
        ("[", "boats.json, line 1 is not JSON"),
        ('[{"preference": "I like it."}]', "item 0 is not PrefEval's.*question"),
        ('[{"preference": " ", "question": "Why?"}]', "expected words"),
        ("[3]", "item 0 is not PrefEval's"),
    ],
)
def test_other_files_are_refused(folder: Path, content: str, message: str) -> None:
    (folder / "explicit_preference" / "boats.json").write_text(content)

    with pytest.raises(DatasetError, match=message):
        read_prefeval(folder)


def test_a_folder_without_the_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="explicit_preference"):
        read_prefeval(tmp_path)


def test_distractors_are_no_evidence(fillers: Path) -> None:
    sessions = distractor_sessions(fillers, 100)

    assert [session.id for session in sessions] == ["s0", "s1", "s2", "s4"]
    assert sum(map(n_user, sessions)) == 4


# -- the rows


def test_explicit_counts_records_and_their_stance(folder: Path) -> None:
    row = explicit_row(read_prefeval(folder).explicit, ENCODER)

    assert means(row) == {"recall": 1.0, "right_stance": 1.0}
    assert sum("right_stance" in one.values for one in row.scored) + sum(row.excluded.values()) == 4


def test_a_statement_that_tells_nothing_is_missed(folder: Path) -> None:
    (folder / "explicit_preference" / "boats.json").write_text(json.dumps([base("Boats float.", "Why?")]))
    row = explicit_row(read_prefeval(folder).explicit, ENCODER)

    assert [one.values["recall"] for one in row.scored] == [0.0, 1.0, 1.0]


def test_filler_counts_preferences_and_lists_them(fillers: Path) -> None:
    row = filler_row(distractor_sessions(fillers, 100))

    assert means(row) == {"per_1000_turns": 250.0, "false_per_1000": 250.0, "precision": 0.0}
    assert row.listed[1:] == [["unjudged", "like", "accordions", "I love accordions.", "I love accordions."]]


def test_a_mention_in_passing_counts_if_its_own_turn_yields_a_record(folder: Path) -> None:
    row = persona_row(read_prefeval(folder).personas, ENCODER)

    assert means(row) == {"recall": 1.0, "n_records": 1.0}


def test_a_choice_is_ranked_among_the_preferences_of_its_topic(folder: Path) -> None:
    row = choice_row(read_prefeval(folder).choices, ENCODER)

    found = means(row)
    assert found["recall"] == 1.0
    assert found["record_R@5"] == found["raw_R@5"] == 1.0  # two preferences to a topic
    assert set(found) == {"recall", "record_R@1", "record_R@5", "raw_R@1", "raw_R@5"}


def test_the_reward_is_right_where_similarity_is_wrong(folder: Path) -> None:
    found = means(options_row(read_prefeval(folder).options, ENCODER))

    assert found["accuracy"] == 1.0
    assert found["similarity"] == 0.5


def test_the_right_preference_is_applied_among_other_turns(folder: Path, agent: Agent, fillers: Path) -> None:
    (folder / "explicit_preference" / "boats.json").write_text(
        json.dumps([base("I avoid speedboats.", "Which speedboats should we rent?")])
    )
    items = read_prefeval(folder, limit=1).explicit[:1]
    row = distracted_row(items, distractor_sessions(fillers, 100), agent, ENCODER, n_turns=4)

    assert row.scored[0].values["R@1"] == 1.0
    assert "after 4 other turns" in row.title
    assert len(agent.memories("boats-0")) == 2 + 7 + 2


def test_preferences_of_other_topics_are_counted_when_applied(folder: Path, agent: Agent) -> None:
    (folder / "explicit_preference" / "boats.json").write_text(
        json.dumps([base("I avoid speedboats.", "Which speedboats should we rent?")])
    )
    (folder / "explicit_preference" / "bread.json").write_text(
        json.dumps([base("I love rye bread.", "Which rye bread and which speedboats do you know?")])
    )
    row = together_row(read_prefeval(folder).explicit, agent, ENCODER)

    boats, bread = row.scored
    assert (boats.values["top_3"], boats.values["n_wrong"]) == (1.0, 0.0)
    assert (bread.values["top_3"], bread.values["n_wrong"]) == (1.0, 1.0)


def test_users_need_a_preference_of_every_topic(folder: Path, agent: Agent) -> None:
    path = folder / "explicit_preference" / "boats.json"
    path.write_text(json.dumps(json.loads(path.read_text())[:1]))
    row = together_row(read_prefeval(folder).explicit, agent, ENCODER)

    assert len(row.scored) == 2
    assert sum(row.excluded.values()) == 1


def test_lives_are_checked_after_every_line(agent: Agent) -> None:
    row = lives_row(life_lines(3), agent)

    assert len(row.scored) == 3
    assert all(one.topic.startswith("last line: ") for one in row.scored)
    assert all(0.0 <= one.values["every_line"] <= 1.0 for one in row.scored)


# -- the report


def test_a_row_is_summarised_overall_and_by_topic_with_its_targets() -> None:
    row = Row(
        name="r",
        title="t",
        scored=[Scored("a", {"x": 1.0}), Scored("b", {"x": 0.0, "y": 3.0}), Scored("b", {"x": 1.0})],
        targets={"x": Target(0.9), "y": Target(4.0, "at most")},
    )
    found = summarised(row)

    assert list(found["groups"]) == ["overall", "a", "b"]
    assert found["groups"]["overall"]["x"]["n"] == 3
    assert found["groups"]["b"]["x"]["mean"] == 0.5
    assert found["groups"]["b"]["y"]["n"] == 1
    assert found["met"] == {"x": False, "y": True}
    interval = found["groups"]["overall"]["x"]
    assert interval["low"] <= interval["mean"] <= interval["high"]


def test_a_run_writes_the_report_and_the_list(folder: Path, fillers: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    options = PrefEvalOptions(data=folder, distractors=fillers, out=out, lives=2, distractor_turns=2)

    assert run_prefeval(options, lambda: ENCODER) == 0

    report = json.loads((out / "report.json").read_text())
    assert list(report["rows"]) == [
        "explicit",
        "filler",
        "persona_driven",
        "choice_based",
        "multiple_choice",
        "after_distractors",
        "one_per_topic",
        "life_lines",
        "life_lines_later",
    ]
    assert report["rows"]["explicit"]["groups"]["boats"]["recall"]["n"] == 2
    assert report["manifest"]["settings"]["lives"] == 2
    with (out / "filler.tsv").open() as file:
        assert [line["quote"] for line in csv.DictReader(file, delimiter="\t")] == ["I love accordions."]
    assert sorted(path.name for path in out.iterdir()) == ["filler.tsv", "report.json"]


def test_without_distractors_their_rows_are_named_as_not_measured(folder: Path, tmp_path: Path) -> None:
    options = PrefEvalOptions(data=folder, out=tmp_path / "out", lives=1, limit=1)

    run_prefeval(options, lambda: ENCODER)

    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert set(report["skipped"]) == {"filler", "after_distractors"}
    assert "filler" not in report["rows"]


def test_numbers_below_one_are_refused(folder: Path) -> None:
    with pytest.raises(UsageError, match="--limit"):
        PrefEvalOptions(data=folder, limit=0)


def test_the_command_says_what_is_wrong_in_one_line(tmp_path: Path) -> None:
    app = typer.Typer()
    add_commands(app)
    result = CliRunner().invoke(app, ["eval", "prefeval", "--data", str(tmp_path), "--no-model"])

    assert result.exit_code == 2
    assert result.stderr.startswith("habitus: no PrefEval files in")
    assert len(result.stderr.splitlines()) == 1


def test_distractors_that_are_no_longmemeval_are_refused(folder: Path, write: Write) -> None:
    options = PrefEvalOptions(data=folder, distractors=write([{"a": 1}]))

    with pytest.raises(DatasetError, match="not LongMemEval"):
        run_prefeval(options, lambda: ENCODER)


def test_a_session_of_blank_turns_holds_no_turn_of_the_user() -> None:
    from datetime import UTC, datetime

    from habitus.evals.longmemeval.files import HaystackTurn

    blank = HaystackSession("s", datetime(2025, 1, 1, tzinfo=UTC), (HaystackTurn("user", "  ", False),))
    assert n_user(blank) == 0
