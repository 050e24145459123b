"""Files of every benchmark, damaged anyhow: read, or refused with the file's name; never another error."""

from __future__ import annotations

import dataclasses
import gzip
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from habitus.evals.benchmarks.beam import read_beam
from habitus.evals.benchmarks.lamp import lamp_cases, read_lamp
from habitus.evals.benchmarks.longlamp import read_longlamp
from habitus.evals.benchmarks.perltqa import read_perltqa
from habitus.evals.benchmarks.personamem import read_personamem
from habitus.evals.locomo.files import read_locomo
from habitus.evals.longmemeval.files import DatasetError, SampleReader
from habitus.evals.prefeval.files import read_prefeval
from tests.evals.benchmarks.test_lamp import outputs, question
from tests.evals.benchmarks.test_loaders import ROW, beam, longlamp, perltqa, personamem
from tests.evals.conftest import make_record
from tests.evals.locomo.test_run import RECORD as LOCOMO
from tests.evals.prefeval.test_run import TASTES, forms
from tests.strategies import bounded, damaged, spoilt


def _longmemeval(path: Path) -> list[Any]:
    with SampleReader(path) as reader:
        return list(reader)


def _prefeval(folder: Path) -> None:
    for form, content in forms(*TASTES["boats"][0]).items():
        (folder / form).mkdir(parents=True)
        (folder / form / "boats.json").write_text(json.dumps([content]))


def _zipped(path: Path) -> None:
    path.write_bytes(gzip.compress(json.dumps([make_record()]).encode()))


def _lamp(folder: Path) -> None:
    (folder / "q.json").write_text(json.dumps([question(3), question(3, "2")]))
    (folder / "o.json").write_text(json.dumps(outputs(3, "1", "2")))


MAKE_AND_READ: dict[str, tuple[Callable[[Path], Any], Callable[[Path], Any]]] = {
    "longmemeval": (
        lambda at: (at / "data.json").write_text(json.dumps([make_record(), make_record(question_id="q2")])),
        lambda at: _longmemeval(at / "data.json"),
    ),
    "longmemeval, gzip": (
        lambda at: _zipped(at / "data.json.gz"),
        lambda at: _longmemeval(at / "data.json.gz"),
    ),
    "locomo": (
        lambda at: (at / "locomo.json").write_text(json.dumps([LOCOMO])),
        lambda at: read_locomo(at / "locomo.json"),
    ),
    "prefeval": (_prefeval, read_prefeval),
    "personamem": (
        lambda at: personamem(at, ROW),
        lambda at: read_personamem(at / "questions_32k.csv", at / "shared_contexts_32k.jsonl"),
    ),
    "perltqa": (perltqa, lambda at: read_perltqa(at / "mem.json", at / "qa.json")),
    "beam": (beam, lambda at: read_beam([at / "100K" / "7"])),
    "lamp": (_lamp, lambda at: lamp_cases(3, read_lamp(3, at / "q.json", at / "o.json"))),
    "longlamp": (
        lambda at: (at / "long.jsonl").write_text(json.dumps(longlamp("topic_writing")) + "\n"),
        lambda at: read_longlamp("topic_writing", at / "long.jsonl"),
    ),
}


@pytest.fixture(scope="module", params=MAKE_AND_READ)
def benchmark(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """A folder of whole files, and what reads it."""
    make, read = MAKE_AND_READ[request.param]
    folder = tmp_path_factory.mktemp("whole")
    make(folder)
    assert read(folder)
    return folder, read


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def texts(value: Any) -> Iterator[str]:
    """Yield every text within what was read."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from texts([*value.keys(), *value.values()])
    elif isinstance(value, list | tuple | set | frozenset):
        for one in value:
            yield from texts(one)
    elif isinstance(value, BaseModel):
        yield from texts(value.model_dump())
    elif dataclasses.is_dataclass(value):
        yield from texts([getattr(value, field.name) for field in dataclasses.fields(value)])


def _other(draw: Callable[[Any], Any], path: Path) -> bytes:
    """Return other content for a file: other parts, where it is JSON, or other bytes."""
    content = path.read_bytes()
    is_zipped = path.suffix == ".gz"
    if path.suffix != ".csv" and draw(st.booleans()):
        lines = [gzip.decompress(content)] if is_zipped else content.splitlines()
        changed = [json.dumps(draw(damaged(json.loads(line)))).encode() for line in lines]
        return gzip.compress(changed[0]) if is_zipped else b"\n".join(changed)
    return bytes(draw(spoilt(content)))


@given(data=st.data())
@bounded(20)
def test_a_damaged_file_is_read_or_named(benchmark: tuple[Path, Any], data: st.DataObject) -> None:
    whole, read = benchmark
    with TemporaryDirectory() as copy:
        folder = Path(copy) / "made"
        shutil.copytree(whole, folder)
        path = data.draw(st.sampled_from(files(folder)), label="file")
        path.write_bytes(_other(data.draw, path))
        try:
            found = read(folder)
        except DatasetError as error:
            assert any(one.name in str(error) for one in files(folder)), error
            return
        for text in texts(found):
            text.encode()
