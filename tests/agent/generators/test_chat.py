"""`TransformersChat` as LangChain code uses it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from time import monotonic, sleep
from typing import Any

import pytest
import torch
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from habitus.agent.errors import ClosedError, PromptTooLongError
from habitus.agent.generators.transformers.chat import TransformersChat
from habitus.agent.generators.transformers.errors import ModelLoadError
from habitus.agent.generators.transformers.loading import load

MakeChat = Callable[..., TransformersChat]


def conversation(number: int = 0) -> list[BaseMessage]:
    return [
        SystemMessage("You are an assistant that knows its user. " * (1 + number % 3)),
        HumanMessage("What could I cook tonight?"),
        AIMessage("Grüße 🙂, soup."),
        HumanMessage(f"And without nuts, number {number}?"),
    ]


def plain(model: Any, tokenizer: Any, messages: list[BaseMessage], n_tokens: int = 24) -> str:
    """Plain greedy `generate` on the template's text."""
    roles = {"system": "system", "human": "user", "ai": "assistant"}
    turns = [{"role": roles[one.type], "content": one.content} for one in messages]
    text = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
    ids = tokenizer(text, add_special_tokens=False, return_tensors="pt")["input_ids"]
    out = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=n_tokens, do_sample=False)
    return str(tokenizer.decode(out[0, ids.shape[1] :], skip_special_tokens=True))


def idle(chat: TransformersChat) -> bool:
    """Wait until nothing runs."""
    until = monotonic() + 30
    while chat.hosted.engine.n_running and monotonic() < until:
        sleep(0.005)
    return chat.hosted.engine.n_running == 0


def test_every_way_in_says_what_plain_generate_says(
    any_model: Any, tokenizer: Any, make_chat: MakeChat
) -> None:
    chat = make_chat(any_model)
    expected = [plain(any_model, tokenizer, conversation(i)) for i in range(6)]
    with ThreadPoolExecutor(6) as threads:
        assert list(threads.map(lambda i: chat.invoke(conversation(i)).text, range(6))) == expected
        streamed = threads.map(lambda i: "".join(one.text for one in chat.stream(conversation(i))), range(6))
        assert list(streamed) == expected

    async def both() -> tuple[list[str], str]:
        replies = await asyncio.gather(*(chat.ainvoke(conversation(i)) for i in range(6)))
        return [one.text for one in replies], "".join([p.text async for p in chat.astream(conversation(0))])

    replies, pieces = asyncio.run(both())
    assert replies == expected
    assert pieces == expected[0]


def test_a_reply_says_what_it_took_and_why_it_ended(make_chat: MakeChat) -> None:
    reply = make_chat().invoke(conversation(), max_tokens=5)
    assert reply.usage_metadata is not None
    assert reply.usage_metadata["output_tokens"] == 5
    assert reply.usage_metadata["input_tokens"] > 40
    assert reply.response_metadata["finish_reason"] == "length"


def test_the_second_turn_of_a_user_reuses_the_first_ones_prompt(
    model: Any, tokenizer: Any, make_chat: MakeChat
) -> None:
    chat = make_chat()

    def reused(messages: list[BaseMessage], **how: Any) -> int:
        reply = chat.invoke(messages, **how)
        assert reply.text == plain(model, tokenizer, messages)
        assert reply.usage_metadata is not None
        return reply.usage_metadata["input_token_details"]["cache_read"]

    other = [*conversation()[:-1], HumanMessage("Something else: a quiet place?")]
    assert reused(conversation(), user_id="maya") == 0
    first = reused(other, user_id="maya")
    assert first > 40
    assert reused(other, user_id="maya") == first
    assert reused(other, user_id="tom") == 0
    assert reused(other) == 0
    chat.forget_user("maya")
    assert reused(other, user_id="maya") == 0


