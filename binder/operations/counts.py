"""What there is right now, counted when somebody asks: gates that wait, targets, bindings.

Pure, over the view of the cluster and what was read of the load balancers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple, Protocol

from binder.core.clb import Key, LoadBalancer
from binder.core.objects import Pod
from binder.core.plan import Memory, Plan
from binder.core.view import View

# Load balancers with numbers of their own; those of all others are added up, so that the number
# of time series stays bounded. No cluster of TKE's default quotas has more.
MOST_LBS = 100
OTHERS = "other"
NOT_WRITTEN = "NotWritten"  # the reason of a gate that nobody has written yet


class Balancer(Protocol):
    """What the loops know of one load balancer."""

    @property
    def reading(self) -> LoadBalancer: ...
    @property
    def memory(self) -> Memory: ...
    @property
    def plan(self) -> Plan: ...


class Counts(NamedTuple):
    """The numbers behind the gauges; times in seconds."""

    pending: Mapping[str, float] = {}  # reason: how long the oldest such gate has waited
    gates: int = 0  # closed gates of Pods whose containers are ready
    targets: Mapping[tuple[str, str], int] = {}  # load balancer and what CLB says of them
    bindings: Mapping[str, int] = {}  # pairs of a waiting Pod and a binding, by where they stand
    foreign: int = 0  # targets of others in listeners and rules that we use
    ungated: int = 0
    untagged: bool = False  # CLB does not give back the tags that we wrote


def count(
    view: View,
    balancers: Mapping[str, Balancer],
    ready_since: Mapping[str, float],
    now: float,
) -> Counts:
    """`ready_since` is by uid, on the clock of `now`; hold the lock that guards them."""
    pending: dict[str, float] = {}
    gates = 0
    for pod in view.pods.values():
        since = ready_since.get(pod.uid)
        if since is None or not _waits(pod) or view.elsewhere(pod):
            continue
        gates += 1
        reason = pod.condition.reason if pod.condition and pod.condition.reason else NOT_WRITTEN
        pending[reason] = max(pending.get(reason, 0.0), now - since)
    plans = [one.plan for one in balancers.values()]
    return Counts(
        pending,
        gates,
        _targets(balancers),
        Counter(standing.reason for plan in plans for standing in plan.standings.values()),
        sum(plan.foreign for plan in plans),
        _ungated(view),
        any(_untagged(one) for one in balancers.values()),
    )


def _waits(pod: Pod) -> bool:
    return pod.gated and not (pod.open or pod.terminating or pod.over)


def _targets(balancers: Mapping[str, Balancer]) -> dict[tuple[str, str], int]:
    found: Counter[tuple[str, str]] = Counter()
    named = frozenset(sorted(balancers)[:MOST_LBS])
    for lb, one in balancers.items():
        label = lb if lb in named else OTHERS
        for key in one.reading.targets:
            found[label, _state(one.reading, key)] += 1
    return dict(found)


def _state(reading: LoadBalancer, key: Key) -> str:
    """In a word; health is asked for while something waits for it, so it may be older."""
    if not reading.targets[key].weight:
        return "draining"
    health = reading.health.get(key)
    return health.detail.lower() if health is not None else "unread"


def _ungated(view: View) -> int:
    """Pods behind a binding that gates, without the gate: they are Ready before CLB serves them."""
    return len(
        {
            pod.uid
            for namespace in {pod.namespace for pod in view.pods.values() if not pod.gated}
            for binding in view.bindings_in(namespace)
            if binding.gating
            for pod in view.selected(binding)
            if not (pod.gated or pod.terminating or pod.over or pod.host_network)
        }
    )


def _untagged(one: Balancer) -> bool:
    return any(_has_no_tag(one.reading, key) for key in _registered(one.memory))


def _registered(memory: Memory) -> Iterable[Key]:
    return memory.ledger.registered


def _has_no_tag(reading: LoadBalancer, key: Key) -> bool:
    target = reading.targets.get(key)
    return target is not None and not target.tag
