"""Finding a model and its tokenizer, and saying clearly what is wrong when that fails."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from habitus.agent.generators.transformers.errors import ModelLoadError

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


@dataclass(frozen=True)
class Loaded:
    """A model ready to generate.

    Attributes:
        name: folder or hub id.
        ends: tokens that end a reply.
        window: tokens that prompt and reply may have together.
    """

    name: str
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    ends: frozenset[int]
    window: int

    @classmethod
    def of(cls, name: str, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> Loaded:
        """Take a model and its tokenizer as they are.

        Raises:
            ModelLoadError: the tokenizer has no chat template.
        """
        if not tokenizer.chat_template:
            raise ModelLoadError(
                f"the tokenizer of {name!r} has no chat template, so it is not known how the model takes a "
                "conversation; take an instruct or chat version of it, or set tokenizer.chat_template"
            )
        config: Any = model.config.get_text_config()
        window = getattr(config, "max_position_embeddings", None) or tokenizer.model_max_length
        model.train(False)
        return cls(name, model, tokenizer, _ends(model, tokenizer), int(min(window, 2**31)))


def choose_device(device: str | None) -> torch.device:
    """Return a device by name; by default the first GPU, or the CPU where there is none.

    Raises:
        ModelLoadError: a GPU is asked for that is not there.
    """
    import torch

    chosen = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    if chosen.type == "cuda" and (chosen.index or 0) >= torch.cuda.device_count():
        raise ModelLoadError(
            f"there is no device {device!r} here: torch {torch.__version__} sees {torch.cuda.device_count()} "
            "GPUs; leave the device out to take what there is"
        )
    return chosen


def choose_dtype(dtype: str | None, device: torch.device) -> torch.dtype:
    """Return a dtype by name; by default bfloat16 on a GPU and float32 on the CPU."""
    import torch

    if dtype is None:
        return torch.bfloat16 if device.type == "cuda" else torch.float32
    found = getattr(torch, dtype, None)
    if not isinstance(found, torch.dtype) or not found.is_floating_point:
        raise ModelLoadError(f"there is no dtype {dtype!r}; take bfloat16, float16 or float32")
    return found


def load(source: str, *, device: str | None = None, dtype: str | None = None) -> Loaded:
    """Load a causal model and its tokenizer. Code that comes with a model is never run.

    Args:
        source: a folder, or an id on the Hugging Face hub.
        device: `cpu`, `cuda`, `cuda:1`; by default a GPU if there is one.
        dtype: by default bfloat16 on a GPU and float32 on the CPU.

    Raises:
        ModelLoadError: it is missing, gated, has no chat template or is no causal language model.
    """
    from transformers import AutoModelForCausalLM, AutoTokenizer

    place = choose_device(device)
    kind = choose_dtype(dtype, place)
    if _looks_like_a_folder(source) and not Path(source).expanduser().is_dir():
        raise ModelLoadError(f"there is no model folder {source!r}")
    folder = Path(source).expanduser()
    name = str(folder) if folder.is_dir() else source
    try:
        tokenizer = AutoTokenizer.from_pretrained(name)
        model: Any = AutoModelForCausalLM.from_pretrained(
            name, dtype=kind, attn_implementation=_attention(name), use_safetensors=True
        )
    except (OSError, ValueError, ImportError) as error:
        raise ModelLoadError(_reason(source, error)) from error
    return Loaded.of(source, model.to(place), tokenizer)


def _attention(name: str) -> str:
    from transformers import MODEL_FOR_CAUSAL_LM_MAPPING, AutoConfig

    kind = MODEL_FOR_CAUSAL_LM_MAPPING.get(type(AutoConfig.from_pretrained(name)), None)
    return "sdpa" if kind is None or getattr(kind, "_supports_sdpa", False) else "eager"


def _looks_like_a_folder(source: str) -> bool:
    return source.startswith(("/", ".", "~")) or source.count("/") > 1 or "\\" in source


def _reason(source: str, error: Exception) -> str:
    from huggingface_hub.errors import GatedRepoError, LocalEntryNotFoundError, RepositoryNotFoundError

    causes = list(_causes(error))
    if any(isinstance(one, GatedRepoError) for one in causes):
        return (
            f"{source!r} is gated: accept its licence on https://huggingface.co/{source}, then log in with "
            "`hf auth login` or set HF_TOKEN"
        )
    if any(isinstance(one, RepositoryNotFoundError) for one in causes):
        return f"there is no model {source!r} on the hub, or it is private; check the id, or log in"
    if any(isinstance(one, (LocalEntryNotFoundError, ConnectionError)) for one in causes):
        return (
            f"{source!r} is not in the local Hugging Face cache and the hub cannot be reached; download it "
            "where there is a network, and give the folder"
        )
    first = str(error).strip().splitlines()
    return f"{source!r} cannot be loaded as a causal language model: {first[0] if first else error!r}"


def _causes(error: BaseException) -> Iterator[BaseException]:
    found: BaseException | None = error
    while found is not None:
        yield found
        found = found.__cause__ or found.__context__


def _ends(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> frozenset[int]:
    """Return the end tokens of the model's generation settings and of its tokenizer."""
    settings: Any = model.generation_config
    given = settings.eos_token_id if settings is not None else None
    ends = set(given if isinstance(given, list) else [] if given is None else [given])
    if tokenizer.eos_token_id is not None:
        ends.add(tokenizer.eos_token_id)
    return frozenset(int(one) for one in ends)
