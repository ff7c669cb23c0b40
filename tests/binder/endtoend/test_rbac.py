"""The rights that are shipped: enough for the binder, and not one too many.

Each is taken away in turn, and then something that the binder needs does not work any more.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from kubernetes.client import ApiClient, CoordinationV1Api, CoreV1Api
from kubernetes.client.exceptions import ApiException
from ruamel.yaml import YAML

from binder.cloud.codes import CloudError
from binder.cluster.api import MERGE, NOT_FOUND, Api, Refused
from binder.cluster.events import Events
from binder.cluster.informer import Informer, Informers
from binder.cluster.kubernetes import Kubernetes
from binder.cluster.lease import Lease
from binder.cluster.project import INGRESSES, PODS, SERVICE_CONFIGS, SERVICES
from binder.commands.assembly import LEASE_NAME
from binder.core.actions import (
    Action,
    CreateListener,
    CreateRule,
    DeleteListener,
    DeleteRule,
    Deregister,
    Modify,
    Register,
    Retag,
    SetAddresses,
    SetGate,
    Tell,
    Weigh,
)
from binder.core.clb import Attributes, Check, Frontend
from binder.core.clb import Key as Target
from binder.core.objects import Name, Owner
from binder.settings import Settings
from binder.simulator.accounts import Grant
from binder.simulator.simulator import KEY
from schemas import contract
from tests.binder.cloud.bed import Cloud
from tests.binder.cloud.conftest import bed as simulator
from tests.binder.commands.test_process import run as command
from tests.binder.endtoend.bed import FRONT, Bed
from tests.binder.simulator.bed import LB
from tests.binder.simulator.bed import Bed as Simulator
from tests.conftest import ROOT
from tests.controlplane import manifests
from tests.controlplane.access import RBAC, account, create
from tests.controlplane.kubelet import Kubelet
from tests.controlplane.plane import ControlPlane
from tests.controlplane.watching import eventually

__all__ = ["simulator"]

Rule = dict[str, Any]
FOLDER = ROOT / "kustomize-plugin" / "binder"
NAME = "web"


def shipped(kind: str) -> list[Rule]:
    """The rules of the ClusterRole or Role."""
    return [
        rule
        for file in ("cluster-role.yaml", "role.yaml")
        for one in YAML(typ="safe", pure=True).load_all((FOLDER / file).read_text())
        if one["kind"] == kind
        for rule in one["rules"]
    ]


EVERYWHERE, AT_HOME = shipped("ClusterRole"), shipped("Role")
RIGHTS = sorted(
    (resource, verb)
    for rule in (*EVERYWHERE, *AT_HOME)
    for resource in rule["resources"]
    for verb in rule["verbs"]
)
# What the binder cannot do any more without each of them.
BREAKS = {
    ("events", "create"): "no event is written",
    ("events", "patch"): "no event is counted",
    ("ingresses", "list"): "ingresses are not listed",
    ("ingresses", "watch"): "ingresses are not watched",
    ("ingresses/status", "patch"): "no Ingress gets its address",
    ("leases", "create"): "nobody leads",
    ("leases", "get"): "nobody leads",
    ("leases", "update"): "the lease is not renewed",
    ("pods", "list"): "pods are not listed",
    ("pods", "watch"): "pods are not watched",
    ("pods/status", "patch"): "no gate is opened",
    ("services", "list"): "services are not listed",
    ("services", "watch"): "services are not watched",
    ("services/status", "patch"): "no Service gets its address",
    ("tkeserviceconfigs", "list"): "tkeserviceconfigs are not listed",
    ("tkeserviceconfigs", "watch"): "tkeserviceconfigs are not watched",
}


def without(rules: Sequence[Rule], resource: str, verb: str) -> list[Rule]:
    """`rules` but for one verb on one resource."""
    kept = []
    for rule in rules:
        others = [one for one in rule["resources"] if one != resource]
        verbs = [one for one in rule["verbs"] if one != verb]
        kept += [{**rule, "resources": others}] if others else []
        if resource in rule["resources"] and verbs:
            kept.append({**rule, "resources": [resource], "verbs": verbs})
    return kept


def granted(
    api: ApiClient,
    namespace: str,
    name: str = "binder",
    everywhere: Sequence[Rule] = EVERYWHERE,
    at_home: Sequence[Rule] = AT_HOME,
) -> str:
    """The token of a service account with these rules, bound as the manifests bind them."""
    token = account(api, namespace, name, everywhere, everywhere=True)
    meta = {"name": name, "namespace": namespace}
    subject = {"kind": "ServiceAccount", **meta}
    version, grant = f"{RBAC}/v1", {"apiGroup": RBAC, "kind": "Role", "name": name}
    base = {"apiVersion": version, "metadata": meta}
    create(
        api,
        {**base, "kind": "Role", "rules": list(at_home)},
        {**base, "kind": "RoleBinding", "subjects": [subject], "roleRef": grant},
    )
    return token


# --- Kubernetes, verb by verb


class Site:
    """One object of each kind that is written to, and the administrator who looks after."""

    def __init__(self, api: ApiClient, namespace: str) -> None:
        self.api, self.namespace = api, namespace
        pod = manifests.pod(
            namespace, NAME, readinessGates=[{"conditionType": contract.READINESS_GATE}]
        )
        meta = {"name": NAME, "namespace": namespace}
        port = {"name": "http", "port": 80}
        service = {"selector": {"app": NAME}, "ports": [port], "type": "LoadBalancer"}
        backend = {"service": {"name": NAME, "port": {"number": 80}}}
        create(
            api,
            pod,
            {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": service},
            {
                "apiVersion": "networking.k8s.io/v1",
                "kind": "Ingress",
                "metadata": meta,
                "spec": {"defaultBackend": backend},
            },
        )
        admin = Api(api)
        self.uids = {
            kind: admin.call("GET", resource.path(namespace, NAME))["metadata"]["uid"]
            for kind, resource in (("Pod", PODS), ("Service", SERVICES), ("Ingress", INGRESSES))
        }
        self.times = 0

    def owner(self, kind: str) -> Owner:
        return Owner(kind, self.namespace, NAME, self.uids[kind])

    def forget_lease(self) -> None:
        try:
            CoordinationV1Api(self.api).delete_namespaced_lease(LEASE_NAME, self.namespace)
        except ApiException as error:
            assert error.status == NOT_FOUND

    def holder(self) -> str:
        lease = CoordinationV1Api(self.api).read_namespaced_lease(LEASE_NAME, self.namespace)
        assert lease.spec
        return lease.spec.holder_identity or ""


@pytest.fixture
def site(api: ApiClient, namespace: str) -> Site:
    return Site(api, namespace)


def broken(api: Api, site: Site) -> set[str]:
    """What of the binder's work does not work with the rights of `api`."""
    site.times += 1
    return {*_not_followed(api), *_not_written(api, site), *_not_told(api, site), *_lead(api, site)}


