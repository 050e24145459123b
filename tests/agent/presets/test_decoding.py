"""Presets on how replies are drawn from the model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from habitus.agent import Agent, ScriptedChat, Settings, TransformersChat
from habitus.agent.generators.capabilities import CapabilityError
from habitus.agent.generators.decoding.choosing import choose_decoding

MONDAY = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)
Opened = Callable[..., Agent]


def test_ipa_gives_the_reply_that_the_learnt_reward_puts_first(opened: Opened) -> None:
    drafts = ["- Take the ferry.\n- Walk.", "## Way\n- Take the ferry.\n- Walk.", "Take the ferry and walk."]
    said, n_calls = {}, {}
    for name in (None, "ipa"):
        model = ScriptedChat(script=drafts)
        agent = opened(name, generator=model)
        for day in range(4):
            reply = agent.observe("maya", "How do I get there?", drafts[0], at=MONDAY + timedelta(days=day))
            chosen, others = drafts[2], drafts[:2]
            agent.feedback("maya", reply.turn_id, choice=(chosen, others), at=reply.at)
        said[name] = agent.chat("maya", "How do I get home?", at=MONDAY + timedelta(days=9)).text
        n_calls[name] = len(model.prompts)
    assert said == {None: drafts[0], "ipa": drafts[2]}
    assert n_calls == {None: 1, "ipa": 8}


@pytest.fixture
def white_box() -> Iterator[TransformersChat]:
    """A tiny model with random weights that reads prompts of ordinary length."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = {letter: place for place, letter in enumerate(["<end>", *alphabet])}
    made = Tokenizer(models.BPE(vocab=words, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    kind: Any = PreTrainedTokenizerFast
    tokenizer = kind(tokenizer_object=made, eos_token="<end>", pad_token="<end>", model_max_length=16_384)
    tokenizer.chat_template = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}"
    torch.manual_seed(1)
    config = Qwen3Config(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=8,
        max_position_embeddings=16_384,
        initializer_range=0.5,
    )
    model: Any = Qwen3ForCausalLM(config)
    model.eval()
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    chat = TransformersChat.of(deepcopy(model), tokenizer, max_tokens=12)
    yield chat
    chat.close()


def test_context_steering_changes_the_reply_as_far_as_something_is_known(
    opened: Opened, white_box: TransformersChat
) -> None:
    said: dict[str | None, list[str]] = {}
    for name in (None, "context-steering"):
        agent = opened(name, generator=white_box)
        said[name] = [agent.chat("leo", "What shall I bake?", at=MONDAY).text]
        agent.observe("maya", "I never eat walnuts.", "Noted.", at=MONDAY)
        said[name] += [agent.chat("maya", "What shall I bake?", at=MONDAY + timedelta(days=1)).text]
        later = MONDAY + timedelta(days=3)
        said[name] += [agent.chat("maya", "What shall I bake?", at=later, strength=0.0).text]
    (stranger, known, unpersonal), (steered_stranger, steered, steered_unpersonal) = said.values()
    assert steered != known
    assert (steered_stranger, steered_unpersonal) == (stranger, unpersonal)


def test_context_steering_needs_open_logits_unless_lambda_is_0() -> None:
    black_box = ScriptedChat(script=["a"])
    with pytest.raises(CapabilityError):
        choose_decoding(Settings.preset("context-steering"), black_box)
    choose_decoding(Settings.preset("context-steering", strength=0.0), black_box)
