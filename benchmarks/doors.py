"""Our function inside kustomize, beside one that only passes everything on, and beside the pipe."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks.applications import applications
from benchmarks.measure import Cost, median, once
from tests.peers import CACHE

RUNS = {100: 7, 1_000: 3}
_KUSTOMIZE = "kustomize-5.8"
_OURS = Path(sys.executable).with_name("tke-direct")
_FUNCTION = """\
resources: [../input.yaml]
transformers:
  - |-
    apiVersion: tke-direct.dev/v1alpha1
    kind: DirectAccess
    metadata:
      name: direct-access
      annotations:
        config.kubernetes.io/function: "exec: {{path: {path}}}"
    spec:
      networkMode: mixed
"""
_BUILD = "--load-restrictor LoadRestrictionsNone --enable-alpha-plugins --enable-exec"


def doors_report() -> list[str]:
    """The lines of RESULTS.md about kustomize."""
    program = shutil.which(_KUSTOMIZE, path=str(CACHE))
    if not program:
        return [f"{_KUSTOMIZE} is missing: install Go, then `make peers` builds it"]
    commands = {
        "kustomize alone": f"{program} build {_BUILD} plain",
        "the pipe": f"{program} build {_BUILD} plain | {_OURS} transform -q -m mixed -",
        "exec function `cat`": f"{program} build {_BUILD} cat",
        "exec function `tke-direct-fn`": f"{program} build {_BUILD} ours",
    }
    out = ["## Inside kustomize, beside a function that is `cat`, and beside the pipe", ""]
    out += ["| applications | how | wall s | peak MB | wall, `cat` = 1 |", "|---|---|---|---|---|"]
    for size in RUNS:
        costs = _race(size, commands)
        other = costs["exec function `cat`"].wall_s
        for name, cost in costs.items():
            figures = f"{cost.wall_s:.2f} | {cost.peak_mb:.0f} | {cost.wall_s / other:.2f}"
            out.append(f"| {size:,} | {name} | {figures} |")
    return out


def _race(size: int, commands: dict[str, str]) -> dict[str, Cost]:
    """Median costs of the commands, which take turns."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _prepare(folder, size)
        costs: dict[str, list[Cost]] = {name: [] for name in commands}
        for _ in range(RUNS[size]):
            for name, command in commands.items():
                shell = ["bash", "-c", f"set -o pipefail; {command}"]
                costs[name].append(once(shell, folder))
    return {name: median(found) for name, found in costs.items()}


def _prepare(folder: Path, size: int) -> None:
    (folder / "input.yaml").write_text(applications(size), encoding="utf-8")
    paths = {"plain": None, "cat": _passing(folder), "ours": _OURS.with_name("tke-direct-fn")}
    for name, path in paths.items():
        (folder / name).mkdir()
        text = _FUNCTION.format(path=path) if path else "resources: [../input.yaml]\n"
        (folder / name / "kustomization.yaml").write_text(text, encoding="utf-8")


def _passing(folder: Path) -> Path:
    """A function that passes everything on."""
    script = folder / "pass-on"
    script.write_text("#!/bin/sh\nexec cat\n", encoding="utf-8")
    script.chmod(0o755)
    return script
