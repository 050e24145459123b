"""What the package takes in: no pickle from a disk, weights as safetensors only, licences that are known."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("agent", "evals", "memory", "retrievers", "tools")
RUN_CODE = frozenset({"pickle", "cPickle", "_pickle", "joblib", "dill", "cloudpickle", "shelve", "marshal"})
"""Modules whose files run code when they are read."""
HOLD_NO_WEIGHTS = frozenset({"AutoTokenizer", "AutoConfig"})


def problems(source: str) -> Iterator[str]:
    """Tell which lines of a module read a pickle, or weights that may be one."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            named = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            named = [node.module or ""]
        elif isinstance(node, ast.Call):
            named = []
            if wrong := _wrong_call(node):
                yield f"line {node.lineno}: {wrong}"
        else:
            continue
        for name in named:
            if name.split(".")[0] in RUN_CODE:
                yield f"line {node.lineno}: imports {name}"


def _wrong_call(call: ast.Call) -> str | None:
    called, given = ast.unparse(call.func), {one.arg: ast.unparse(one.value) for one in call.keywords}
    last = called.rsplit(".", 1)[-1]
    if called in ("torch.load", "torch.jit.load") or last == "read_pickle":
        return f"{called} reads pickles"
    if called in ("np.load", "numpy.load") and given.get("allow_pickle") != "False":
        return f"{called} without allow_pickle=False"
    if last == "from_pretrained" and called.split(".")[0] not in HOLD_NO_WEIGHTS:
        return None if given.get("use_safetensors") == "True" else f"{called} without use_safetensors=True"
    if last == "SentenceTransformer" and "'use_safetensors': True" not in given.get("model_kwargs", ""):
        return f"{called} without use_safetensors"
    if given.get("trust_remote_code", "False") != "False":
        return f"{called} runs code that comes with a model"
    return None


def test_no_module_reads_a_pickle_or_weights_that_may_be_one() -> None:
    modules = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]
    assert len(modules) > 200
    found = {path: list(problems(path.read_text(encoding="utf-8"))) for path in modules}
    assert {str(path.relative_to(ROOT)): one for path, one in found.items() if one} == {}


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from joblib import load",
        "def f():\n    import cloudpickle as c",
        "torch.load(path)",
        "np.load(path)",
        "np.load(path, allow_pickle=True)",
        "AutoModel.from_pretrained(name)",
        "Auto.from_pretrained(name, use_safetensors=False)",
        "SentenceTransformer(name)",
        "build(name, trust_remote_code=True)",
    ],
)
def test_a_module_that_does_is_found(source: str) -> None:
    assert list(problems(source))


def test_every_licence_is_known_and_listed() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / ".ci" / "licences.py")], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "| numpy | " in done.stdout
    assert "packages: " in done.stdout.splitlines()[-1] or "Not installed" in done.stdout.splitlines()[-1]


@pytest.mark.parametrize(
    ("stated", "allowed"),
    [
        ("MIT", True),
        ("Apache-2.0 WITH LLVM-exception AND BSD-3-Clause", True),
        ("MPL-2.0 AND (Apache-2.0 OR MIT)", True),
        ("GPL-3.0-only OR MIT", True),
        ("GPL-3.0-only", False),
        ("AGPL-3.0-or-later", False),
        ("CC-BY-NC-4.0", False),
        ("MIT AND CC-BY-NC-4.0", False),
        ("CC-BY-NC-4.0 AND (MIT OR Apache-2.0)", False),
        ("unknown", False),
        ("Other/Proprietary License", False),
    ],
)
def test_what_forbids_commercial_use_or_binds_programs_is_refused(stated: str, allowed: bool) -> None:
    from importlib.metadata import distribution
    from runpy import run_path

    is_allowed = run_path(str(ROOT / ".ci" / "licences.py"))["is_allowed"]
    assert is_allowed(distribution("numpy"), stated) is allowed


CLEAN = {"name": "a", "version": "1", "vulns": []}
HOLED = {"name": "b", "version": "2", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3"]}]}
SKIPPED = {"name": "c", "skip_reason": "not found"}


@pytest.mark.parametrize(
    ("osv", "pypi", "code", "said"),
    [
        ([CLEAN, CLEAN], None, 0, "osv: 2 of 2 packages could be looked up"),
        (None, [CLEAN], 0, "pypi: 1 of 1"),
        ([CLEAN, HOLED], None, 1, "b 2: PYSEC-1, mended in 3"),
        (None, [SKIPPED, SKIPPED], 3, "pypi: 0 of 2"),
        ([CLEAN, SKIPPED], [CLEAN, SKIPPED], 3, "osv: 1 of 2"),
        ([CLEAN, SKIPPED], [CLEAN, HOLED], 1, "PYSEC-1"),
        (None, None, 3, ""),
    ],
)
def test_what_could_not_be_looked_up_does_not_pass_for_clean(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    osv: list[Any] | None,
    pypi: list[Any] | None,
    code: int,
    said: str,
) -> None:
    spec = importlib.util.spec_from_file_location("audit", ROOT / ".ci" / "audit.py")
    assert spec is not None and spec.loader is not None
    audit = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(audit)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "pip-audit").touch()
    monkeypatch.setattr(audit, "TOOLS", tmp_path)
    monkeypatch.setattr(audit, "looked_up", {"osv": osv, "pypi": pypi}.get)
    assert audit.main() == code
    told = capsys.readouterr()
    assert said in told.out
    assert ("not audited" in told.err) == (code == 3)
