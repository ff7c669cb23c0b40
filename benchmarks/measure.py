"""Run a command and have the operating system account for it."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from pathlib import Path
from typing import NamedTuple


class Cost(NamedTuple):
    """Wall and CPU seconds (all processes), peak memory in MB of the largest process."""

    wall_s: float
    cpu_s: float
    peak_mb: float


def once(command: list[str], folder: Path, stdin: Path | None = None) -> Cost:
    """The cost of one run of `command`; its output goes to ``out.yaml`` in `folder`."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    with (stdin or Path(os.devnull)).open("rb") as source, (folder / "out.yaml").open("wb") as out:
        begin = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, stdin=source, stdout=out, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command[0]} ended with {process.returncode}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def median(costs: list[Cost]) -> Cost:
    """The median of each figure."""
    return Cost(*(statistics.median(column) for column in zip(*costs, strict=True)))
