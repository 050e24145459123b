"""Build hook: makes `habitus.<folder>` importable from an editable install.

The folders stand at the top of the repository but are installed under one name, `habitus`. A wheel gets
that from `[tool.hatch.build.targets.wheel.sources]`; an editable install needs a folder on disk that
looks the same, so one of links is made under `build/editable`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FOLDERS = ("agent", "evals", "memory", "retrievers", "tools")


class EditableLinks(BuildHookInterface[Any]):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version != "editable":
            return
        package = Path(self.root, "build", "editable", "habitus")
        package.mkdir(parents=True, exist_ok=True)
        for folder in FOLDERS:
            link = package / folder
            if not link.is_symlink():
                link.symlink_to(Path("..", "..", "..", folder), target_is_directory=True)
