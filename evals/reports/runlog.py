"""What a run leaves in its folder: `manifest.json`, and `run.jsonl` with one line per question.

A line is on disk before the next question begins, so an interrupted run loses at most the question it
was at. `run.jsonl` is also what LongMemEval's own scripts read (`question_id`, `hypothesis`).
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import platform
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any, Generic, Self

from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from habitus.agent.prompting.budgets import Cut
from habitus.evals.harness.records import Failed, R, Result
from habitus.evals.harness.shards import Shard, run_folder, shard_folders
from habitus.evals.reports.reading import parsed

RUN_FILE = "run.jsonl"
PACKAGES = (
    "habitus",
    "chromadb",
    "langgraph",
    "numpy",
    "onnxruntime",
    "rank-bm25",
    "tantivy",
    "tokenizers",
    "torch",
    "transformers",
)


_MAX_SHOWN_CHARS = 200
"""Of a value in a message."""


class RunLogError(RuntimeError):
    """The output folder cannot be used for this run; the message says what to do."""


class PackedContext(BaseModel):
    """What was packed into the prompt at one budget."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    turn_ids: tuple[str, ...]
    texts: tuple[str, ...]
    n_tokens: int


class Finished(Result):
    """What the system under test did with one question, in official ids."""

    recalled: bool = True
    """The agent tells what it found; otherwise only its reply can be scored."""
    routes: tuple[str, ...] = ()
    ranked_session_ids: tuple[str, ...] = ()
    ranked_turn_ids: tuple[str, ...] = ()
    """`<session_id>_<1-based index of the turn>`, both roles."""
    context_turn_ids: tuple[str, ...] = ()
    """The turns packed into the prompt, in the order of the prompt."""
    context_texts: tuple[str, ...] = ()
    """Their words as packed, which may be cut."""
    context_tokens: int = 0
    latency_ms: dict[str, float]
    hypothesis: str | None = None
    """The reply, where the run asks for one."""
    cut: tuple[Cut, ...] = ()
    """What was left out of the prompt."""
    other_contexts: dict[int, PackedContext] | None = None
    """The context at further budgets, by budget, where the run asks for them."""


class Manifest(BaseModel):
    """What has to be the same for two results to belong to one run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    benchmark: str
    started_at: datetime
    data_file: str
    data_sha256: str
    settings: dict[str, Any]
    encoder: str
    """Fingerprint of the vector space."""
    git_revision: str | None
    """Of the code, if it runs from a checkout; ends in `-dirty` if it was changed since."""
    versions: dict[str, str]
    prompts: dict[str, str] = Field(default_factory=dict)
    """What models were asked, by name, where it is not the agent's own business."""

    def differences(self, other: Manifest) -> list[str]:
        """Name each entry that differs, with both values; the date and the file's name may differ."""
        mine, theirs = (_flat(manifest.model_dump(mode="json")) for manifest in (self, other))
        return [
            f"{name} was {_shown(mine.get(name))}, is {_shown(theirs.get(name))}"
            for name in sorted(mine | theirs)
            if mine.get(name) != theirs.get(name) and name not in ("started_at", "data_file")
        ]


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _MAX_SHOWN_CHARS else f"{text[:_MAX_SHOWN_CHARS]}..."


def describe_run(
    benchmark: str,
    data: Path,
    encoder: str,
    settings: Mapping[str, Any],
    prompts: Mapping[str, str] | None = None,
) -> Manifest:
    """Return the manifest of a run that starts now."""
    with data.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return Manifest(
        benchmark=benchmark,
        started_at=datetime.now(UTC),
        data_file=data.name,
        data_sha256=sha256,
        settings=dict(settings),
        encoder=encoder,
        git_revision=git_revision(Path(__file__).resolve()),
        versions={"python": platform.python_version(), **_versions()},
        prompts=dict(prompts or {}),
    )


def git_revision(source: Path) -> str | None:
    """Return the commit that a source file is at, None if it is not in a checkout or git is not installed."""

    def git(*arguments: str) -> str | None:
        command = ["git", "-C", str(source.parent), *arguments]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError:
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    # An installed copy can lie inside somebody else's repository, whose commit says nothing about it.
    if git("ls-files", "--error-unmatch", source.name) is None:
        return None
    commit = git("rev-parse", "HEAD")
    changed = git("status", "--porcelain", "--untracked-files=no")
    return f"{commit}-dirty" if commit and changed else commit


