"""The indices of the view equal what one finds by looking at every object."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from binder.core.bindings import bindings, selects
from binder.core.objects import Pod, Service, ServicePort
from binder.core.view import View
from binder.settings import Settings
from schemas.contract import EXISTING_CLB, LOAD_BALANCER_CLASS

SETTINGS = Settings(cluster="ours")
NAMESPACES = st.sampled_from(["a", "b"])
SMALL = st.integers(0, 3)
LABELS = st.dictionaries(st.sampled_from(["app", "tier"]), st.sampled_from(["x", "y"]))
LOAD_BALANCERS = st.sampled_from(["", "lb-1", "lb-2"])


def service(namespace: str, name: int, labels: dict[str, str], lb: str, uid: int) -> Service:
    return Service(
        f"{namespace}-{name}-{uid}",
        namespace,
        f"s{name}",
        "LoadBalancer",
        LOAD_BALANCER_CLASS,
        {EXISTING_CLB["service"]: lb} if lb else {},
        tuple(sorted(labels.items())),
        (ServicePort("", 80 + name, "TCP", 8080),),
    )


class Indices(RuleBasedStateMachine):
    """Objects come, change and go; the view is compared with plain dictionaries of them."""

    def __init__(self) -> None:
        super().__init__()
        self.view, self.now = View(SETTINGS), 0.0
        self.pods: dict[str, Pod] = {}
        self.services: dict[tuple[str, str], Service] = {}
        self.had: dict[str, str] = {}  # owner's uid: its load balancer
        self.lost: dict[str, float] = {}

    @rule(namespace=NAMESPACES, number=SMALL, labels=LABELS, ip=SMALL, host=st.booleans())
    def put_pod(
        self, namespace: str, number: int, labels: dict[str, str], ip: int, host: bool
    ) -> None:
        before = self.pods.get(f"{namespace}{number}")
        host = before.host_network if before else host  # that of a Pod never changes
        address = f"10.0.0.{ip}" if ip else ""
        pod = Pod(
            f"{namespace}{number}", namespace, f"p{number}", "", labels, address, host_network=host
        )
        on = self.load_balancers(before) if before else set()
        self.pods[pod.uid] = pod
        assert on | self.load_balancers(pod) == self.view.put(pod, self.now)

    @rule(namespace=NAMESPACES, number=SMALL)
    def drop_pod(self, namespace: str, number: int) -> None:
        pod = self.pods.pop(f"{namespace}{number}", None)
        if pod is None:
            assert self.view.drop(Pod(f"{namespace}{number}", namespace, "p"), self.now) == set()
        else:
            assert self.view.drop(pod, self.now) == self.load_balancers(pod)

    @rule(namespace=NAMESPACES, name=SMALL, labels=LABELS, lb=LOAD_BALANCERS, uid=st.integers(0, 1))
    def put_service(
        self, namespace: str, name: int, labels: dict[str, str], lb: str, uid: int
    ) -> None:
        one = service(namespace, name, labels, lb, uid)
        self.now += 1
        self.services[namespace, one.name] = one
        self.view.put(one, self.now)
        self.follow()

    @rule(namespace=NAMESPACES, name=SMALL, uid=st.integers(0, 1))
    def drop_service(self, namespace: str, name: int, uid: int) -> None:
        one = service(namespace, name, {}, "", uid)
        self.now += 1
        if self.services.get((namespace, one.name), one).uid == one.uid:
            self.services.pop((namespace, one.name), None)
        self.view.drop(one, self.now)
        self.follow()

    def follow(self) -> None:
        lbs = {one.owner.uid: one.lb for one in self.wanted()}
        for uid, lb in lbs.items():
            if lb:
                self.lost.pop(uid, None)
            elif self.had.get(uid):
                self.lost[uid] = self.now
        self.lost = {uid: when for uid, when in self.lost.items() if uid in lbs}
        self.had = lbs

    def wanted(self) -> list:  # type: ignore[type-arg]
        return [
            one
            for namespace in ("a", "b")
            for one in bindings(
                [found for found in self.services.values() if found.namespace == namespace],
                (),
                (),
                SETTINGS,
            ).bindings
        ]

    def load_balancers(self, pod: Pod) -> set[str]:
        return {one.lb for one in self.wanted() if one.lb and selects(one, pod)}

    @invariant()
    def bindings_are_those_of_all_services(self) -> None:
        wanted = self.wanted()
        for lb in ("lb-1", "lb-2", "lb-3"):
            assert self.view.bindings_on(lb) == sorted(
                (one for one in wanted if one.lb == lb), key=lambda one: (one.owner, one.frontend)
            )
        assert self.view.load_balancers() == {one.lb for one in wanted if one.lb}

    @invariant()
    def pods_are_found_by_labels_address_and_namespace(self) -> None:
        assert self.view.pods == self.pods
        in_order = sorted(self.pods.values(), key=lambda pod: pod.uid)
        for binding in self.wanted():
            assert self.view.selected(binding) == [pod for pod in in_order if selects(binding, pod)]
        for number in range(1, 4):
            ip = f"10.0.0.{number}"
            found = [pod for pod in in_order if pod.ip == ip and not pod.host_network]
            assert self.view.at(ip) == found
        for namespace in ("a", "b"):
            there = {pod.uid for pod in self.pods.values() if pod.namespace == namespace}
            assert {pod.uid for pod in self.view.pods_in(namespace)} == there
        for pod in in_order:
            assert self.view.bindings_of(pod) == [one for one in self.wanted() if selects(one, pod)]

    @invariant()
    def it_is_known_since_when_an_owner_has_lost_its_load_balancer(self) -> None:
        assert {owner.uid: when for owner, when in self.view.lost.items()} == self.lost

    @invariant()
    def nothing_is_kept_of_what_has_gone(self) -> None:
        if not self.pods:
            assert not self.view._labelled
            assert not self.view._at
            assert not self.view._within


Indices.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestIndices = Indices.TestCase
