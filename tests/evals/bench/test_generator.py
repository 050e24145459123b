from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer import Typer
from typer.testing import CliRunner

from habitus.evals.bench.generator import FirstToken, GeneratorReport, Throughput, generator, run, show
from habitus.evals.bench.random_models import CONFIGS


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: dict[str, Any] = {**CONFIGS["small"], "hidden_size": 64, "intermediate_size": 64}
    sizes |= {"vocab_size": 300, "num_hidden_layers": 2, "num_attention_heads": 4, "head_dim": 16}
    monkeypatch.setitem(CONFIGS, "tiny", sizes)


def test_both_say_the_same_and_are_timed() -> None:
    report = run(
        "tiny", device="cpu", concurrent=(1, 3), prompt_tokens=30, new_tokens=6, prefix_tokens=80, rounds=2
    )
    assert [(row.n_turns, row.n_tokens) for row in report.throughput] == [(1, 6), (3, 18)]
    assert all(row.same == 1.0 for row in report.throughput)
    times = [one for row in report.throughput for one in (*row.seconds, *row.plain_seconds)]
    times += [*report.first.fresh, *report.first.reused, *report.first.plain]
    assert len(times) == 8 + 6
    assert min(times) > 0
    assert report.first.n_prefix == 80
    assert 40 < report.first.n_last < 80


def test_ratios_are_medians_of_the_rounds() -> None:
    row = Throughput(
        n_turns=2,
        n_tokens=20,
        seconds=(1.0, 2.0, 1.0),
        plain_seconds=(5.0, 6.0, 9.0),
        cpu_seconds=(1.0, 1.0, 1.0),
        plain_cpu_seconds=(4.0, 3.0, 7.0),
        same=1.0,
    )
    assert (row.rate, row.ratio, row.cpu_ratio) == (20.0, 5.0, 4.0)
    first = FirstToken(n_prefix=9, n_last=3, fresh=(1.0, 2.0, 4.0), reused=(0.5, 0.5, 0.4), plain=(1.0,))
    assert first.ratio == 0.25
    output = StringIO()
    report = GeneratorReport(
        config="c",
        n_parameters=2_000_000,
        device="cpu",
        dtype="float32",
        load=0.1,
        throughput=(row,),
        first=first,
    )
    show(report, Console(file=output, width=200))
    for shown in ("5.0x", "20 tokens/s", "100%", "(0.25x)", "2000 ms read anew", "2 M parameters"):
        assert shown in output.getvalue()


def test_wrong_numbers_and_configs_are_refused() -> None:
    with pytest.raises(ValueError, match="there is no config 'huge'; there are small, qwen3-0.6b, qwen3-8b"):
        run("huge")
    with pytest.raises(ValueError, match="must be at least 1, got 0"):
        run("tiny", concurrent=(0,))


def test_the_configs_have_the_sizes_that_they_are_named_after() -> None:
    import torch
    from transformers import Qwen3Config, Qwen3ForCausalLM

    kind: Any = Qwen3Config
    for name, low, high in (("qwen3-0.6b", 0.55e9, 0.65e9), ("qwen3-8b", 8.0e9, 8.3e9)):
        with torch.device("meta"):
            model = Qwen3ForCausalLM(kind(**CONFIGS[name]))
        assert low < sum(one.numel() for one in model.parameters()) < high


def test_the_command_prints_and_writes(tmp_path: Path) -> None:
    app = Typer()
    app.command()(generator)
    out = tmp_path / "figures.json"
    sizes = ["--prompt-tokens", "20", "--new-tokens", "4", "--prefix-tokens", "40", "--rounds", "1"]
    done = CliRunner().invoke(
        app, ["--config", "tiny", "--device", "cpu", "--turns", "2", *sizes, "--out", str(out)]
    )
    assert done.exit_code == 0, done.output
    assert "first token after 40" in done.stdout
    assert json.loads(out.read_text())["throughput"][0]["n_turns"] == 2
