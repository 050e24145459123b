"""A report as an object: its figures, and a page in a frame that nothing of it can leave."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path

import pytest

from habitus.evals.reports.html import write_page
from habitus.evals.reports.report import Report
from habitus.evals.running import UsageError


def test_it_holds_what_the_command_wrote(run: Path, data: Path) -> None:
    report = Report.read(run, data)
    written = json.loads((run / "report.json").read_text())
    assert dict(report) == written
    assert report["session"]["answerable"]["overall"]["r@1"]["n"] == 2
    assert repr(report).startswith("<Report of longmemeval: ")


def test_a_cell_shows_the_whole_page_in_a_frame(run: Path, data: Path) -> None:
    html = Report.read(run, data)._repr_html_()
    framed = re.fullmatch(r'<iframe [^>]*srcdoc="([^"]*)"></iframe>', html)
    assert framed is not None
    assert "<" not in framed[1]
    assert unescape(framed[1]) == write_page(run, data).read_text()


def test_a_folder_without_a_report_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no report.json"):
        Report.read(tmp_path)
