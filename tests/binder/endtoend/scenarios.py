"""Rollouts under load, each with something that goes wrong meanwhile; a table of them.

What a scenario does is one function of a bed in which everything runs; what it promises is the
number of requests that may fail.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.binder.endtoend.bed import CHECK, FRONT, GATE, Bed
from tests.binder.endtoend.policies import POLICIES, REGISTERED, OpensWhenRegistered
from tests.binder.endtoend.wire import Wire
from tests.binder.load import Result
from tests.controlplane.kubelet import Kubelet
from tests.controlplane.plane import PORT as API_PORT
from tests.controlplane.plane import ControlPlane

# The rule for preStop: the lease (10 s), the slowest drain (5 s), and a margin; and here the
# start of a new process, as there may be no second replica.
PRE_STOP = 20
# As CLB's default, but Alive only 20 seconds after it was bound.
SLOW = {"interval_s": 5, "timeout_s": 2, "healthy": 5, "unhealthy": 3}


@dataclass(frozen=True)
class Shape:
    """What runs before anything goes wrong."""

    replicas: int = 10
    pre_stop: int = PRE_STOP
    surge: str = "25%"
    gate: str = GATE
    binders: int = 1
    owner: str = "Service"  # or Ingress, whose listeners are the binder's own
    reuse: bool = False  # clients keep their connections
    rate: float = 200.0  # requests per second
    check: Mapping[str, int] = field(default_factory=lambda: CHECK)
    timing: Mapping[str, float] = field(default_factory=dict)


class Scenario(NamedTuple):
    """`act` is given the bed under load; `fails`: that requests fail is what is to be shown."""

    name: str
    act: Callable[[Bed], None]
    shape: Shape = Shape()
    fails: bool = False
    impossible: str = ""  # why zero cannot be promised; then the number is just told


class Row(NamedTuple):
    """What became of a scenario."""

    scenario: Scenario
    result: Result
    seconds: float
    gates: tuple[float, ...]  # seconds from containers ready to gate open

    @property
    def fine(self) -> bool:
        if self.scenario.impossible:
            return True
        return (self.result.failures > 0) is self.scenario.fails


def play(control_plane: ControlPlane, kubelet: Kubelet, namespace: str, one: Scenario) -> Row:
    """Build the bed, start people and let it happen; the bed's own checks are made at its end."""
    shape = one.shape
    owned = shape.owner == "Ingress"
    with (
        Bed(
            control_plane,
            kubelet,
            namespace,
            listeners="owned" if owned else "existing",
            check=shape.check,
            timing=shape.timing,
        ) as bed,
        ExitStack() as stack,
    ):
        if one.fails or one.impossible or owned:
            bed.facts.pop("min_available")
        for _ in range(shape.binders):
            bed.start_binder()
        if shape.gate == REGISTERED:
            stack.enter_context(OpensWhenRegistered(bed))
        (bed.ingress if owned else bed.service)()
        bed.deploy(shape.replicas, gate=shape.gate, pre_stop=shape.pre_stop, surge=shape.surge)
        bed.ready(shape.replicas)
        bed.bound_to(shape.replicas)
        bed.alive()
        before = set(bed.recorder.lives)
        began = time.monotonic()
        with bed.load(shape.rate, reuse=shape.reuse) as clients:
            one.act(bed)
        seconds = time.monotonic() - began
        bed.bound_to(shape.replicas)
        took = [
            life.took
            for uid, life in bed.recorder.of("web").items()
            if uid not in before and life.took is not None
        ]
        return Row(one, clients.result, seconds, tuple(took))


# --- moments of a rollout


class Moment:
    """From now on: what has happened since."""

    def __init__(self, bed: Bed) -> None:
        self.bed, self._since = bed, bed.mark()
        self.old = set(bed.recorder.of("web"))

    def written(self, **wanted: object) -> bool:
        return self.bed.happened(self._since, **wanted)

    def lives(self, attribute: str, *, old: bool = False) -> bool:
        return any(
            getattr(life, attribute) is not None
            for uid, life in self.bed.recorder.of("web").items()
            if (uid in self.old) is old
        )


