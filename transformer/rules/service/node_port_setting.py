"""A setting for traffic through NodePorts on a direct Service.

## What it does

Finds, on direct Services of type LoadBalancer, the annotations that choose or weigh nodes
(`local-svc-only-bind-node-with-pod`, `local-svc-weighted-balance`,
`qcloud-loadbalancer-backends-label`), `externalTrafficPolicy: Local`, `healthCheckNodePort`, and a
`sessionAffinity` without a session in a TkeServiceConfig.

## Why it matters

CLB reaches the Pods past nodes and kube-proxy, so none of these does what it was written for.
Sessions are the one that hurts: clients spread over all Pods although the manifest says
`ClientIP`.

## Example

```yaml
metadata:
  annotations:
    service.cloud.tencent.com/direct-access: "true"
spec:
  type: LoadBalancer
  sessionAffinity: ClientIP
```

## Use instead

Let CLB keep the sessions:

```yaml
apiVersion: cloud.tencent.com/v1alpha1
kind: TkeServiceConfig
metadata:
  name: web
spec:
  loadBalancer:
    l4Listeners:
      - protocol: TCP
        port: 80
        session: {enable: true, sessionExpireTime: 600}
```
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.contract import NODE_PORT_ONLY, SERVICE_CONFIG
from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import WARNING, Finding, Rule
from transformer.rules.service._service import annotation, is_direct, is_load_balancer
from transformer.values import at, items

RULE = Rule(WARNING, "A", 'TKE docs, "CLB-to-Pod direct access" and "Service backend selection"')


def check(service: Object, build: Build) -> Iterator[Finding]:
    """Yield the findings in one Service."""
    if not (is_load_balancer(service) and is_direct(service, build)):
        return
    for key in NODE_PORT_ONLY:
        if service.raw_annotations.get(key) not in (None, "", "false"):
            yield Finding(
                annotation(key),
                "is about the nodes behind CLB, and a direct Service has Pods behind it: remove it",
                at_key=True,
            )
    if service.get("spec", "externalTrafficPolicy") == "Local":
        yield Finding(
            ("spec", "externalTrafficPolicy"),
            "is for NodePorts: with direct access Pods see the client's address without it; "
            'remove it, or write "Cluster"',
        )
    if service.get("spec", "healthCheckNodePort") not in (None, 0):
        yield Finding(
            ("spec", "healthCheckNodePort"),
            "is a check of nodes, and CLB checks the Pods of a direct Service: remove it",
            at_key=True,
        )
    if service.get("spec", "sessionAffinity") == "ClientIP" and not _has_session(service, build):
        yield Finding(
            ("spec", "sessionAffinity"),
            "does not hold for what comes through CLB, which goes past kube-proxy: enable the "
            "session of the listener in a TkeServiceConfig",
        )


def _has_session(service: Object, build: Build) -> bool:
    """Whether CLB keeps sessions, or may: a TkeServiceConfig outside the build is not known."""
    config = build.config_of(service)
    if config is None:
        return SERVICE_CONFIG["service"] in service.raw_annotations
    listeners = items(config.get("spec", "loadBalancer", "l4Listeners"))
    return any(at(one, "session", "enable") is True for one in listeners)
