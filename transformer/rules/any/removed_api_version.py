"""An apiVersion that the cluster does not serve.

## What it does

Finds objects in API versions that Kubernetes has removed, that it never had, or that came later
than the version in the configuration (`spec.kubernetesVersion`).
Without that version the newest Kubernetes is meant, and it is a warning: yours may be older.

## Why it matters

The API server refuses the object: `no matches for kind`.
With Helm and Argo CD nothing of the release gets out.

## Example

```yaml
apiVersion: extensions/v1beta1
kind: Ingress
```

## Use instead

```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
```
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from schemas import kubernetes
from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import ERROR, WARNING, Finding, Rule

RULE = Rule(ERROR, "A", "Kubernetes, deprecated API migration guide")


def _minor(version: str) -> int:
    return int(version[2:])


_OLDEST, _NEWEST = _minor(kubernetes.MINORS[0]), _minor(kubernetes.NEWEST)

# What is older than the oldest schemas: the first minor that did not serve it any more
# (Kubernetes, deprecated API migration guide).
_REMOVED = {
    "extensions/v1beta1 Deployment": 16,
    "extensions/v1beta1 DaemonSet": 16,
    "extensions/v1beta1 ReplicaSet": 16,
    "apps/v1beta1 Deployment": 16,
    "apps/v1beta1 StatefulSet": 16,
    "apps/v1beta2 Deployment": 16,
    "apps/v1beta2 StatefulSet": 16,
    "apps/v1beta2 DaemonSet": 16,
    "apps/v1beta2 ReplicaSet": 16,
    "batch/v2alpha1 CronJob": 21,
}


def check(one: Object, build: Build) -> Iterator[Finding]:
    """Yield the finding in one object."""
    said = build.settings.kubernetes
    minor = int((said or kubernetes.NEWEST).split(".")[1])
    if message := _message(one.api_version, one.kind, minor):
        yield Finding(
            ("apiVersion",),
            message if said else f"{message}; say spec.kubernetesVersion if yours is older",
            severity=ERROR if said else WARNING,
        )


@cache
def _message(api_version: str, kind: str, minor: int) -> str:
    """Why Kubernetes 1.`minor` does not serve this; '' when it does or nobody knows."""
    known = _OLDEST <= minor <= _NEWEST
    if known and kubernetes.name_of(api_version, kind, f"1.{minor}"):
        return ""
    why = _why(api_version, kind, minor, known)
    instead = _instead(kind, max(minor, _OLDEST)) if why else ""
    return f"is {api_version}, which {why}: write {instead}" if instead else why


def _why(api_version: str, kind: str, minor: int, known: bool) -> str:
    served = [_minor(each) for each in kubernetes.minors_of(api_version, kind)]
    gone = served[-1] + 1 if served else _REMOVED.get(f"{api_version} {kind}", 0)
    if gone and gone <= min(minor, _NEWEST):
        return f"Kubernetes 1.{gone} removed"
    if served and _OLDEST < served[0] > minor:
        return f"Kubernetes 1.{minor} does not have before 1.{served[0]}"
    if known and not gone and api_version.rpartition("/")[0] in _groups(kind):
        return f"Kubernetes 1.{minor} does not have"
    return ""


def _groups(kind: str) -> set[str]:
    """The API groups of Kubernetes that have `kind`."""
    return {version.rpartition("/")[0] for version, name in kubernetes.kinds() if name == kind}


def _instead(kind: str, minor: int) -> str:
    """The best API version of `kind` that 1.`minor` serves."""
    at = f"1.{min(minor, _NEWEST)}"
    offered = [
        version
        for version, name in kubernetes.kinds()
        if name == kind and kubernetes.name_of(version, name, at)
    ]
    return max(offered, key=_rank, default="")


def _rank(api_version: str) -> tuple[int, int, int]:
    """v2 before v2beta2 before v2beta1 before v1; of two groups the one that is not extensions."""
    number, stage, step = api_version.rpartition("/")[2][1:].partition("beta")
    return int(number), int(step) if stage else 99, int(not api_version.startswith("extensions/"))
