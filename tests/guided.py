"""Runs a property test on inputs that atheris makes, guided by which branches they reach. Run as a program.

`pip install atheris`, then `python tests/guided.py MODULE TEST [OPTION OF LIBFUZZER ...]`, such as
`python tests/guided.py tests.memory.retrieval.test_timing test_what_is_no_time_stays_in_the_question
-max_total_time=300`. Only for tests that take no fixture. What fails is printed, and written to a file
`crash-*`, which as the last argument repeats it.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

_LONGEST = 4_096
"""Bytes that libFuzzer may make: Hypothesis draws the arguments of the test from them."""


def main(module: str, test: str, *options: str) -> None:
    """Run one test until it fails, or as long as the options say."""
    # By name: it is installed for this alone, and checkers of types need not know it.
    atheris: Any = import_module("atheris")
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    with atheris.instrument_imports(include=["habitus"]):
        target = getattr(import_module(module), test).hypothesis.fuzz_one_input
    atheris.Setup([sys.argv[0], f"-max_len={_LONGEST}", *options], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
