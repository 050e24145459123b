"""Times of many calls, by the clock and by the processor.

The processor's time is that of the whole process: on a machine with other work it says what a call costs,
where the clock also says how long it had to wait.
"""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter, process_time
from typing import TypeVar

import numpy as np

T = TypeVar("T")


@dataclass
class Times:
    """Milliseconds of calls.

    Attributes:
        wall: by the clock.
        cpu: of all threads of the process.
    """

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def measure(self, call: Callable[[], T]) -> T:
        """Call, and add what it took."""
        wall, cpu = perf_counter(), process_time()
        result = call()
        self.cpu.append((process_time() - cpu) * 1e3)
        self.wall.append((perf_counter() - wall) * 1e3)
        return result

    def summary(self) -> dict[str, float]:
        """Return n, and mean, median and 95th percentile of both; n alone if nothing was measured."""
        if not self.wall:
            return {"n": 0}
        found: dict[str, float] = {"n": len(self.wall)}
        for name, values in (("wall", self.wall), ("cpu", self.cpu)):
            found[f"{name}_mean"] = round(float(np.mean(values)), 3)
            for rank in (50, 95):
                found[f"{name}_p{rank}"] = round(float(np.percentile(values, rank)), 3)
        return found


def measured(calls: Iterable[Callable[[], object]]) -> dict[str, float]:
    """Call one after the other and summarise the times."""
    times = Times()
    for call in calls:
        times.measure(call)
    return times.summary()


def resident_mb() -> float:
    """Return the memory the process holds now, in MB; where that is not to be had, its highest ever."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / 2**20 if sys.platform == "darwin" else peak / 2**10
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def load() -> float:
    """Return the load of the last minute, 0 where the system does not tell."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
