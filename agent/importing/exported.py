"""What `habitus memory export` and `Agent.export` wrote, read again."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from habitus.agent.importing.reading import FileFormatError, load_json
from habitus.memory.records import Exported

_MARKS = frozenset({"user_id", "sessions", "turns", "preferences", "facts", "personas"})


def read_export(path: Path) -> Exported | None:
    """Return the export in a file, None if the file is something else.

    Raises:
        FileFormatError: the file cannot be read, or is an export that was changed so that it does not hold.
    """
    if path.suffix != ".json":
        return None
    content = load_json(path)
    if not isinstance(content, dict) or not _MARKS <= content.keys():
        return None
    try:
        return Exported.model_validate(content)
    except ValidationError as error:
        wrong = error.errors()[0]
        place = ".".join(map(str, wrong["loc"]))
        raise FileFormatError(
            f"{path.name!r} is no export as habitus writes them: {place}: {wrong['msg']}"
        ) from None
