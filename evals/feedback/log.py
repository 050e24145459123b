"""What `habitus eval feedback` leaves in its folder as it goes: a manifest, and a line of costs a user."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field

from habitus.evals.harness.records import Score
from habitus.evals.reports.reading import parsed
from habitus.evals.reports.runlog import Manifest, RunLogError


class _Line(BaseModel):
    arm: str
    user: str
    costs: list[Annotated[float, Field(allow_inf_nan=False)]] = Field(min_length=1)


class CostLog:
    """The costs of each user and arm, round by round; a line is on disk before the next user begins.

    Opening a folder that holds an earlier part of the same run takes it up: what is there is kept, a line
    that was cut off is dropped.

    Args:
        folder: made if it does not exist.
        manifest: of this run.

    Raises:
        RunLogError: the folder belongs to a run with other settings, or holds a damaged line.
    """

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self._path = folder / "run.jsonl"
        folder.mkdir(parents=True, exist_ok=True)
        self.manifest = _taken_up(folder / "manifest.json", manifest)
        self.costs: dict[tuple[str, str], list[float]] = {}
        whole = self._path.read_bytes() if self._path.exists() else b""
        whole = whole[: whole.rfind(b"\n") + 1]
        for number, line in enumerate(whole.splitlines(), start=1):
            arm, user, costs = self._parsed(line, number)
            self.costs[arm, user] = costs
        self._path.write_bytes(whole)

    def append(self, arm: str, user_id: str, costs: Sequence[float]) -> None:
        """Write the costs of one user under one arm, and wait until they are on disk."""
        self.costs[arm, user_id] = list(costs)
        line = json.dumps({"arm": arm, "user": user_id, "costs": list(costs)})
        with self._path.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")
            file.flush()
            os.fsync(file.fileno())

    def scores(self) -> list[Score]:
        """Return the costs as scores, for `habitus eval compare`: a user is a sample, an arm a view."""
        by_user: dict[str, dict[str, dict[str, float]]] = defaultdict(dict)
        for (arm, user), costs in self.costs.items():
            rounds = {f"cost@{number}": cost for number, cost in enumerate(costs, start=1)}
            by_user[user][arm] = {"cost": sum(costs) / len(costs), **rounds}
        return [Score(question_id=user, question_type="user", views=views) for user, views in by_user.items()]

    def _parsed(self, line: bytes, number: int) -> tuple[str, str, list[float]]:
        try:
            told = _Line.model_validate(parsed(line))
            return told.arm, told.user, told.costs
        except ValueError:
            raise RunLogError(
                f"line {number} of {str(self._path)!r} is damaged; remove that line to measure its user again"
            ) from None


def _taken_up(path: Path, manifest: Manifest) -> Manifest:
    if not path.exists():
        path.write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")
        return manifest
    try:
        earlier = Manifest.model_validate_json(path.read_bytes())
    except ValueError:
        raise RunLogError(f"{str(path)!r} is not the manifest of a run; give another --out") from None
    differences = earlier.differences(manifest)
    if differences:
        raise RunLogError(
            f"{str(path.parent)!r} holds a run with other settings ({'; '.join(differences)}); "
            "give another --out, or delete that folder to start again"
        )
    return earlier
