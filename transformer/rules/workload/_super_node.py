"""Which Pods go to super nodes."""

from __future__ import annotations

from schemas.contract import NODE_TYPE_LABEL, POD_TYPE, SUPER_NODE, SUPER_NODE_TAINT, NetworkMode
from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.values import Path, at, items, mapping

_REQUIRED: Path = (
    "affinity",
    "nodeAffinity",
    "requiredDuringSchedulingIgnoredDuringExecution",
    "nodeSelectorTerms",
)


def sent_to_super_nodes(workload: Object) -> Path | None:
    """The place by which a pod template asks for super nodes or tolerates them."""
    spec = workload.pod_spec
    if at(spec, "nodeSelector", NODE_TYPE_LABEL) == SUPER_NODE:
        return workload.in_template("spec", "nodeSelector", NODE_TYPE_LABEL)
    if workload.pod_annotations.get(POD_TYPE) == SUPER_NODE:
        return workload.in_template("metadata", "annotations", POD_TYPE)
    for number, term in enumerate(items(at(spec, *_REQUIRED))):
        for index, row in enumerate(map(mapping, items(at(term, "matchExpressions")))):
            wants = row.get("operator") == "In" and row.get("values") == [SUPER_NODE]
            if wants and row.get("key") == NODE_TYPE_LABEL:
                inside = (*_REQUIRED, number, "matchExpressions", index)
                return workload.in_template("spec", *inside)
    for index, row in enumerate(map(mapping, items(spec.get("tolerations")))):
        if row.get("key") == SUPER_NODE_TAINT:
            return workload.in_template("spec", "tolerations", index)
    return None


def runs_on_super_nodes(workload: Object, build: Build) -> bool:
    """Whether its Pods can get to a super node: by their template, or for want of other nodes."""
    if workload.kind == "DaemonSet":
        return False  # TKE keeps them away
    mode = build.plan(workload).mode
    if mode is None and not build.settings.overrides:
        mode = build.settings.mode
    return mode is NetworkMode.SERVERLESS or sent_to_super_nodes(workload) is not None
