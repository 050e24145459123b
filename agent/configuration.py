"""What the command line is set up with: defaults, a preset, a TOML file, the environment, and options, in
rising order.

    folder = "~/habitus"
    generator = "openai:gpt-4.1"

    [settings]
    context_tokens = 4000

    [serve]
    per_minute = 120

The same from the environment: `HABITUS_SETTINGS__CONTEXT_TOKENS=4000`. A library that embeds `Agent`
reads none of it unless it asks for it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from habitus.agent.errors import AgentError
from habitus.agent.presets.reading import PresetError, preset
from habitus.agent.settings import Settings
from habitus.memory.records import Norm
from habitus.memory.storage.encryption import EncryptionKey

PREFIX = "HABITUS_"
FILE_VARIABLE = "HABITUS_CONFIG"
"""Names the file; without it `habitus.toml` in the user's configuration folder is read."""


class ConfigurationError(AgentError, ValueError):
    """A setting is unknown or wrong; the message names it, and what was probably meant."""


class ServeConfiguration(BaseModel):
    """How `habitus serve` listens, and what it allows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = "127.0.0.1"
    port: int = Field(default=8718, ge=0, le=65535)
    """0 takes a free one."""
    per_minute: int = Field(default=0, ge=0)
    """Requests of one caller; 0 is no limit."""
    max_body_mb: int = Field(default=8, ge=1)
    cors: tuple[str, ...] = ()
    """Origins of pages that may call from a browser."""
    metrics: bool = False
    traces: bool = False
    """Spans of requests, turns and nodes, by OTLP to OTEL_EXPORTER_OTLP_ENDPOINT."""
    page: bool = True


class Configuration(BaseSettings):
    """Everything that can be set; `load` reads it."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix=PREFIX, env_nested_delimiter="__", toml_file=None
    )

    folder: Path | None = None
    """Where data is kept; None is `habitus` in the user's data folder."""
    url: SecretStr | None = None
    """Of a PostgreSQL database that holds memory instead of the folder."""
    key: SecretStr | None = None
    """That the folder is encrypted with, as 64 hexadecimal digits; better in HABITUS_KEY, or in a file."""
    key_file: Path | None = None
    """Holds the key in place of `key`."""
    generator: str | None = None
    """By name, see `habitus.agent.generators.naming`; None needs no weights."""
    generator_key: SecretStr | None = None
    """Of a server given by URL."""
    preset: str | None = None
    """A method of the literature, see `habitus presets`: it sets what `settings` leaves open."""
    settings: Settings = Settings()
    norms: tuple[Norm, ...] = ()
    """Rules beside those that hold unless an application brings its own."""
    serve: ServeConfiguration = ServeConfiguration()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        toml = TomlConfigSettingsSource(settings_cls, _file())
        return init_settings, env_settings, toml, _PresetSource(settings_cls)

    def encryption_key(self) -> EncryptionKey | None:
        """Return the key of the data folder; None where it is not encrypted.

        Raises:
            ConfigurationError: there are two.
            EncryptionError: it is no key, or its file cannot be read.
        """
        if self.key is not None and self.key_file is not None:
            raise ConfigurationError("key and key_file are both set; leave one of them out")
        if self.key_file is not None:
            return EncryptionKey.read(self.key_file.expanduser())
        return None if self.key is None else EncryptionKey(self.key.get_secret_value())

    def shown(self) -> dict[str, Any]:
        """Return all of it as JSON values, secrets masked."""
        return self.model_dump(mode="json")


class _PresetSource(PydanticBaseSettingsSource):
    """The settings of the preset that a source above names."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        return None, field_name, False  # `__call__` gives all of it at once

    def __call__(self) -> dict[str, Any]:
        named = self.current_state.get("preset")
        if not isinstance(named, str):
            return {}
        try:
            return {"settings": dict(preset(named).settings)}
        except PresetError as error:
            raise ConfigurationError(str(error)) from None


def load(preset: str | None = None) -> Configuration:
    """Read the configuration.

    Args:
        preset: its name, in place of the one that file or environment name.

    Raises:
        ConfigurationError: an unknown or wrong setting, or a file that cannot be read.
    """
    file = _file()
    if os.environ.get(FILE_VARIABLE) and not file.is_file():
        raise ConfigurationError(f"there is no file {str(file)!r}, which {FILE_VARIABLE} names")
    _check_environment(os.environ)
    try:
        return Configuration() if preset is None else Configuration(preset=preset)
    except ConfigurationError:
        raise
    except ValidationError as error:
        raise ConfigurationError("; ".join(_told(error))) from None
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"cannot read {str(file)!r}: {error}") from None
    except RecursionError:
        raise ConfigurationError(f"cannot read {str(file)!r}: it is nested too deeply") from None


def config_file() -> Path:
    """Return the file that is read, whether it is there or not."""
    return _file()


def _file() -> Path:
    from platformdirs import user_config_path

    named = os.environ.get(FILE_VARIABLE)
    return Path(named).expanduser() if named else user_config_path("habitus") / "habitus.toml"


def _names(model: type[BaseModel], before: str = "") -> Iterator[str]:
    """Yield every setting's dotted name."""
    for name, field in model.model_fields.items():
        yield before + name
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _names(field.annotation, f"{before}{name}.")


def _check_environment(environment: Mapping[str, str]) -> None:
    """Refuse variables that name no setting: a mistyped one would silently do nothing."""
    known = {name.replace(".", "__").upper(): name for name in _names(Configuration)}
    for variable in environment:
        rest = variable.removeprefix(PREFIX).upper()
        if variable.startswith(PREFIX) and variable != FILE_VARIABLE and rest not in known:
            raise ConfigurationError(f"{variable} is no setting{_meant(rest, known, PREFIX)}")


def _told(error: ValidationError) -> Iterator[str]:
    for one in error.errors():
        name = ".".join(map(str, one["loc"]))
        if one["type"] == "extra_forbidden":
            yield f"{name} is no setting{_meant(name, _names(Configuration))}"
        else:
            yield f"{name}: {one['msg'].removeprefix('Value error, ')}"


def _meant(name: str, known: Iterable[str], before: str = "") -> str:
    close = get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"; did you mean {before}{close[0]}?" if close else "; `habitus config show` lists all of them"
