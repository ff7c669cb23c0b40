"""CLB and the kubelet ask different paths of one container, and CLB is strict.

## What it does

Follows the rule of a TkeServiceConfig through the Ingress that names it to the container that
answers, and compares `httpCheckPath` with the path of its `readinessProbe` on the same port.
It speaks only when `httpCode` does not accept a 4xx, so that a wrong path fails the check.

## Why it matters

When the container does not serve the path, CLB takes every Pod for broken.
The readiness gate stays shut then, and the rollout stops.

## Example

```yaml
healthCheck:
  enable: true
  httpCheckPath: /health  # the readinessProbe asks /healthz
  httpCode: 2
```

## Use instead

```yaml
healthCheck:
  enable: true
  httpCheckPath: /healthz
  httpCode: 2
```
"""

from __future__ import annotations

from collections.abc import Iterator

from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import WARNING, Finding, Rule
from transformer.rules.ingress._routes import routes, served
from transformer.rules.service._service import target_of
from transformer.rules.service_config._rows import Row, rows
from transformer.values import Value, at, integer, items, mapping, text

RULE = Rule(WARNING, "D", 'CLB docs, "Health check overview"')

_CLIENT_ERRORS = 8  # the bit of httpCode that takes 4xx for healthy

_Target = tuple[Object, Value]  # a workload, and the number or name of its port


def check(config: Object, build: Build) -> Iterator[Finding]:
    """Yield a finding for each rule that asks another path than every probe behind it."""
    strict = [row for row in rows(config) if row.domain is not None and _strict(row)]
    if not strict:
        return
    targets = [
        (host, url, target)
        for user in build.users_of(config)
        if user.subject == "ingress" and served(user, build) and build.is_direct(user)
        for host, url, target in _targets(user, build)
    ]
    for row in strict:
        behind = [target for host, url, target in targets if (host, url) == (row.domain, row.url)]
        probed = [(workload, _probed(workload, port)) for workload, port in behind]
        asked = row.health_check["httpCheckPath"]
        if probed and all(path is not None and path != asked for _, path in probed):
            workload, path = probed[0]
            yield Finding(
                (*row.path, "healthCheck", "httpCheckPath"),
                f"is {asked}, the readinessProbe of {workload.shown} asks {path}: use one path, or "
                "no Pod gets healthy at CLB if this one is not served",
            )


def _strict(row: Row) -> bool:
    checked = row.health_check
    code = integer(checked.get("httpCode"))
    by_http = checked.get("checkType") in (None, "HTTP", "HTTPS")
    path = text(checked.get("httpCheckPath"))
    refuses = code is not None and not code & _CLIENT_ERRORS
    return checked.get("enable") is True and by_http and bool(path) and refuses


def _targets(ingress: Object, build: Build) -> Iterator[tuple[str, str, _Target]]:
    """The host and path of each route, and the workload and port that it leads to."""
    backends = {place: (name, port) for place, name, port in ingress.backends()}
    for route in routes(ingress):
        name, wanted = backends.get((*route.path, "backend"), ("", None))
        services = build.services_named(ingress.namespace, name)
        for port in services[0].ports if len(services) == 1 else ():
            if wanted in (port.get("port"), port.get("name")):
                for workload in build.workloads_of(services[0]):
                    yield route.host, route.url, (workload, target_of(port))


def _probed(workload: Object, target: Value) -> str | None:
    """The path that the kubelet asks of the container with that port, None when none is told."""
    for container in workload.containers:
        ports = [mapping(port) for port in items(container.get("ports"))]
        same = {
            value
            for port in ports
            for value in (integer(port.get("containerPort")), text(port.get("name")))
            if target in (port.get("containerPort"), port.get("name"))
        }
        request = mapping(at(container, "readinessProbe", "httpGet"))
        if same and request.get("port") in [target, *same]:
            return text(request.get("path")) or "/"
    return None
