"""Whatever stands in the file or the environment is a configuration, or is refused in words that name it."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from habitus.agent.configuration import (
    FILE_VARIABLE,
    PREFIX,
    Configuration,
    ConfigurationError,
    ServeConfiguration,
    load,
)
from habitus.agent.presets.reading import PresetError, preset, presets
from habitus.agent.settings import Settings
from tests.strategies import bounded, names, spoilt

FIELDS = [
    *Configuration.model_fields,
    *(f"settings.{name}" for name in Settings.model_fields),
    *(f"serve.{name}" for name in ServeConfiguration.model_fields),
]
SECRETS = {f"{PREFIX}{name}" for name in ("URL", "KEY", "GENERATOR_KEY")}
VALUES = st.one_of(
    st.sampled_from(["", "true", "[]", "{}", "null", "[1, 2]", '{"a": {}}', "[" * 5_000, "9" * 5_000]),
    st.sampled_from(
        ["-1", "0", "1e400", "nan", "P1D", "cards", '["cards"]', "best-of-n", "\x00", "http://x:1"]
    ),
    st.sampled_from(["9" * 30, "P999999999999D", "~", "~nobody/x", "openai:x", "postgresql://u:secret@h/d"]),
    st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=12),
)
WHOLE = b"""
generator = "openai:x"
preset = "rlhf"
[settings]
context_tokens = 3000
idle_gap = 60
masking = ["cards"]
demonstrations = [{request = "a", reply = "b"}]
price = {input = 1.0, output = 2.0}
[serve]
port = 9
cors = ["http://localhost"]
"""


def read(file: bytes, environment: dict[str, str]) -> Configuration | str:
    """Return what is read of a file and the environment, or what is wrong with them."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "habitus.toml"
        path.write_bytes(file)
        clean = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        with patch.dict(os.environ, {**clean, FILE_VARIABLE: str(path), **environment}, clear=True):
            try:
                return load()
            except ConfigurationError as error:
                return str(error)


@given(
    values=st.dictionaries(
        st.sampled_from(FIELDS).map(lambda name: PREFIX + name.replace(".", "__").upper()), VALUES, max_size=3
    )
)
@bounded(40)
def test_the_environment_is_read_or_the_variable_is_named(values: dict[str, str]) -> None:
    values = {name: value.replace("\x00", "") for name, value in values.items()}
    open_ones = [value for name, value in values.items() if name not in SECRETS]
    may_be_told = any("secret" in value for value in open_ones)
    found = read(b"", values)
    if isinstance(found, str):
        said = found.lower().replace("__", ".")
        told = [name.removeprefix(PREFIX).lower().replace("__", ".") for name in values]
        assert any(part in said for name in told for part in (name, name.partition(".")[0])), found
        assert may_be_told or "secret" not in found
    else:
        assert may_be_told or "secret" not in repr(found)
        found.shown()


@given(file=st.one_of(spoilt(WHOLE), st.binary(max_size=60)))
@bounded(40)
def test_a_file_is_read_or_refused(file: bytes) -> None:
    found = read(file, {})
    assert isinstance(found, Configuration) or found.strip()


@pytest.mark.parametrize("file", [b"a = " + b"[" * 100_000, b"a = " + b"{b=" * 50_000])
def test_a_file_of_endless_nesting_is_refused(file: bytes) -> None:
    assert "habitus.toml" in str(read(file, {}))


@given(name=st.sampled_from(FIELDS), value=st.one_of(st.integers(), st.booleans(), st.floats(), names()))
@bounded(40)
def test_a_setting_of_another_kind_is_named(name: str, value: Any) -> None:
    table, _, field = name.rpartition(".")
    shown = str(value).lower() if not isinstance(value, str) else '"' + "".join(map(_escaped, value)) + '"'
    file = f"[{table}]\n{field} = {shown}\n" if table else f"{field} = {shown}\n"
    found = read(file.encode("utf-8", "surrogatepass"), {})
    if isinstance(found, str):
        assert field in found or "cannot read" in found or "preset" in found


def _escaped(letter: str) -> str:
    return letter if letter.isalnum() and letter.isascii() else f"\\U{ord(letter):08x}"


@given(name=names() | st.sampled_from([one.name for one in presets()]))
@bounded(20)
def test_a_preset_is_one_of_those_there_are(name: str) -> None:
    try:
        found = preset(name)
    except PresetError as error:
        assert "habitus presets" in str(error) or "did you mean" in str(error)
        return
    assert found.name == name
    Settings.preset(name)
