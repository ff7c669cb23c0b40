"""The tools in the race: how each is called, and which version it is."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from schemas.contract import ENI_IP, NETWORKS, READINESS_GATE, SERVICE_DIRECT_ACCESS
from tests.peers import CACHE

_YQ = f"""
with(select(.kind == "Service" and .spec.type == "LoadBalancer");
  .metadata.annotations["{SERVICE_DIRECT_ACCESS}"] = "true" |
  .metadata.annotations["{SERVICE_DIRECT_ACCESS}"] style="double")
| with(select(.kind == "Deployment");
  .spec.template.metadata.annotations["{NETWORKS}"] = "tke-route-eni" |
  .spec.template.metadata.annotations["{NETWORKS}"] style="double" |
  .spec.template.spec.containers[0].resources.requests["{ENI_IP}"] = "1" |
  .spec.template.spec.containers[0].resources.limits["{ENI_IP}"] = "1" |
  .spec.template.spec.readinessGates += [{{"conditionType": "{READINESS_GATE}"}}])
"""

_KUSTOMIZATION = f"""
resources: [input.yaml]
patches:
  - target: {{kind: Service}}
    patch: |
      apiVersion: v1
      kind: Service
      metadata:
        name: any
        annotations:
          {SERVICE_DIRECT_ACCESS}: "true"
  - target: {{kind: Deployment}}
    patch: |
      apiVersion: apps/v1
      kind: Deployment
      metadata: {{name: any}}
      spec:
        template:
          metadata:
            annotations: {{{NETWORKS}: "tke-route-eni"}}
          spec:
            readinessGates: [{{conditionType: {READINESS_GATE}}}]
            containers:
              - name: web
                resources:
                  requests: {{{ENI_IP}: "1"}}
                  limits: {{{ENI_IP}: "1"}}
"""


class Peer(NamedTuple):
    """A tool: its command for an input in the current directory, and its sizes."""

    name: str
    version: str
    command: list[str]
    sizes: tuple[int, ...]
    piped: bool = False  # reads input.yaml from standard input


def prepare(folder: Path, text: str) -> None:
    """Lay out what the peers read in `folder`."""
    (folder / "input.yaml").write_text(text, encoding="utf-8")
    (folder / "edits.yq").write_text(_YQ, encoding="utf-8")
    (folder / "kustomization.yaml").write_text(_KUSTOMIZATION, encoding="utf-8")


def peers() -> tuple[list[Peer], list[str]]:
    """The tools that are here, and a line for each that is not."""
    ours = str(Path(sys.executable).with_name("tke-direct"))
    sizes = (100, 1_000, 10_000)
    command = [ours, "transform", "-q", "-m", "mixed", "input.yaml"]
    found = [Peer("tke-direct", _version(ours), command, sizes)]
    missing = []
    for name, built, arguments, counts in (
        ("yq", "yq", ["--from-file", "edits.yq", "input.yaml"], sizes),
        ("kustomize", "kustomize-5.8", ["build", "."], (100, 1_000)),
    ):
        program = shutil.which(built, path=str(CACHE))
        if program:
            command = [program, *arguments]
            found.append(Peer(name, _version(program), command, counts))
        else:
            missing.append(f"{built} is missing: install Go, then `make peers` builds it")
    script = str(Path(__file__).with_name("roundtrip.py"))
    import ruamel.yaml

    version = f"ruamel.yaml {ruamel.yaml.__version__}"
    found.append(Peer("ruamel round-trip", version, [sys.executable, script], (100,), piped=True))
    return found, missing


def _version(program: str) -> str:
    option = "version" if Path(program).name.startswith("kustomize") else "--version"
    result = subprocess.run([program, option], capture_output=True, text=True, check=True)
    return result.stdout.strip().splitlines()[0]
