"""The report of a finished run as an object: its figures to look up, its page in the cell of a notebook."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, Self

_FRAME = "width:100%;height:38em;border:1px solid rgba(128,128,128,.4);border-radius:6px"


class Report(Mapping[str, Any]):
    """What a command left in its folder, as `report.json` has it; a notebook shows it as one page with plots.

    Args:
        content: of `report.json`.
        page: the whole page as HTML.
    """

    def __init__(self, content: Mapping[str, Any], page: str) -> None:
        self._content, self.page = content, page

    @classmethod
    def read(
        cls,
        folder: str | Path,
        data: str | Path | None = None,
        *,
        beside: Sequence[str | Path] = (),
        n_worst: int = 10,
    ) -> Self:
        """Read the report of a finished run of any evaluation command.

        Args:
            folder: of the run.
            data: the data file of a LongMemEval run; without it its worst questions are shown by id alone.
            beside: PrefEval: further runs, drawn as lines of the same plot.
            n_worst: how many of the worst questions the page shows.

        Raises:
            UsageError: the folder holds no report, or a damaged one.
            DatasetError: the data file cannot be used.
        """
        from habitus.evals.adherence.page import adherence_page, holds_task
        from habitus.evals.adherence.page import read_report as read_task
        from habitus.evals.reports.html import make_page, read_report

        run = Path(folder)
        if holds_task(run):
            tasks = [read_task(Path(one)) for one in (run, *beside)]
            return cls(tasks[0], adherence_page(tasks[0], tasks[1:]))
        return cls(read_report(run), make_page(run, Path(data) if data else None, n_worst=n_worst))

    def __getitem__(self, name: str) -> Any:
        return self._content[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._content)

    def __len__(self) -> int:
        return len(self._content)

    def __repr__(self) -> str:
        return f"<Report of {self._content.get('benchmark', 'a run')}: {', '.join(self)}>"

    def _repr_html_(self) -> str:
        # A frame keeps the page's styles from those of the notebook.
        return f'<iframe title="report" style="{_FRAME}" srcdoc="{escape(self.page)}"></iframe>'
