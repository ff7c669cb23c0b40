"""The cluster and its load balancers, read once, and what the planner makes of them.

It is the planner of ``run``, with a memory that begins now: evidence that takes several readings
is not there yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import inf
from typing import NamedTuple

from binder.cloud.codes import CloudError
from binder.cluster.api import NOT_FOUND, Api, Refused
from binder.cluster.live import live
from binder.cluster.project import SERVICE_CONFIGS
from binder.controller.balancers import Clocks
from binder.controller.ports import Cloud
from binder.core import gate, tag
from binder.core.bindings import Binding
from binder.core.clb import Key, LoadBalancer, Target
from binder.core.gate import Look, Standing, Verdict, verdict
from binder.core.listeners import Listening, plan_listeners, prefix
from binder.core.objects import Changes, Pod, ServiceConfig
from binder.core.plan import Context, Memory, Plan, plan
from binder.core.view import View
from binder.settings import Settings

EVERYWHERE = ""


class Seen(NamedTuple):
    """The cluster; it was listed between two times of our monotonic clock, Pods first."""

    view: View
    began: float
    ended: float


class Outlook(NamedTuple):
    """One load balancer: what was read, what the planner wants; or why it could not be read."""

    reading: LoadBalancer
    plan: Plan
    listening: Listening
    error: CloudError | None = None

    @property
    def lb(self) -> str:
        return self.reading.id


class Gate(NamedTuple):
    """A Pod whose gate is not open, what the binder would write, and why."""

    pod: Pod
    standings: Sequence[tuple[Binding, Standing]]
    verdict: Verdict


def see(api: Api, settings: Settings, clocks: Clocks, namespace: str = EVERYWHERE) -> Seen:
    """List all kinds, as etcd's quorum has them; Failed when one cannot be had."""
    began = clocks.now()
    found = live(api, namespace, settings.gate)
    view = View(settings)
    for kind in (_configs(api, namespace), found.services, found.ingresses, found.pods):
        for item in kind:
            view.put(item, began)
    return Seen(view, began, clocks.now())


def _configs(api: Api, namespace: str) -> list[ServiceConfig]:
    try:
        pages = list(api.pages(SERVICE_CONFIGS.path(namespace)))
    except Refused as error:
        if error.status != NOT_FOUND:
            raise
        return []  # the cluster has no such kind
    return [SERVICE_CONFIGS.project(item) for _, page in pages for item in page]


def outlooks(
    seen: Seen, cloud: Cloud, lbs: Iterable[str], settings: Settings, clocks: Clocks
) -> dict[str, Outlook]:
    """Read `lbs` and plan them; one that cannot be read has an error instead."""
    found = {lb: _first(seen, cloud, lb, settings, clocks) for lb in sorted(lbs)}
    there = [lb for lb, one in found.items() if not one.error and one.reading.absent is None]
    if not there:
        return found
    try:
        health = cloud.health(there)
    except CloudError as error:
        return found | {lb: found[lb]._replace(error=error) for lb in there}
    for lb in there:
        if lb not in health.value:
            continue
        # The evidence of the first plan is older than this reading, as it has to be.
        reading = found[lb].reading._replace(health=health.value[lb], health_at=health.started)
        memory = Memory(evidence=found[lb].plan.memory.evidence)
        found[lb] = _planned(seen, reading, memory, settings, clocks)
    return found


def _first(seen: Seen, cloud: Cloud, lb: str, settings: Settings, clocks: Clocks) -> Outlook:
    reading = LoadBalancer(lb)
    try:
        reading = _read(cloud, reading)
    except CloudError as error:
        return _planned(seen, reading, Memory(), settings, clocks)._replace(error=error)
    return _planned(seen, reading, Memory(), settings, clocks)


def _read(cloud: Cloud, blank: LoadBalancer) -> LoadBalancer:
    found = cloud.load_balancers([blank.id])
    if blank.id not in found.value:
        return blank._replace(absent=(found.started, found.started))
    listeners, targets = cloud.listeners(blank.id), cloud.targets(blank.id)
    return blank._replace(
        addresses=found.value[blank.id],
        listeners=listeners.value,
        listeners_at=listeners.started,
        targets=targets.value,
        targets_at=targets.started,
    )


def _planned(
    seen: Seen, reading: LoadBalancer, memory: Memory, settings: Settings, clocks: Clocks
) -> Outlook:
    """As a leader would plan that has led for long."""
    context = Context(clocks.now(), clocks.wall(), Changes(True, seen.began), -inf)
    made = plan(seen.view, reading, memory, context, settings)
    wanted = seen.view.bindings_on(reading.id)
    return Outlook(reading, made, plan_listeners(wanted, reading, settings, lambda _: False))


def gates(
    seen: Seen, found: Mapping[str, Outlook], settings: Settings, clocks: Clocks
) -> list[Gate]:
    """Every Pod with a gate that is not open, or would be closed, by name."""
    pods = sorted(seen.view.pods.values(), key=lambda pod: pod.key)
    return [
        one
        for pod in pods
        if pod.gated and not pod.terminating and not pod.over
        for one in [gate_of(pod, seen, found, settings, clocks)]
        if not pod.open or one.verdict.write
    ]


def gate_of(
    pod: Pod, seen: Seen, found: Mapping[str, Outlook], settings: Settings, clocks: Clocks
) -> Gate:
    """How the gate of `pod` stands."""
    bindings = [one for one in seen.view.bindings_of(pod) if one.gating]
    standings = [(one, _standing(pod, one, found)) for one in bindings]
    # Services were listed after Pods, so they confirm that a Pod that is up waits for nothing.
    ready = seen.began if pod.containers_ready else None
    look = Look(standings, ready, seen.ended, trusted=True, elsewhere=seen.view.elsewhere(pod))
    return Gate(pod, standings, verdict(pod, look, clocks.now(), settings))


def _standing(pod: Pod, binding: Binding, found: Mapping[str, Outlook]) -> Standing:
    if not binding.lb:
        return Standing(gate.NOT_PROVISIONED, f"{binding.owner} names no load balancer")
    one = found.get(binding.lb)
    if one is not None and one.error is not None:
        return Standing(gate.WAITING, f"not read: {one.error}")
    standing = one and one.plan.standings.get((pod.uid, binding.owner, binding.frontend))
    return standing or Standing(gate.WAITING, "not read")


class Whose(NamedTuple):
    """Who bound a target, as far as it says; `uid` is the beginning of that of the Pod."""

    ours: bool
    text: str
    uid: str = ""


def whose(key: Key, target: Target, reading: LoadBalancer, settings: Settings) -> Whose:
    """Whose `target` is, by its tag, else by the listener that it is in."""
    mark = tag.read(target.tag)
    if mark is not None:
        if mark.cluster == tag.short(settings.cluster):
            return Whose(True, "ours", mark.uid)
        return Whose(False, "of a binder in another cluster", mark.uid)
    if target.tag:
        return Whose(False, f"of others, with the tag {target.tag!r}")
    listener = next((one for one in reading.listeners if one.id == key.listener), None)
    if listener is not None and listener.name.startswith(prefix(settings)):
        return Whose(True, "ours by its listener, without a tag")
    return Whose(False, "of others, without a tag")
