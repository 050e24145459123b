"""Generators by name, for the command line and for settings files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from habitus.agent.errors import AgentError

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

KEY = "HABITUS_GENERATOR_KEY"
"""Environment variable with the key for a server given by URL. A provider's own key is never sent there."""

_FORMS = (
    "'transformers:FOLDER-OR-HUB-ID' runs a model in this process, 'PROVIDER:MODEL' such as 'openai:gpt-4.1' "
    "calls a provider through LangChain, 'http://HOST:PORT/v1#MODEL' calls an OpenAI-compatible server"
)


class GeneratorNameError(AgentError, ValueError):
    """No generator can be made of a name; the message says why and what to do."""


def generator_named(name: str, key: str | None = None, **options: Any) -> BaseChatModel:
    """Make a generator of a name.

    Args:
        name: `transformers:FOLDER-OR-HUB-ID`, `PROVIDER:MODEL` as for LangChain's `init_chat_model`, or
            `http://HOST:PORT/v1#MODEL` for vLLM, SGLang, llama.cpp, Ollama and the like; the key of such a
            server, if it wants one, is read from the environment variable `HABITUS_GENERATOR_KEY`.
        key: for a server given by URL; by default that variable's.
        options: further arguments of the model, such as `temperature`, `timeout` or `max_retries`.

    Raises:
        GeneratorNameError: a name of another form, a package or key that is missing.
        ModelLoadError: a local model that cannot be loaded.
    """
    kind, _, rest = name.partition(":")
    if not kind or not rest:
        raise GeneratorNameError(f"there is no generator {name!r}: {_FORMS}")
    if kind == "transformers":
        from habitus.agent.generators.transformers.chat import TransformersChat

        return TransformersChat(model=rest, **options).load()
    if kind in ("http", "https"):
        return _served(name, key or os.environ.get(KEY), options)
    return _provided(name, options)


def _served(name: str, given: str | None, options: Mapping[str, Any]) -> BaseChatModel:
    url, _, model = name.partition("#")
    if not model:
        raise GeneratorNameError(
            f"{name!r} does not say which model of the server to call: write {url}#MODEL"
        )
    try:
        from langchain_openai import ChatOpenAI
    except ImportError as error:
        raise GeneratorNameError(
            f"calling {url} needs a package that is not installed; run: pip install 'habitus[openai]'"
        ) from error
    from pydantic import SecretStr

    key = SecretStr(given or "none")
    return ChatOpenAI(model=model, base_url=url, api_key=key, use_responses_api=False, **options)


def _provided(name: str, options: Mapping[str, Any]) -> BaseChatModel:
    try:
        from langchain.chat_models import init_chat_model
    except ImportError as error:
        raise GeneratorNameError(
            f"{name!r} needs a package that is not installed; run: pip install 'habitus[langchain]'"
        ) from error
    try:
        made: BaseChatModel = init_chat_model(name, **options)
    except ImportError as error:
        raise GeneratorNameError(f"{name!r} needs a package that is not installed: {error}") from error
    except ValueError as error:
        reason = str(error).split("\n", 1)[0].rstrip(".")
        raise GeneratorNameError(f"no generator can be made of {name!r}: {reason}. {_FORMS}") from error
    except Exception as error:  # each provider has errors of its own, such as for a key that is not set
        raise GeneratorNameError(f"no generator can be made of {name!r}: {error}") from error
    return made


def close_generator(generator: BaseChatModel) -> None:
    """Close a generator that `generator_named` made, if it holds anything open."""
    from habitus.agent.generators.transformers.chat import TransformersChat

    if isinstance(generator, TransformersChat):
        generator.close()