# The steps of the state machine, in order.
STEPS: Mapping[str, Callable[[Moment], bool]] = {
    "containers ready": lambda since: since.lives("up"),
    "registered": lambda since: since.written(kind="change", what="bound"),
    "Alive": lambda since: since.written(kind="health", health="Alive"),
    "gate open": lambda since: since.lives("opened"),
    "Pods deleted": lambda since: since.lives("deleted", old=True),
    "weight 0": lambda since: since.written(kind="change", what="weight", weight=0),
    "Pod gone": lambda since: since.lives("gone", old=True),
    "unbound": lambda since: since.written(kind="change", what="unbound"),
}


def roll(bed: Bed, step: str, act: Callable[[], None]) -> None:
    """A rollout in which `act` is done as soon as `step` is reached."""
    since = Moment(bed)
    bed.begin_roll()
    bed.wait(step, lambda: STEPS[step](since), 120.0, pause=0.01)
    act()
    bed.end_roll()


# --- what goes wrong


def nothing(bed: Bed) -> None:
    bed.roll()


def killed_at(step: str) -> Callable[[Bed], None]:
    """The leader is killed, and started again: the new process waits until the lease is over."""

    def act(bed: Bed) -> None:
        def kill() -> None:
            bed.leader().kill()
            bed.start_binder()

        roll(bed, step, kill)

    return act


def ended(bed: Bed) -> None:
    """The leader is told to end, as in an update of the binder: it gives its lease back."""
    roll(bed, "Pods deleted", lambda: bed.leader().end())


def partitioned(bed: Bed) -> None:
    """The leader does not reach the API server any more, only CLB; later it does again."""
    address = bed.control_plane.address, API_PORT
    bed.leader().end()
    with Wire(*address) as wire:
        cut_off = bed.start_binder(wire=wire)
        bed.wait("that it leads", lambda: cut_off.leads)
        bed.start_binder()
        bed.bound_to(10)

        def cut() -> None:
            wire.cut()
            bed.wait("another leader", lambda: bed.leader(cut_off) is not cut_off)
            time.sleep(2)  # the new one works
            wire.mend()

        roll(bed, "gate open", cut)
        cut_off.end()


def frozen(bed: Bed) -> None:
    """The leader stands still until another one leads, then goes on where it was."""
    old = bed.leader()

    def freeze() -> None:
        old.freeze()
        bed.wait("another leader", lambda: bed.leader(old) is not old, 60.0)
        time.sleep(2)  # the new one works
        old.thaw()

    roll(bed, "registered", freeze)


def frozen_alone(bed: Bed) -> None:
    """For longer than it may act without renewing, and nobody else is there to take over."""

    def freeze() -> None:
        bed.leader().freeze()
        time.sleep(8)
        bed.leader().thaw()

    roll(bed, "Pods deleted", freeze)


def throttled(bed: Bed) -> None:
    bed.switch(requests_per_second=1)
    bed.roll()
    bed.switch(requests_per_second=20)


def clb_down(bed: Bed) -> None:
    """At the worst moment: Pods are being deleted."""
    roll(bed, "Pods deleted", lambda: bed.fault("refuse", parameters={"seconds": 30}))


def held(bed: Bed) -> None:
    """Somebody else works on the load balancer, which refuses everybody else meanwhile."""
    roll(bed, "Pods deleted", lambda: bed.fault("hold", parameters={"seconds": 8}))


def unreliable(bed: Bed) -> None:
    """Calls fail, are executed without a reply, or are answered and not executed."""
    for effect, action, more in (
        ("error", "*", {"code": "InternalError"}),
        ("drop-after", "Batch*", {}),
        ("task-not-applied", "Batch*", {}),
        ("lose-targets", "BatchRegisterTargets", {"count": 1}),
    ):
        bed.fault(effect, action=action, probability=0.15, parameters=more)
    bed.roll()
    bed.no_faults()


def late_readings(bed: Bed) -> None:
    """What CLB says is true of some time ago; less than the binder allows for."""
    bed.fault("stale", action="DescribeTarget*", parameters={"seconds": 2.5})
    bed.roll()
    bed.no_faults()