def test_stop_strings_end_a_reply(model: Any, tokenizer: Any, make_chat: MakeChat) -> None:
    text = plain(model, tokenizer, conversation())
    stop = text[len(text) // 2 : len(text) // 2 + 4]
    assert len(stop) == 4
    for reply in (
        make_chat().invoke(conversation(), stop=[stop]),
        make_chat(stop=[stop]).invoke(conversation()),
    ):
        assert reply.text == text[: text.index(stop)]
        assert reply.response_metadata["finish_reason"] == "stop"


def test_seeds(make_chat: MakeChat) -> None:
    chat = make_chat(temperature=1.5)
    with ThreadPoolExecutor(8) as threads:
        said = list(threads.map(lambda seed: chat.invoke(conversation(), seed=seed % 4).text, range(8)))
    assert said[:4] == said[4:]
    assert len(set(said)) == 4
    assert make_chat(temperature=1.5, seed=2).invoke(conversation()).text == said[2]


def test_leaving_a_stream_frees_its_place(make_chat: MakeChat) -> None:
    chat = make_chat(max_tokens=400, max_batch=1)
    with closing(chat.stream(conversation())) as pieces:  # type: ignore[type-var]
        next(pieces)
        assert chat.hosted.engine.n_running == 1
    assert idle(chat)


def test_cancelling_a_task_frees_its_place(make_chat: MakeChat) -> None:
    chat = make_chat(max_tokens=400, max_batch=1).load()

    async def leave() -> None:
        begun = asyncio.Event()

        async def read() -> None:
            async for _ in chat.astream(conversation()):
                begun.set()

        task = asyncio.create_task(read())
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(leave())
    assert idle(chat)


def test_a_model_saved_to_a_folder_is_loaded(tmp_path: Path, model: Any, tokenizer: Any) -> None:
    model.save_pretrained(tmp_path / "tiny")
    tokenizer.save_pretrained(tmp_path / "tiny")
    chat = TransformersChat(model=str(tmp_path / "tiny"), device="cpu", max_tokens=24)
    try:
        assert chat.invoke(conversation()).text == plain(model, tokenizer, conversation())
        assert chat.hosted.loaded.model.dtype == torch.float32
        assert (chat.profile or {}).get("max_input_tokens") == 512 - 24
        assert chat.get_num_tokens("quiet places") == len(tokenizer("quiet places")["input_ids"])
    finally:
        chat.close()
    with pytest.raises(ClosedError):
        chat.invoke(conversation())


def test_a_prompt_longer_than_the_window_loses_memories_then_messages(make_chat: MakeChat) -> None:
    chat = make_chat(max_tokens=100)
    memories = "".join(f"## 2025-01-0{day}\nUser: I cooked {'soup ' * 20}\n" for day in range(1, 9))
    last = f"<memories>\n{memories}</memories>\n\n<message>\nAnd now?\n</message>"
    reply = chat.invoke([SystemMessage("Norms."), HumanMessage("Hi"), AIMessage("Yes?"), HumanMessage(last)])
    assert 0 < reply.response_metadata["cut"]["memories"] < 8
    assert reply.response_metadata["cut"]["messages"] == 0
    long = [
        HumanMessage("old " * 60),
        AIMessage("yes " * 60),
        HumanMessage("new " * 30),
        AIMessage("hm"),
        HumanMessage(last),
    ]
    cut = chat.invoke(long).response_metadata["cut"]
    assert cut["memories"] == 8
    assert 0 < cut["messages"] < 4
    with pytest.raises(PromptTooLongError, match=r"take 3,\d+ tokens, and the generator reads 412"):
        chat.invoke([HumanMessage("word " * 600)])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model": "/no/such/folder"}, "there is no model folder '/no/such/folder'"),
        ({"model": "/tmp", "dtype": "int9"}, "there is no dtype 'int9'"),
        ({"model": "/tmp", "device": "cuda:77"}, "there is no device 'cuda:77' here"),
    ],
)
def test_what_cannot_be_loaded_is_told(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelLoadError, match=message):
        TransformersChat(**settings).load()


def test_a_folder_without_a_model_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelLoadError, match="cannot be loaded as a causal language model"):
        load(str(tmp_path))


