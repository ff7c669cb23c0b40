"""How many Pods a workload has, and how many of them a rollout adds or takes away at once."""

from __future__ import annotations

from typing import NamedTuple

from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.values import Path, Value, at, integer, text


class Scale(NamedTuple):
    """The fewest and the most Pods that a workload is to have."""

    least: int
    most: int


def scale(workload: Object, build: Build) -> Scale | None:
    """By its autoscaler if it has one, else by ``replicas``; None for kinds that have neither."""
    for autoscaler in build.autoscalers_of(workload):
        most = integer(autoscaler.get("spec", "maxReplicas"))
        least = integer(autoscaler.get("spec", "minReplicas"))
        if most is not None:
            return Scale(1 if least is None else least, most)
    replicas = workload.replicas
    return None if replicas is None else Scale(replicas, replicas)


def amount(value: Value, total: int, *, up: bool) -> int | None:
    """``3`` or ``"25%"`` of `total` as Kubernetes counts it; None when it is neither."""
    number = integer(value)
    if number is not None:
        return number
    percent = percentage(value)
    if percent is None:
        return None
    return (percent * total + 99) // 100 if up else percent * total // 100


def percentage(value: Value) -> int | None:
    """25 for ``"25%"``; None for everything else."""
    digits = (text(value) or "").removesuffix("%")
    is_percentage = digits != value and digits.isascii() and digits.isdigit()
    return int(digits) if is_percentage else None


class Strategy(NamedTuple):
    """Where a kind says how many Pods a rollout may take away and add, and what holds unsaid.

    ``up`` tells how a percentage of Pods that are missing is rounded; surges are rounded up.
    """

    unavailable: Path
    surge: Path = ()
    default_surge: Value = 0
    up: bool = True


_ROLLING = ("spec", "strategy", "rollingUpdate")
_UPDATE = ("spec", "updateStrategy", "rollingUpdate")
_CANARY = ("spec", "strategy", "canary")

# Source: the API reference of each kind.
_STRATEGIES = {
    ("apps", "Deployment"): Strategy(
        (*_ROLLING, "maxUnavailable"), (*_ROLLING, "maxSurge"), "25%", up=False
    ),
    ("extensions", "Deployment"): Strategy(
        (*_ROLLING, "maxUnavailable"), (*_ROLLING, "maxSurge"), 1, up=False
    ),
    ("argoproj.io", "Rollout"): Strategy(
        (*_CANARY, "maxUnavailable"), (*_CANARY, "maxSurge"), "25%", up=False
    ),
    ("apps", "StatefulSet"): Strategy((*_UPDATE, "maxUnavailable")),
    ("apps", "DaemonSet"): Strategy((*_UPDATE, "maxUnavailable")),
    ("extensions", "DaemonSet"): Strategy((*_UPDATE, "maxUnavailable")),
    ("apps.kruise.io", "StatefulSet"): Strategy((*_UPDATE, "maxUnavailable")),
    ("apps.kruise.io", "DaemonSet"): Strategy((*_UPDATE, "maxUnavailable")),
    ("apps.kruise.io", "CloneSet"): Strategy(
        ("spec", "updateStrategy", "maxUnavailable"), ("spec", "updateStrategy", "maxSurge")
    ),
}


def strategy(workload: Object) -> Strategy | None:
    """The row of the workload's kind, None when it does not roll out by itself."""
    return _STRATEGIES.get((workload.group, workload.kind))


def recreates(workload: Object) -> bool:
    """Whether a rollout stops every old Pod before it starts a new one."""
    return workload.kind == "Deployment" and workload.get("spec", "strategy", "type") == "Recreate"


def surge(workload: Object, total: int) -> int:
    """How many Pods more than `total` a rollout may have."""
    row = strategy(workload)
    if row is None or recreates(workload):
        return 0
    if workload.kind == "Rollout" and workload.get(*_CANARY) is None:
        return 0  # blue-green: the Service selects one of the two sets, never both
    value = at(workload.data, *row.surge) if row.surge else None
    return amount(row.default_surge if value is None else value, total, up=True) or 0
