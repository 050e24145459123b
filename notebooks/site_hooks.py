"""MkDocs hooks: the documents in the root of the repository are pages of the site, too.

Nothing is copied by hand: README, CHANGELOG and CONTRIBUTING are read where they stand, with the pictures
and files that they link to. Links between them and the guides are written as they work in the repository.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

_ROOT = Path(__file__).parents[1]
_PAGES = {
    "README.md": "index.md",
    "evals/RESULTS.md": "evals/RESULTS.md",
    "CHANGELOG.md": "CHANGELOG.md",
    "CONTRIBUTING.md": "CONTRIBUTING.md",
}
"""By document, the page that it becomes."""
_GUIDES = "notebooks/guides/"
_LINK = re.compile(r"\]\(([\w/.-]+)(?:#[\w-]*)?\)")


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the documents, and what they link to in the repository."""
    linked: set[str] = set()
    for document, page in _PAGES.items():
        text = (_ROOT / document).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=text))
        beside = Path(document).parent
        found = {(beside / one).as_posix() for one in _LINK.findall(text)}
        linked |= {one for one in found if one not in _PAGES and not one.startswith(_GUIDES)}
    for one in sorted(linked):
        if (_ROOT / one).is_file():
            files.append(File.generated(config, one, abs_src_path=str(_ROOT / one)))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Turn links to the documents, as they are written in the repository, into links to their pages."""
    for document, page in _PAGES.items():
        markdown = re.sub(rf"\]\((?:\.\./)*{re.escape(document)}(#[\w-]*)?\)", rf"]({page}\1)", markdown)
    return markdown.replace(f"]({_GUIDES}", "](")
