"""Arrays keep what they are given, however large they become."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from habitus.memory.index.growing import Growing


@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.bool_, object])
@pytest.mark.parametrize("width", [None, 48])
def test_rows_stay_as_they_were_appended(dtype: type, width: int | None) -> None:
    growing = Growing(dtype, width)
    rows: npt.NDArray[Any] = (
        np.arange(3_000 * (width or 1)).reshape(3_000, *([width] if width else [])).astype(dtype)
    )
    for begin in range(0, len(rows), 100):
        growing.append(rows[begin : begin + 100])
        assert np.array_equal(growing.view, rows[: begin + 100])
    assert growing.nbytes >= rows.nbytes
    growing.view[0] = rows[1]
    assert np.array_equal(growing.view[0], rows[1])


FORKS = """
import os
import numpy as np
from habitus.memory.index.growing import Growing
growing = Growing(np.float32, 384)
growing.append(np.ones((1_000, 384), dtype=np.float32))
if (child := os.fork()) == 0:
    growing.view[:] = 2.0
    os._exit(0)
os.waitpid(child, 0)
raise SystemExit(0 if (growing.view == 1.0).all() else "the fork wrote into ours")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
def test_what_a_fork_writes_is_its_own() -> None:
    subprocess.run([sys.executable, "-c", FORKS], check=True)
