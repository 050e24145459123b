"""The parts an agent is made of when none are given: embedded, local, without a key."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from habitus.retrievers.encoder import Encoder


def default_folder() -> Path:
    """Return the data folder: `habitus` under the platform's folder for user data."""
    from platformdirs import user_data_path

    return user_data_path("habitus")


def default_encoder() -> Encoder:
    """Return all-MiniLM-L6-v2 on the fast path.

    Raises:
        EncoderError: its weights are nowhere to be found; the message names the ways out.
    """
    from habitus.retrievers.minilm import minilm

    return minilm()


def default_generator(encoder: Encoder) -> BaseChatModel:
    """Return the generator that needs no weights."""
    from habitus.agent.generators.extractive import ExtractiveChat

    return ExtractiveChat(encoder=encoder)
