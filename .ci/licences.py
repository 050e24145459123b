"""Prints every package that habitus brings with it, with its licence, as a table in Markdown.

Fails on a licence that is not in `ALLOWED`: one that forbids commercial use or binds the programs that use
the package, or one that nobody has looked at yet. Packages not installed here are named and left out.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = Path(__file__).parents[1] / "pyproject.toml"
FOR_DEVELOPMENT = {"dev", "docs"}
ALLOWED = (
    "0BSD, Apache-2.0, Apache2.0, Apache 2.0 License, Apache License Version 2.0, Apache Software License, "
    "BSD, BSD License, BSD-2-Clause, BSD-3-Clause, 3-Clause BSD License, BSL-1.0, CC0-1.0, CNRI-Python, "
    "HPND, ISC, ISC License ISCL, LGPL-2.1-or-later, LGPL-3.0-only, LGPL-3.0-or-later, MIT, MIT-0, MIT-CMU, "
    "MIT License, MPL-2.0, Mozilla Public License 2.0 MPL 2.0, PSF-2.0, Python-2.0, "
    "Python Software Foundation License, Unlicense, The Unlicense Unlicense, Zlib, zlib/libpng"
).lower()
"""Free for commercial use, and they ask nothing of programs that use the package unchanged."""
CUDA = "nvidia proprietary software, other/proprietary license, licenseref-nvidia-proprietary"
"""Of the libraries that torch brings for GPUs: free for commercial use under NVIDIA's own terms."""
READ = {"sqlcipher3": "Zlib AND BSD-3-Clause AND Apache-2.0"}
"""Licences of packages whose metadata name none, read in their files: with SQLCipher and OpenSSL, which
sqlcipher3's wheels hold."""
_NO_EXCEPTION = re.compile(r" WITH [\w.-]+")


def licence_of(package: Distribution) -> str:
    """Return the licence that a package states, most exact statement first."""
    meta = package.metadata
    if expression := meta.get("License-Expression"):
        return expression
    said = [line for line in meta.get_all("Classifier", []) if line.startswith("License ::")]
    stated = [one for line in said if (one := line.split(" :: ")[-1]) != "OSI Approved"]
    if stated:
        return " OR ".join(stated)
    if known := READ.get(canonicalize_name(meta["Name"])):
        return known
    first = (meta.get("License") or "").strip().splitlines()
    return first[0] if first else "unknown"


def is_allowed(package: Distribution, licence: str) -> bool:
    """Tell whether every licence that must be kept is allowed; of alternatives one is enough."""
    of_cuda = package.metadata["Name"].lower().startswith(("nvidia-", "cuda-"))
    known = f"{ALLOWED}, {CUDA}".split(", ") if of_cuda else ALLOWED.split(", ")
    plain = _NO_EXCEPTION.sub("", re.sub("[(),]", "", licence)).lower()
    # Where alternatives are nested, all of them must be allowed: the safe side of reading brackets.
    alternatives = [plain.replace(" or ", " and ")] if "(" in licence else plain.split(" or ")
    return any(all(part in known for part in one.split(" and ")) for one in alternatives)


def brought_by(requirements: Iterable[str]) -> Iterator[Distribution | str]:
    """Yield the packages that some requirements bring; those that are not installed here by their name."""
    waiting = [Requirement(line) for line in requirements]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        needed = waiting.pop()
        item = canonicalize_name(needed.name), frozenset(needed.extras)
        if item in seen:
            continue
        seen.add(item)
        try:
            package = distribution(needed.name)
        except PackageNotFoundError:
            yield needed.name
            continue
        yield package
        for line in package.requires or ():
            further = Requirement(line)
            extras = (*needed.extras, "")
            if further.marker is None or any(further.marker.evaluate({"extra": one}) for one in extras):
                waiting.append(further)


def main() -> int:
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    extras = {
        name: one for name, one in project["optional-dependencies"].items() if name not in FOR_DEVELOPMENT
    }
    brought: dict[str, Distribution] = {}
    absent: set[str] = set()
    counts: list[str] = []
    for name, requirements in {"": project["dependencies"], **extras}.items():
        before = len(brought)
        for package in brought_by(requirements):
            if isinstance(package, str):
                absent.add(package)
            else:
                brought.setdefault(canonicalize_name(package.metadata["Name"]), package)
        counts.append(f"{name} {len(brought) - before} more" if name else f"{len(brought)} in all installs")
    refused: list[str] = []
    lines = ["| package | version | licence |", "| --- | --- | --- |"]
    for name, package in sorted(brought.items()):
        licence = licence_of(package)
        lines.append(f"| {name} | {package.version} | {licence} |")
        if not is_allowed(package, licence):
            refused.append(f"{name} {package.version}: {licence}")
    lines += ["", f"{len(brought)} packages: {', '.join(counts)}."]
    if absent:
        lines.append(f"Not installed here, so not looked at: {', '.join(sorted(absent))}.")
    sys.stdout.write("\n".join(lines) + "\n")
    for line in refused:
        sys.stderr.write(f"not known to be free for commercial use: {line}\n")
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
