"""A direct Service whose Pods are on different networks.

## What it does

Finds direct Services that select several workloads of which some ask for one network and others
for another: by the annotation `tke.cloud.tencent.com/networks`, by the ENI resource that they
request, or by asking for none and getting the cluster's default.
It judges what `transform` would leave behind, so a workload that only lacks its annotation is
not reported here, but one that is skipped is.
Pods on the host's network are reported by `host-network`.

## Why it matters

TKE documents direct access for each network mode by itself, and allows a workload only one.
What becomes of a Service with Pods of two is not documented: some may get no traffic.

## Example

```yaml
kind: Deployment           # selected by the same Service as the one below
spec:
  template:
    metadata:
      annotations: {tke.cloud.tencent.com/networks: tke-direct-eni}
---
kind: Deployment
spec:
  template:
    metadata:
      annotations: {tke.cloud.tencent.com/networks: tke-route-eni}
```

## Use instead

One network for all of them, or a Service for each:

```yaml
kind: Service
spec:
  selector: {app: web, network: direct-eni}
```
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.contract import DIRECT_ENI, ENI_IP, MODES, NETWORKS, NetworkMode
from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import WARNING, Finding, Rule
from transformer.rules.service._service import is_direct, is_load_balancer, listed, mode_of
from transformer.values import Value, at, mapping

RULE = Rule(
    WARNING,
    "D",
    'TKE docs, "Using Services with CLB-to-Pod direct access mode": one network mode a workload',
)

_ROUTE_ENI, _DIRECT_ENI, _BRIDGE = "tke-route-eni", "tke-direct-eni", "tke-bridge"
_RESOURCES = {ENI_IP: _ROUTE_ENI, DIRECT_ENI: _DIRECT_ENI}

# The network of Pods that ask for none; of clusters with exclusive ENIs nobody can tell.
_DEFAULTS = {
    NetworkMode.VPC_CNI: _ROUTE_ENI,
    NetworkMode.MIXED: _BRIDGE,
    NetworkMode.GLOBAL_ROUTER: _BRIDGE,
}


def check(service: Object, build: Build) -> Iterator[Finding]:
    """Yield the finding in one Service."""
    workloads = build.workloads_of(service)
    mode = mode_of(service, build).name
    if len(workloads) < 2 or mode is NetworkMode.SERVERLESS:
        return
    if not (is_load_balancer(service) and is_direct(service, build)):
        return
    found: dict[str, Object] = {}
    for workload in workloads:
        network = _network(workload, mode, build)
        if network is not None:
            found.setdefault(network, workload)
    if len(found) > 1:
        shown = [f"{network} ({workload.shown})" for network, workload in found.items()]
        yield Finding(
            ("spec", "selector"),
            f"selects Pods on different networks: {listed(shown)}; TKE does not "
            "document that CLB binds both: give all the same, or each its own Service",
        )


def _network(workload: Object, mode: NetworkMode, build: Build) -> str | None:
    """The network of a workload's Pods; None when it is not known or reported elsewhere."""
    if workload.pod_spec.get("hostNetwork") is True or build.plan(workload).refused:
        return None
    asked = workload.pod_annotations.get(NETWORKS, "").split(",")
    for network in (_DIRECT_ENI, _ROUTE_ENI, _BRIDGE):
        if network in asked:
            return network
    for resource, network in _RESOURCES.items():
        if any(_requests(container, resource) for container in workload.containers):
            return network
    if build.lacks(workload, "metadata", "annotations", NETWORKS):
        return MODES[mode].networks
    return _DEFAULTS.get(mode)


def _requests(container: dict[str, Value], resource: str) -> bool:
    sides = (at(container, "resources", side) for side in ("requests", "limits"))
    return any(resource in mapping(side) for side in sides)
