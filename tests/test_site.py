"""The site of `make docs`: no warning, all that is public, nothing loaded from elsewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = {
    "agent": "habitus.agent",
    "memory": "habitus.memory",
    "retrievers": "habitus.retrievers",
    "tools": "habitus.tools",
    "evals": "habitus.evals.metrics",
}
"""By page of the reference, the package whose public names it shows."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("mkdocs", reason="the extra `docs` is not installed")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    command += ["--config-file", str(ROOT / "notebooks" / "mkdocs.yml")]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return folder


@pytest.mark.parametrize("page", PACKAGES)
def test_every_public_name_is_in_the_reference(site: Path, page: str) -> None:
    html = (site / "reference" / f"{page}.html").read_text(encoding="utf-8")
    shown = set(re.findall(r'<h\d id="([\w.]+)"', html))
    package = PACKAGES[page]
    assert {f"{package}.{name}" for name in import_module(package).__all__} <= shown


def test_pages_load_nothing_from_elsewhere(site: Path) -> None:
    pages = [page.read_text(encoding="utf-8") for page in site.rglob("*.html")]
    loaded = re.compile(
        r'<(?:script|img|iframe|source)\b[^>]*\bsrc="(?:https?:)?//|<link\b[^>]*href="(?:https?:)?//'
    )
    assert len(pages) > 5
    assert [found[0] for page in pages for found in loaded.finditer(page)] == []
    sheets = "".join(sheet.read_text(encoding="utf-8") for sheet in site.rglob("*.css"))
    assert not re.search(r"url\(\s*['\"]?(?:https?:)?//|@import", sheets)


def test_every_guide_can_be_reached() -> None:
    shown = (ROOT / "notebooks" / "mkdocs.yml").read_text(encoding="utf-8")
    guides = ROOT / "notebooks" / "guides"
    pages = [page.relative_to(guides).as_posix() for page in guides.rglob("*.md")]
    assert [page for page in pages if f": {page}\n" not in shown] == []


def test_documents_of_the_repository_are_pages_with_their_pictures(site: Path) -> None:
    home = (site / "index.html").read_text(encoding="utf-8")
    pictures = re.findall(r'<img[^>]*src="([^"]+)"', home)
    assert pictures
    assert all((site / picture).is_file() for picture in pictures if not picture.startswith("data:"))
    assert 'href="CONTRIBUTING.html"' in home
