"""Files of benchmarks, read so that whatever is wrong is named by file, place and field."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from habitus.evals.benchmarks.cases import Source
from habitus.evals.longmemeval.files import DatasetError
from habitus.evals.longmemeval.json_array import check_text


def read_json(path: Path, source: Source) -> Any:
    """Read a JSON file.

    Raises:
        DatasetError: it cannot be read, or is not JSON; the line is named.
    """
    return decoded(_text(path, source), path.name)


def read_jsonl(path: Path, source: Source) -> Iterator[tuple[str, Any]]:
    """Yield each line of a JSONL file with the name of its place; blank lines are skipped.

    Raises:
        DatasetError: it cannot be read, or a line is not JSON.
    """
    # Not splitlines(): JSON strings may hold what else ends a line in Unicode.
    for number, line in enumerate(_text(path, source).split("\n"), 1):
        if line.strip():
            yield f"{path.name}, line {number}", decoded(line, path.name, number)


def read_csv(path: Path, source: Source, columns: tuple[str, ...]) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield each row of a CSV file with the name of its place.

    Raises:
        DatasetError: it cannot be read, lacks one of the columns, or a row is cut off.
    """
    reader = csv.DictReader(io.StringIO(_text(path, source), newline=""), strict=True)
    try:
        lost = [name for name in columns if name not in (reader.fieldnames or ())]
        if lost:
            raise DatasetError(f"{path.name} is not {source.name}: it has no column `{lost[0]}`")
        for row in reader:
            where = f"{path.name}, line {reader.line_num}"
            for name in columns:
                if row[name] is None:
                    raise DatasetError(f"{where} is cut off: there is no `{name}`")
            yield where, {name: row[name] for name in columns}
    except csv.Error as error:
        raise DatasetError(f"{path.name}, line {reader.line_num} is not CSV: {error}") from None


@dataclass(frozen=True, slots=True)
class Place:
    """A JSON value and where it stands; going down from it checks what is there.

    Attributes:
        value: of any type.
        name: file, record and fields, for messages.
        source: whose format it should have.
    """

    value: Any
    name: str
    source: Source

    def field(self, name: str) -> Place:
        """Go to a field of an object."""
        if not isinstance(self.value, dict) or name not in self.value:
            raise self.error(f"has no field `{name}`")
        return Place(self.value[name], f"{self.name}, `{name}`", self.source)

    def get(self, name: str) -> Place | None:
        """Go to a field that need not be there."""
        return self.field(name) if isinstance(self.value, dict) and name in self.value else None

    def fields(self) -> Iterator[tuple[str, Place]]:
        """Go to every field of an object."""
        if not isinstance(self.value, dict):
            raise self.error("is no object")
        for name in self.value:
            yield name, self.field(name)

    def items(self) -> Iterator[Place]:
        """Go to every item of an array."""
        if not isinstance(self.value, list):
            raise self.error("is no array")
        for number, item in enumerate(self.value, 1):
            yield Place(item, f"{self.name}, item {number}", self.source)

    def text(self) -> str:
        """Return a string that is not blank."""
        if not isinstance(self.value, str) or not self.value.strip():
            raise self.error("is no text" if not isinstance(self.value, str) else "is blank")
        return self.value.replace("\x00", " ")

    def number(self) -> int:
        """Return a whole number."""
        if not isinstance(self.value, int) or isinstance(self.value, bool):
            raise self.error("is no whole number")
        return self.value

    def error(self, problem: str) -> DatasetError:
        return DatasetError(f"{self.name} {problem}; that is not {self.source.name}")


def place(value: Any, name: str, source: Source) -> Place:
    """Return the outermost place of a file or a line."""
    return Place(value, name, source)


def checked_ids(names: Mapping[str, object] | list[str], source: Source, path: Path) -> None:
    """Raise `DatasetError` if an id occurs twice."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise DatasetError(f"{path.name} is not {source.name}: the id {name!r} occurs twice")
        seen.add(name)


def _text(path: Path, source: Source) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise DatasetError(f"no such file: {str(path)!r}; {source.name} is at {source.url}") from None
    except OSError as error:
        raise DatasetError(f"cannot read {str(path)!r}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path.name} is not UTF-8: {error.reason} at byte {error.start}") from None


def decoded(text: str, name: str, first: int = 1) -> Any:
    """Return what a JSON text holds.

    Args:
        text: of a file, or a line of it.
        name: of the file.
        first: the line that the text begins at.

    Raises:
        DatasetError: it is not JSON, or holds what cannot be read or is no text; the line is named.
    """
    try:
        value = json.loads(text)
        check_text(value)
    except json.JSONDecodeError as error:
        raise DatasetError(f"{name}, line {first + error.lineno - 1} is not JSON: {error.msg}") from None
    except RecursionError:
        raise DatasetError(f"{name}, line {first} is nested too deeply") from None
    except ValueError as error:
        raise DatasetError(f"{name}, line {first} cannot be read: {error}") from None
    return value


@contextmanager
def storable(where: str) -> Iterator[None]:
    """Name the place of what memory refuses, such as an id of 300 characters.

    Raises:
        DatasetError: in place of pydantic's error.
    """
    try:
        yield
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        name = ".".join(map(str, problem["loc"]))
        raise DatasetError(f"{where} cannot be stored: {name}: {problem['msg']}") from None
