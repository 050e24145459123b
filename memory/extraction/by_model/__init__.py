"""Reading a turn with a chat model: what it notes is checked against the user's own words.

`read_turn` asks, `words` finds what is quoted, `checking` turns answers into records or drops them.
The result stands beside that of the rules, see `habitus.memory.extraction.second_reading`.
"""

from __future__ import annotations

from habitus.memory.extraction.by_model.reading import ModelReading, read_turn

__all__ = ["ModelReading", "read_turn"]