def api_server_restarted(bed: Bed) -> None:
    """All watches break, and the new server answers 410 to those who go on from before it."""

    def restart() -> None:
        bed.control_plane.kill("kube-apiserver")
        bed.control_plane.start("kube-apiserver")
        bed.control_plane.wait_ready()

    roll(bed, "registered", restart)


def removed_by_hand(bed: Bed) -> None:
    """A target that serves, of a Pod that stays for a while."""

    def remove() -> None:
        serving = {ip for (ip, _), (weight, health) in bed.targets().items() if weight}
        address = next(
            life.ip
            for life in bed.recorder.of("web").values()
            if life.opened and not life.deleted and life.ip in serving
        )
        bed.fault("remove-target", parameters={"ip": address})

    roll(bed, "gate open", remove)


def address_reused(bed: Bed) -> None:
    """New Pods get the addresses of old ones, as soon as they are free."""
    for life in list(bed.recorder.of("web").values()):
        if not life.gone:
            bed.kubelet.reuse(life.ip)
    bed.roll()


def address_taken_over(bed: Bed) -> None:
    """Pods are deleted by force, and those that replace them have their addresses at once."""
    for pod in bed.pods()[:3]:
        bed.kubelet.reuse(pod.status.pod_ip)
        bed.core.delete_namespaced_pod(pod.metadata.name, bed.namespace, grace_period_seconds=0)
    bed.ready(10)


def node_unknown(bed: Bed) -> None:
    """A node is cut off from the API server; its Pods serve on, and are told late to end."""
    node = bed.kubelet.names[0]

    def silence() -> None:
        bed.kubelet.silence(node)
        bed.wait("that the node is Unknown", lambda: bed.node_ready(node) == "Unknown", 60.0)
        time.sleep(5)
        bed.kubelet.resume(node)

    roll(bed, "registered", silence)


def other_service_scaled_down(bed: Bed) -> None:
    """An administrator takes away all Pods of another Service on the same load balancer."""
    bed.service("other", port=FRONT + 1)
    bed.deploy(5, name="other", pre_stop=4)
    bed.ready(5, "other")
    roll(bed, "registered", lambda: bed.scale(0, "other"))
    bed.ready(0, "other")


SCENARIOS: tuple[Scenario, ...] = (
    *(
        Scenario(
            f"policy: {name}", nothing, Shape(pre_stop=3, gate=gate, check=SLOW), fails=gate != GATE
        )
        for name, gate in POLICIES.items()
    ),
    Scenario("HTTP, rules of an Ingress", nothing, Shape(pre_stop=6, owner="Ingress", rate=50)),
    Scenario("TCP, clients that keep connections", nothing, Shape(pre_stop=6, reuse=True)),
    *(Scenario(f"killed: {step}", killed_at(step)) for step in STEPS),
    Scenario("killed, another takes over", killed_at("weight 0"), Shape(binders=2)),
    Scenario("ended, another takes over", ended, Shape(binders=2)),
    Scenario("leader cut off from the API server", partitioned),
    Scenario("leader frozen, thawed", frozen, Shape(binders=2)),
    Scenario("leader frozen 8 s, alone", frozen_alone),
    Scenario("API throttled to 1/s", throttled),
    Scenario("CLB down 30 s, preStop 45 s", clb_down, Shape(pre_stop=45)),
    Scenario(
        "CLB down 30 s, preStop 20 s",
        clb_down,
        impossible="Pods that end during the outage cannot be taken out of the load balancer",
    ),
    Scenario("load balancer held 8 s by another", held),
    Scenario("15 % of calls fail in each of four ways", unreliable),
    Scenario("readings 2.5 s late", late_readings),
    Scenario("API server restarted, 410", api_server_restarted),
    Scenario("target removed by hand", removed_by_hand),
    Scenario("addresses reused", address_reused, Shape(pre_stop=4)),
    Scenario(
        "3 of 10 deleted by force, addresses taken over",
        address_taken_over,
        impossible="nobody knows of it before it is done",
    ),
    Scenario("node Unknown", node_unknown),
    Scenario("other Service scaled to zero", other_service_scaled_down),
)

__all__ = ["SCENARIOS", "Row", "Scenario", "Shape", "play"]
