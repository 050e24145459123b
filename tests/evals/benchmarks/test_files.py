"""Files of benchmarks are read line by line as their format counts lines, not as Unicode does."""

from __future__ import annotations

from pathlib import Path

from habitus.evals.benchmarks.cases import Source
from habitus.evals.benchmarks.files import read_csv

SOURCE = Source(name="Made up", paper="none", url="https://example.org", licence="CC0-1.0")


def test_a_line_separator_within_a_field_ends_no_row(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("id,text\n1,one\u2028line\n2,next\n", encoding="utf-8")
    rows = [row for _, row in read_csv(path, SOURCE, ("id", "text"))]
    assert rows == [{"id": "1", "text": "one\u2028line"}, {"id": "2", "text": "next"}]