class Listed:
    """A sink that knows when it was told of a list, by the clock of informers."""

    at = 0.0

    def replace(self, items: Sequence[Any]) -> None:
        self.at = time.monotonic()

    def put(self, item: Any) -> None: ...
    def drop(self, item: Any) -> None: ...


def _not_followed(api: Api) -> Iterator[str]:
    followed = [(resource, Listed()) for resource in (PODS, SERVICES, INGRESSES)]
    informers = [Informer[Any](api, *one) for one in followed]
    for one in informers:
        one.start()
    for one, (resource, listed) in zip(informers, followed):
        eventually("a watch, or why there is none", partial(_is_settled, one, listed))
        if one.failure:
            assert " 403 " in one.failure
            yield f"{resource.plural} are not {'watched' if one.synced else 'listed'}"
    for one in informers:
        one.stop()
    # This cluster has no such kind. The API server looks at rights first, then for the kind.
    for query, verb in (({}, "listed"), ({"watch": "true"}, "watched")):
        with pytest.raises(Refused) as refused:
            api.call("GET", SERVICE_CONFIGS.path(), query)
        if refused.value.status != NOT_FOUND:
            assert refused.value.status == 403
            yield f"{SERVICE_CONFIGS.plural} are not {verb}"


def _is_settled(one: Informer[Any], listed: Listed) -> bool:
    return bool(one.failure or (one.synced and one.seen_at > listed.at))


def _not_written(api: Api, site: Site) -> Iterator[str]:
    writer = Kubernetes(api, Informers(api, lambda _: Listed()), Events(api), lambda: True)
    condition = SetGate(Name(site.namespace, NAME), site.uids["Pod"], "True", "Test", "")
    if not writer.set_gate(condition, None):
        yield "no gate is opened"
    for kind in ("Service", "Ingress"):
        if not writer.set_addresses(SetAddresses(site.owner(kind), ("192.0.2.1",))):
            yield f"no {kind} gets its address"