def test_a_model_without_a_chat_template_is_told(model: Any, tokenizer: Any) -> None:
    from copy import deepcopy

    bare = deepcopy(tokenizer)
    bare.chat_template = None
    with pytest.raises(ModelLoadError, match="has no chat template.*instruct or chat version"):
        TransformersChat.of(model, bare)


@pytest.mark.parametrize(
    ("cause", "message"),
    [
        ("GatedRepoError", "is gated: accept its licence"),
        ("RepositoryNotFoundError", "there is no model 'org/name' on the hub, or it is private"),
        ("LocalEntryNotFoundError", "not in the local Hugging Face cache and the hub cannot be reached"),
    ],
)
def test_the_hubs_answers_are_told(monkeypatch: pytest.MonkeyPatch, cause: str, message: str) -> None:
    """The hub cannot be reached from a test, so its answer is made here."""
    import httpx
    import transformers
    from huggingface_hub import errors

    kind = getattr(errors, cause)
    request = httpx.Request("GET", "https://huggingface.co/org/name")
    found = (
        kind("no") if cause.startswith("Local") else kind("no", response=httpx.Response(403, request=request))
    )

    def refuse(*args: object, **kwargs: object) -> None:
        raise OSError("You are trying to access something") from found

    monkeypatch.setattr(transformers.AutoTokenizer, "from_pretrained", refuse)
    with pytest.raises(ModelLoadError, match=message):
        load("org/name", device="cpu")


class _Hub(BaseHTTPRequestHandler):
    """Answers as the hub does for a gated model and for one that is not there."""

    def do_GET(self) -> None:
        gated = "/org/gated" in self.path
        self.send_response(403 if gated else 404)
        self.send_header("X-Error-Code", "GatedRepo" if gated else "RepoNotFound")
        self.send_header("X-Error-Message", "no")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test's output clean."""


@pytest.mark.slow
def test_a_hub_that_refuses_is_told_without_a_traceback_of_its_library(tmp_path: Path) -> None:
    code = (
        "from habitus.agent.generators.transformers.errors import ModelLoadError\n"
        "from habitus.agent.generators.transformers.loading import load\n"
        "for name in ('org/gated', 'org/missing'):\n"
        "    try:\n"
        "        load(name, device='cpu')\n"
        "    except ModelLoadError as error:\n"
        "        print(error)\n"
    )
    with ThreadingHTTPServer(("127.0.0.1", 0), _Hub) as hub:
        Thread(target=hub.serve_forever, daemon=True).start()
        environment = {**os.environ, "HF_ENDPOINT": f"http://127.0.0.1:{hub.server_port}"}
        environment |= {"HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "0"}
        told = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
        )
        hub.shutdown()
    gated, missing = told.stdout.splitlines()
    assert "is gated: accept its licence" in gated
    assert "there is no model 'org/missing' on the hub" in missing


def test_messages_that_a_model_cannot_read_are_refused(make_chat: MakeChat) -> None:
    chat = make_chat()
    with pytest.raises(ValueError, match="text only"):
        chat.invoke([HumanMessage([{"type": "image_url", "image_url": {"url": "data:,"}}])])
    with pytest.raises(TypeError, match="nonsense"):
        chat.invoke(conversation(), nonsense=1)


def test_a_template_without_a_system_role_gets_the_text_in_the_first_message(
    model: Any, tokenizer: Any
) -> None:
    from copy import deepcopy

    from habitus.agent.generators.transformers.encoding import PromptEncoder

    strict = deepcopy(tokenizer)
    refusal = "{{ raise_exception('System role not supported') }}"
    strict.chat_template = (
        f"{{% if messages[0]['role'] == 'system' %}}{refusal}{{% endif %}}" + tokenizer.chat_template
    )
    text = tokenizer.decode(PromptEncoder(strict).tokens([SystemMessage("Norms."), HumanMessage("Hi")]))
    assert text == "<|im_start|>user\nNorms.\n\nHi<|im_end|>\n<|im_start|>assistant\n"
