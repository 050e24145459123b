"""The curve of learning from feedback: as text, and as a PNG where matplotlib is installed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_MARKS = "ox+*#@"
_TOP = 1.2


def text_curve(lines: Mapping[str, Sequence[float]], *, height: int = 12) -> str:
    """Draw ratios of 0 to 1.2 by round, a column of three characters each, one mark for each line."""
    n = max((len(line) for line in lines.values()), default=0)
    grid = [[" "] * (3 * n) for _ in range(height + 1)]
    for mark, line in zip(_MARKS * len(lines), lines.values(), strict=False):
        for place, ratio in enumerate(line):
            row = height - round(min(ratio, _TOP) / _TOP * height)
            grid[row][3 * place + 1] = mark
    labels = [f"{_TOP * (height - row) / height:4.1f} |" for row in range(height + 1)]
    drawn = [label + "".join(row).rstrip() for label, row in zip(labels, grid, strict=True)]
    axis = "     +" + "-" * (3 * n)
    rounds = "      " + "".join(f"{number:^3}" for number in range(1, n + 1)) + " round"
    names = [f"      {mark} {name}" for mark, name in zip(_MARKS * len(lines), lines, strict=False)]
    return "\n".join([*drawn, axis, rounds, *names])


def png_curve(lines: Mapping[str, Sequence[float]], path: Path) -> bool:
    """Draw the same into a PNG; False if matplotlib is not installed."""
    import importlib

    try:
        figures: Any = importlib.import_module("matplotlib.figure")
    except ImportError:
        return False
    figure = figures.Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.add_subplot()
    for name, line in lines.items():
        axes.plot(range(1, len(line) + 1), line, marker="o", label=name)
    axes.axhline(0.25, linestyle="--", color="grey", label="0.25")
    axes.set_xlabel("round")
    axes.set_ylabel("edit distance, of that without feedback")
    axes.set_ylim(bottom=0)
    axes.legend()
    figure.savefig(path, dpi=150)
    return True
