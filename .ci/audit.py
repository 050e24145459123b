"""Looks the pinned versions up in databases of known vulnerabilities: OSV, else PyPI's own.

pip-audit does it, from an environment of its own. Exit code 0: every package was looked up and none has a
known vulnerability; 1: some have, and are listed; 3: some could not be looked up, so nothing is known of it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
TOOLS = ROOT / "build" / "audit"
SERVICES = ("osv", "pypi")


def looked_up(service: str) -> list[Any] | None:
    """Return pip-audit's answer on every package; None if the database could not be asked."""
    command = [
        TOOLS / "bin" / "pip-audit",
        "--requirement",
        ROOT / "constraints.txt",
        "--no-deps",
        "--disable-pip",
    ]
    command += ["--vulnerability-service", service, "--format", "json", "--progress-spinner", "off"]
    done = subprocess.run(command, capture_output=True, text=True)
    try:
        # A package that the database does not know is skipped: an index without it must not pass for clean.
        found: list[Any] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        last = done.stderr.strip().splitlines()[-1:] or ["no answer"]
        sys.stderr.write(f"{service}: {last[0]}\n")
        return None
    return found


def main() -> int:
    if not (TOOLS / "bin" / "pip-audit").exists():
        venv.create(TOOLS, with_pip=True)
        install = [TOOLS / "bin" / "python", "-m", "pip", "install", "--quiet", "pip-audit==2.10.1"]
        subprocess.run(install, check=True)
    for service in SERVICES:
        packages = looked_up(service)
        if packages is None:
            continue
        known = [one for one in packages if "vulns" in one]
        for one in known:
            for hole in one["vulns"]:
                mended = ", ".join(hole["fix_versions"]) or "no version yet"
                sys.stdout.write(f"{one['name']} {one['version']}: {hole['id']}, mended in {mended}\n")
        sys.stdout.write(f"{service}: {len(known)} of {len(packages)} packages could be looked up\n")
        if any(one["vulns"] for one in known):
            return 1
        if len(known) == len(packages):
            return 0
    sys.stderr.write(
        "not audited: no database of vulnerabilities knows all packages here; run it elsewhere\n"
    )
    return 3


if __name__ == "__main__":
    sys.exit(main())
