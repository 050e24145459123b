"""The page of a run: what it shows, that it needs nothing else, and that nothing in it can run."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from habitus.evals.cli import add_commands
from habitus.evals.reports.charts import Bar, bars, lines
from habitus.evals.reports.html import page, write_page
from habitus.evals.reports.scored_runs import SCORES_FILE
from habitus.evals.running import UsageError
from tests.evals.reports.conftest import EVIL

SVG = "{http://www.w3.org/2000/svg}"


def test_the_page_needs_nothing_else_and_runs_nothing(run: Path, data: Path) -> None:
    html = write_page(run, data).read_text()
    assert EVIL not in html
    assert "&lt;script&gt;" in html
    assert "<script" not in html
    assert not re.findall(r"(?:src|href)\s*=|url\(|@import", html)


def test_the_worst_question_comes_with_what_was_retrieved(run: Path, data: Path) -> None:
    html = write_page(run, data).read_text()
    cases = html.split('<div class="case">')[1:]
    assert len(cases) == 1
    assert "missed" in cases[0]
    assert "Which &lt;script&gt;" in cases[0]
    assert re.search(r"Evidence sessions: answer_1 at [23]", cases[0])
    assert "Evidence that was not packed: answer_1_3" in cases[0]
    assert "Which tool is best?" in cases[0]


def test_without_the_data_file_the_worst_are_shown_by_id(run: Path) -> None:
    html = write_page(run).read_text()
    assert "missed" in html
    assert "Evidence sessions" not in html


def test_types_curves_and_manifest_are_shown(run: Path) -> None:
    html = write_page(run, n_worst=0).read_text()
    assert "single-session-user" in html
    assert "Evidence among the first k" in html
    assert "data_sha256" in html
    assert 'class="case"' not in html


def test_light_and_dark_are_followed(run: Path) -> None:
    assert "prefers-color-scheme:dark" in write_page(run).read_text()


def test_failed_questions_are_named_and_escaped() -> None:
    html = page({"questions": {"failed": 1}, "failures": [{"question_id": "q9", "error": f"Error: {EVIL}"}]})
    assert "q9 failed: Error: &lt;script&gt;" in html


def test_a_bar_is_as_long_as_its_share_and_its_whisker_as_its_interval() -> None:
    drawn = ElementTree.fromstring(bars("t", [Bar("a & b", 4, 0.5, 0.25, 1.0), Bar("c", 4, 1.0, 1.0, 1.0)]))
    fills = [one.attrib["style"] for one in drawn.iter("i") if one.attrib["class"] == "fill"]
    whiskers = [one.attrib["style"] for one in drawn.iter("i") if one.attrib["class"] == "whisker"]
    assert fills == ["width:50.00%", "width:100.00%"]
    assert whiskers == ["left:25.00%;width:75.00%"]
    assert [label.text for label in drawn.iter("b")] == ["a & b", "c"]
    assert "0.500 (n=4)" in [value.text for value in drawn.iter("span")]


def test_a_curve_rises_with_its_values() -> None:
    drawn = ElementTree.fromstring(lines("t", {"any": {1: 0.2, 3: 0.6, 10: 1.0}}, "k"))
    points = next(drawn.iter(f"{SVG}polyline")).attrib["points"].split()
    (x1, y1), (x2, y2), (x3, y3) = ([float(value) for value in point.split(",")] for point in points)
    assert x1 < x2 < x3
    assert y1 > y2
    assert y1 - y2 == pytest.approx(y2 - y3, abs=0.2)


def test_the_command_says_what_is_wrong(run: Path, tmp_path: Path) -> None:
    app = typer.Typer()
    add_commands(app)
    written = CliRunner().invoke(app, ["eval", "report", str(run)])
    assert written.exit_code == 0
    assert "report.html" in written.stdout
    (tmp_path / "empty").mkdir()
    refused = CliRunner().invoke(app, ["eval", "report", str(tmp_path / "empty")])
    assert refused.exit_code == 2
    assert "holds no report.json" in refused.stderr


def test_a_damaged_report_is_named(run: Path) -> None:
    (run / "report.json").write_text("{")
    with pytest.raises(UsageError, match="is damaged"):
        write_page(run)


def test_a_run_made_before_scores_were_written_needs_its_data(run: Path, data: Path) -> None:
    (run / SCORES_FILE).unlink()
    with pytest.raises(UsageError, match="give --data"):
        write_page(run)
    assert "missed" in write_page(run, data).read_text()
