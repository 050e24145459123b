"""From settings to a decoding method."""

from __future__ import annotations

from typing import TYPE_CHECKING

from habitus.agent.generators.decoding.best_of_n import BestOfN
from habitus.agent.generators.decoding.context_steering import ContextSteering
from habitus.agent.generators.decoding.cues_first import CuesFirst
from habitus.agent.generators.decoding.method import Decoding
from habitus.agent.generators.decoding.plain import Plain
from habitus.agent.generators.decoding.self_check import SelfCheck
from habitus.agent.settings import Settings

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel


def choose_decoding(settings: Settings, generator: BaseChatModel) -> Decoding:
    """Return the method that the settings name.

    Raises:
        CapabilityError: the generator does not give what it needs.
    """
    methods: dict[str, Decoding] = {
        "plain": Plain(),
        "best-of-n": BestOfN(strength=settings.strength, n=settings.n_candidates),
        "context-steering": ContextSteering(weight=settings.strength),
    }
    method = methods[settings.decoding]
    if settings.cues:
        method = CuesFirst(method, settings.cues)
    if settings.self_check:
        method = SelfCheck(method)
    method.check(generator)
    return method
