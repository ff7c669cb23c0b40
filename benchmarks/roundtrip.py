"""The straightforward way: load with ruamel.yaml, change the data, dump.  stdin to stdout."""

from __future__ import annotations

import sys
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import DoubleQuotedScalarString as Quoted

from schemas.contract import ENI_IP, NETWORKS, READINESS_GATE, SERVICE_DIRECT_ACCESS


def edit(document: Any) -> None:
    """Make the edits of mode mixed in `document`."""
    if document["kind"] == "Service" and document["spec"]["type"] == "LoadBalancer":
        document["metadata"].setdefault("annotations", {})[SERVICE_DIRECT_ACCESS] = Quoted("true")
    if document["kind"] == "Deployment":
        template = document["spec"]["template"]
        annotations = template["metadata"].setdefault("annotations", {})
        annotations[NETWORKS] = Quoted("tke-route-eni")
        resources = template["spec"]["containers"][0].setdefault("resources", {})
        for side in ("requests", "limits"):
            resources.setdefault(side, {})[ENI_IP] = Quoted("1")
        gates = template["spec"].setdefault("readinessGates", [])
        gates.append({"conditionType": Quoted(READINESS_GATE)})


def main() -> None:
    """Round-trip standard input."""
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.indent(mapping=2, sequence=4, offset=2)
    documents = list(yaml.load_all(sys.stdin))
    for document in documents:
        edit(document)
    yaml.dump_all(documents, sys.stdout)


if __name__ == "__main__":
    main()
