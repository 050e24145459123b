"""Presets: settings that express a method of the literature, kept as files beside this module."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from importlib.resources import files
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from habitus.agent.errors import AgentError

_HERE = "habitus.agent.presets"

Needs = Literal["nothing", "a language model", "a language model with open logits"]


class PresetError(AgentError, ValueError):
    """There is no such preset; the message names the nearest."""


class Preset(BaseModel):
    """One method of the literature.

    Attributes:
        name: by which it is asked for.
        method: as its authors call it.
        paper: authors, year, title, where it appeared.
        does: what is different under it, in one line.
        needs: of the generator.
        settings: fields of `Settings` that differ from the defaults.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    method: str
    paper: str
    does: str
    needs: Needs = "nothing"
    settings: Mapping[str, Any]

    @property
    def page(self) -> str:
        """What is to be known of the method, as Markdown."""
        return files(_HERE).joinpath(f"{self.name}.md").read_text("utf-8")


def presets() -> list[Preset]:
    """Return all presets, by name."""
    return [preset(name) for name in _names()]


def preset(name: str) -> Preset:
    """Return the preset of a name.

    Raises:
        PresetError: there is none.
    """
    names = _names()
    if name not in names:
        close = get_close_matches(name.lower(), names, n=1, cutoff=0.6)
        meant = f"did you mean {close[0]!r}?" if close else "`habitus presets` lists them"
        raise PresetError(f"there is no preset {name!r}; {meant}")
    told = tomllib.loads(files(_HERE).joinpath(f"{name}.toml").read_text("utf-8"))
    return Preset(name=name, **told)


def _names() -> list[str]:
    found = (one.name for one in files(_HERE).iterdir())
    return sorted(name.removesuffix(".toml") for name in found if name.endswith(".toml"))