class RunLog(Generic[R]):
    """The record of a run in a folder of its own; a context manager that keeps other runs out of the folder.

    Opening a folder that holds an earlier part of the same run takes it up: finished questions are kept,
    failed ones and a line that was cut off are dropped, to be done again. What shards of the run have
    finished below the folder is taken up as well. Safe to use from several threads.

    Args:
        out: made if it does not exist.
        manifest: of this run.
        kind: of the results.
        shard: write to the folder of this shard below `out`.

    Raises:
        RunLogError: the folder belongs to a run with another manifest or to a running process, cannot
            be written, or holds a file that this program did not write.
    """

    def __init__(self, out: Path, manifest: Manifest, kind: type[R], shard: Shard | None = None) -> None:
        self.folder = folder = run_folder(out, shard)
        self._path = folder / RUN_FILE
        self._kind = kind
        self._writing = Lock()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = FileLock(folder / ".lock")
            self._lock.acquire(timeout=0)
        except Timeout:
            raise RunLogError(
                f"another run is writing to {str(folder)!r}; wait for it or give another --out"
            ) from None
        except OSError as error:
            raise RunLogError(
                f"cannot write to {str(folder)!r}: {error.strerror}; give another --out"
            ) from None
        try:
            self.manifest = self._take_up(manifest)
            self._offsets = self._compact()
            # Unbuffered: what a full disk refused must not be tried again by closing the file.
            self._file = self._path.open("ab", buffering=0)
        except BaseException:
            self._lock.release()
            raise
        try:
            for one in shard_folders(out) if shard is None else ():
                self._adopt(one)
        except BaseException:
            self.__exit__(None, None, None)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        self._lock.release()

    @property
    def n_finished(self) -> int:
        """Number of questions with a result on disk."""
        return len(self._offsets)

    def get(self, question_id: str) -> R | None:
        """Return the result of a question, None if it has none yet."""
        offset = self._offsets.get(question_id)
        if offset is None:
            return None
        with self._path.open("rb") as file:
            file.seek(offset)
            return self._kind.model_validate_json(file.readline())

    def append(self, line: Result) -> None:
        """Write a line, a result or a failure, and wait until it is on disk.

        Raises:
            RunLogError: it could not be written; the lines before it are safe.
        """
        # ASCII only: an error message may quote a text that is not valid Unicode.
        content = json.dumps(line.model_dump(exclude_none=True, mode="json")).encode() + b"\n"
        with self._writing:
            offset = self._file.tell()
            self._write(content)
            if not isinstance(line, Failed):
                self._offsets[line.question_id] = offset

    def _write(self, content: bytes) -> None:
        try:
            rest = memoryview(content)
            while rest:
                rest = rest[self._file.write(rest) :]
            os.fsync(self._file.fileno())
        except OSError as error:
            raise RunLogError(
                f"cannot write {str(self._path)!r}: {error.strerror}; make room, then run the same command "
                "again: finished questions are kept"
            ) from error

    def _adopt(self, folder: Path) -> None:
        """Take up what a shard has finished."""
        with RunLog(folder, self.manifest, self._kind, None) as shard:
            for question_id in shard._offsets:
                result = None if question_id in self._offsets else shard.get(question_id)
                if result is not None:
                    self.append(result)

    def _take_up(self, manifest: Manifest) -> Manifest:
        path = self.folder / "manifest.json"
        if not path.exists():
            if self._path.exists():
                raise RunLogError(
                    f"{str(self.folder)!r} holds a run.jsonl without a manifest.json; give another --out"
                )
            _replace(path, manifest.model_dump_json(indent=2).encode() + b"\n")
            return manifest
        try:
            earlier = Manifest.model_validate_json(path.read_bytes())
        except ValidationError:
            raise RunLogError(f"{str(path)!r} is not the manifest of a run; give another --out") from None
        differences = earlier.differences(manifest)
        if differences:
            raise RunLogError(
                f"{str(self.folder)!r} holds a run with other settings ({'; '.join(differences)}); "
                "give another --out, or delete that folder to start again"
            )
        return earlier

    def _compact(self) -> dict[str, int]:
        """Rewrite the file with the finished questions only; return where each line begins."""
        if not self._path.exists():
            return {}
        offsets: dict[str, int] = {}
        part = self._path.with_suffix(".part")
        with self._path.open("rb") as old, part.open("wb") as new:
            for number, line in enumerate(old, start=1):
                if not line.endswith(b"\n"):
                    break
                question_id = self._finished_id(line, number)
                if question_id is not None:
                    offsets[question_id] = new.tell()
                    new.write(line)
            new.flush()
            os.fsync(new.fileno())
        os.replace(part, self._path)
        return offsets

    def _finished_id(self, line: bytes, number: int) -> str | None:
        try:
            return None if "error" in parsed(line) else self._kind.model_validate_json(line).question_id
        except ValueError:
            raise RunLogError(
                f"line {number} of {str(self._path)!r} is damaged; remove that line to do its question again"
            ) from None


def _replace(path: Path, content: bytes) -> None:
    """Write a file so that a crash leaves the old one or the new one, never half of one."""
    part = path.with_suffix(".part")
    part.write_bytes(content)
    os.replace(part, path)


def _versions() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return flat