def _not_told(api: Api, site: Site) -> Iterator[str]:
    events = Events(api, quiet=0.0)
    tell = Tell(site.owner("Service"), "Warning", "Test", f"time {site.times}")
    for problem in ("no event is written", "no event is counted"):
        events.tell(tell)
        events.step()
        if events.failed:
            yield problem
            return


def _lead(api: Api, site: Site) -> Iterator[str]:
    site.forget_lease()
    lease = Lease(api, site.namespace, LEASE_NAME, "me", Settings())
    lease.step()
    if not lease.held():
        yield "nobody leads"
        return
    lease.step()
    lease.release()
    if site.holder():  # it was neither renewed nor given back
        yield "the lease is not renewed"


def test_every_right_has_something_that_needs_it() -> None:
    assert sorted(BREAKS) == sorted(set(RIGHTS))


def test_with_the_shipped_rights_everything_works(control_plane: ControlPlane, site: Site) -> None:
    with control_plane.client(granted(site.api, site.namespace)) as client:
        eventually("all works", lambda: broken(Api(client), site) == set(), 15.0)


@pytest.mark.parametrize(("resource", "verb"), sorted(BREAKS))
def test_without_one_right_something_breaks(
    resource: str, verb: str, control_plane: ControlPlane, site: Site
) -> None:
    rules = (without(EVERYWHERE, resource, verb), without(AT_HOME, resource, verb))
    token, wanted = granted(site.api, site.namespace, "binder", *rules), {BREAKS[resource, verb]}
    found: list[set[str]] = []

    def check() -> bool:
        found.append(broken(Api(client), site))
        return found[-1] == wanted

    with control_plane.client(token) as client:
        try:
            eventually("only this breaks", check, 15.0)
        except AssertionError:
            raise AssertionError(f"{wanted} should break, {found[-1]} did") from None


FORBIDDEN = [
    ("GET", "/api/v1/secrets"),
    ("GET", "/api/v1/configmaps"),
    ("GET", "/api/v1/nodes"),
    ("GET", "/api/v1/namespaces/{namespace}/pods/web"),
    ("PATCH", "/api/v1/namespaces/{namespace}/pods/web"),
    ("DELETE", "/api/v1/namespaces/{namespace}/pods/web"),
    ("PATCH", "/api/v1/namespaces/{namespace}/services/web"),
    ("PATCH", "/apis/networking.k8s.io/v1/namespaces/{namespace}/ingresses/web"),
    ("GET", "/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases/another"),
    ("GET", "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/tke-direct-binder"),
    ("DELETE", "/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases/tke-direct-binder"),
]


def test_nothing_else_is_allowed(control_plane: ControlPlane, site: Site) -> None:
    with control_plane.client(granted(site.api, site.namespace)) as client:
        eventually("all works", lambda: broken(Api(client), site) == set(), 15.0)
        for method, path in FORBIDDEN:
            place = path.format(namespace=site.namespace)
            with pytest.raises(Refused) as refused:
                Api(client).call(method, place, body={}, media=MERGE)
            assert (refused.value.status, place) == (403, place)


# --- CLB, action by action


POLICY = json.loads((FOLDER / "cam-policy.json").read_text())
ACTIONS = sorted(name.removeprefix("clb:") for row in POLICY["statement"] for name in row["action"])


def allow(world: Any, actions: Sequence[str]) -> None:
    """Let our key do these, and nothing else."""
    world.accounts.add(replace(KEY, grants=tuple(Grant(action) for action in actions)))


