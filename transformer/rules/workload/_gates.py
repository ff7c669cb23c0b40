"""The readiness gates of a pod template with their places."""

from __future__ import annotations

from collections.abc import Iterator

from schemas.contract import READINESS_GATE
from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.values import Path, at, items, text


def gates(workload: Object) -> Iterator[tuple[Path, str]]:
    """Each condition type and where it stands; none when the workload is to be left alone."""
    if workload.skipped:
        return
    for index, row in enumerate(items(workload.pod_spec.get("readinessGates"))):
        gate = text(at(row, "conditionType"))
        if gate is not None:
            yield workload.in_template("spec", "readinessGates", index, "conditionType"), gate


def clb_gate(workload: Object, build: Build) -> Path | None:
    """Where the gate stands that waits for CLB: TKE's, or that of the configuration."""
    known = (build.settings.gate, READINESS_GATE)
    return next((place for place, gate in gates(workload) if gate in known), None)