def a_day(cloud: Cloud) -> None:
    """Everything that the binder does with CLB; CloudError where it may not."""
    clb = cloud.clb
    reads: list[Callable[[], Any]] = [
        clb.quota,
        lambda: clb.load_balancers([LB]),
        lambda: clb.targets(LB),
        lambda: clb.health([LB]),
    ]
    for read in reads:
        read()
    _write(cloud, CreateListener(Frontend("TCP", 7001), "one", Attributes()))
    _write(cloud, CreateListener(Frontend("HTTP", 7002), "two", Attributes()))
    tcp, http = (
        next(one for one in clb.listeners(LB).value if one.name == name) for name in ("one", "two")
    )
    rule = Frontend("HTTP", 7002, "a.example", "/")
    _write(cloud, CreateRule(http.id, rule, Attributes()))
    made = next(one for one in clb.listeners(LB).value if one.id == http.id)
    location = made.groups[0].location
    key, change = Target(tcp.id, "", "10.0.0.1", 80), Attributes(Check(interval=7))
    actions = (
        *(Register(key, 10, "b1.x.y"), Retag(key, "b1.x.z"), Weigh(key, 0), Deregister(key)),
        *(Modify(tcp.id, "", change), Modify(http.id, location, change)),
        *(DeleteRule(http.id, location), DeleteListener(http.id), DeleteListener(tcp.id)),
    )
    for action in actions:
        _write(cloud, action)


def _write(cloud: Cloud, action: Action) -> None:
    (outcome,) = cloud.clb.perform(LB, [action])
    if outcome.error:
        raise outcome.error


def calls(simulator: Simulator) -> dict[str, set[str]]:
    """The actions that were called, by the beginning of what came of them."""
    found: dict[str, set[str]] = {}
    for row in simulator.world.journal.since(kind="call"):
        found.setdefault(row["outcome"].partition(".")[0], set()).add(row["action"])
    return found


def test_a_day_of_the_binder_needs_exactly_the_shipped_policy(simulator: Simulator) -> None:
    allow(simulator.world, ACTIONS)
    cloud = Cloud(simulator)
    a_day(cloud)
    cloud.client.close()
    assert {one: sorted(names) for one, names in calls(simulator).items()} == {"OK": ACTIONS}


@pytest.mark.parametrize("action", ACTIONS)
def test_without_one_action_something_is_refused(action: str, simulator: Simulator) -> None:
    allow(simulator.world, [one for one in ACTIONS if one != action])
    cloud = Cloud(simulator)
    with pytest.raises(CloudError):
        a_day(cloud)
    cloud.client.close()
    assert calls(simulator)["UnauthorizedOperation"] == {action}


# --- all of it together


def test_the_binder_works_with_what_is_shipped_and_nothing_more(
    control_plane: ControlPlane, kubelet: Kubelet, api: ApiClient, namespace: str
) -> None:
    kubeconfig = control_plane.kubeconfig(granted(api, namespace))
    with Bed(control_plane, kubelet, namespace, kubeconfig=kubeconfig, listeners="owned") as bed:
        bed.facts = {}
        bed.simulator.do(lambda: allow(bed.simulator.world, ACTIONS))
        bed.start_binder()
        bed.service()
        create(api, _ingress(namespace, bed.lb))
        bed.deploy(2)
        bed.ready(2)
        bed.wait("addresses", lambda: _has_address(api, namespace))
        # People look with the same rights, from within the binder's Pod.
        name = f"{namespace}/{bed.pods()[0].metadata.name}"
        assert command(bed, "explain", "--listeners", "owned", name)[::2] == (0, "")
        _, out, error = command(bed, "plan", "--listeners", "owned")
        assert (error, f"{bed.lb}  " in out) == ("", True)
        bed.scale(1)
        bed.bound_to(1)
        refused = [
            row
            for row in bed.journal()
            if row["kind"] == "call" and "Unauthorized" in row["outcome"]
        ]
        assert refused == []
        # It sees namespaces of other tests, which end; there nobody may write.
        forbidden = [line for line in bed.logs().splitlines() if "is forbidden" in line]
        assert [line for line in forbidden if "being terminated" not in line] == []


def _ingress(namespace: str, lb: str) -> dict[str, Any]:
    backend = {"service": {"name": "web", "port": {"number": FRONT}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {
            "name": "web",
            "namespace": namespace,
            "annotations": {contract.EXISTING_CLB["ingress"]: lb},
        },
        "spec": {
            "ingressClassName": contract.BINDER_INGRESS_CLASS,
            "rules": [{"host": "a.example", "http": {"paths": [path]}}],
        },
    }


def _has_address(api: ApiClient, namespace: str) -> bool:
    service = CoreV1Api(api).read_namespaced_service("web", namespace)
    found = Api(api).call("GET", INGRESSES.path(namespace, "web"))
    given = service.status and service.status.load_balancer and service.status.load_balancer.ingress
    return bool(given and found["status"]["loadBalancer"].get("ingress"))
