"""Against a real API server, with no more rights than each part needs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from kubernetes.client import ApiClient, CoreV1Api

from binder.cluster.api import STRATEGIC, Api, Refused
from binder.cluster.events import COMPONENT, Events
from binder.cluster.informer import Informer, Informers, Timing
from binder.cluster.lease import Lease
from binder.cluster.live import live
from binder.cluster.project import PODS, SERVICE_CONFIGS, Resource
from binder.cluster.status import Outcome, Statuses
from binder.core.actions import SetAddresses, SetGate, Tell
from binder.core.objects import Condition, Name, Owner, Pod
from binder.settings import Settings
from schemas.contract import READINESS_GATE, SERVICE_CONFIG_GROUP
from tests.controlplane import manifests
from tests.controlplane.access import RBAC, account, create
from tests.controlplane.plane import ControlPlane
from tests.controlplane.programs import Programs
from tests.controlplane.watching import eventually

Object = dict[str, Any]
CRD = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def rule(group: str, resources: str, verbs: str) -> Object:
    return {"apiGroups": [group], "resources": resources.split(), "verbs": verbs.split()}


EVERYWHERE = [
    rule("", "pods services", "list watch"),
    rule("networking.k8s.io", "ingresses", "list watch"),
    rule(SERVICE_CONFIG_GROUP, "tkeserviceconfigs", "list watch"),
    rule("", "pods/status services/status", "patch"),
    rule("networking.k8s.io", "ingresses/status", "patch"),
    rule("", "events", "create patch"),
]
IN_ITS_NAMESPACE = [rule("coordination.k8s.io", "leases", "get create update")]


@pytest.fixture
def binder(control_plane: ControlPlane, api: ApiClient, namespace: str) -> Iterator[Api]:
    """The API as a binder's service account may use it."""
    account(api, namespace, "binder", EVERYWHERE, everywhere=True)
    token = account(api, namespace, "leader", IN_ITS_NAMESPACE)
    with control_plane.client(token) as client:
        # One account with both roles.
        account_of = {"kind": "ServiceAccount", "name": "leader", "namespace": namespace}
        create(
            api,
            {
                "apiVersion": f"{RBAC}/v1",
                "kind": "ClusterRoleBinding",
                "metadata": {"name": f"{namespace}-both"},
                "subjects": [account_of],
                "roleRef": {
                    "apiGroup": RBAC,
                    "kind": "ClusterRole",
                    "name": f"{namespace}-binder",
                },
            },
        )
        made = Api(client)
        eventually("its rights", lambda: _may(made, namespace))
        yield made


@pytest.fixture
def admin(api: ApiClient) -> Api:
    return Api(api)


def _may(api: Api, namespace: str) -> bool:
    try:
        live(api, namespace)
    except Refused:
        return False
    return True


class Told:
    """What an informer has told, by name; and how often all was replaced."""

    def __init__(self, namespace: str) -> None:
        self.there: dict[str, Any] = {}
        self.replaced = 0
        self._namespace = namespace

    def replace(self, items: Sequence[Any]) -> None:
        self.replaced += 1
        self.there = {item.name: item for item in items if item.namespace == self._namespace}

    def put(self, item: Any) -> None:
        if item.namespace == self._namespace:
            self.there[item.name] = item

    def drop(self, item: Any) -> None:
        if item.namespace == self._namespace:
            self.there.pop(item.name, None)


@pytest.fixture
def inform() -> Iterator[Callable[..., Informer[Any]]]:
    running: list[Informer[Any]] = []

    def start(*arguments: Any, **options: Any) -> Informer[Any]:
        informer = Informer[Any](*arguments, **options)
        running.append(informer)
        informer.start()
        return informer

    yield start
    for each in running:
        each.stop()
        each.join(10)


def a_pod(namespace: str, name: str = "web") -> Object:
    """One that nobody schedules, so that nobody else writes to it."""
    gates = {"readinessGates": [{"conditionType": READINESS_GATE}]}
    return manifests.pod(namespace, name, schedulingGates=[{"name": "example.com/never"}], **gates)


def a_service(namespace: str, name: str = "web") -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"type": "LoadBalancer", "selector": {"app": "web"}, "ports": [{"port": 80}]},
    }


def an_ingress(namespace: str) -> Object:
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "web", "namespace": namespace},
        "spec": {"defaultBackend": backend},
    }


def the_pod(api: Api, namespace: str) -> Pod:
    (found,) = live(api, namespace).pods
    return found


def gate_of(found: Pod, status: str = "True", **fields: str) -> SetGate:
    return SetGate(found.key, found.uid, status, "Because", "of this", "")._replace(**fields)


def test_what_happens_is_followed(
    binder: Api, admin: Api, namespace: str, inform: Callable[..., Informer[Any]]
) -> None:
    create(admin._client, a_pod(namespace, "old"))
    told = Told(namespace)
    informer = inform(binder, PODS, told)
    eventually("the list", lambda: informer.synced and "old" in told.there)
    create(admin._client, a_pod(namespace, "new"))
    eventually("a new Pod", lambda: "new" in told.there)
    new = told.there["new"]
    assert (new.gated, new.condition, new.labels) == (True, None, {"app": "new"})
    Statuses(binder).set_gate(gate_of(new), None)
    eventually("its condition", lambda: told.there["new"].open)
    admin.call("DELETE", PODS.path(namespace, "old"), {"gracePeriodSeconds": 0})
    eventually("that one has gone", lambda: "old" not in told.there)
    assert told.replaced == 1


def test_a_watch_that_the_server_ends_goes_on(
    binder: Api, admin: Api, namespace: str, inform: Callable[..., Informer[Any]]
) -> None:
    told = Told(namespace)
    timing = Timing(watch=1.0, spread=0.0, short=0.1)
    informer = inform(binder, PODS, told, timing=timing)
    eventually("the list", lambda: informer.synced)
    heard = informer.seen_at
    eventually("three watches later", lambda: informer.seen_at > heard + 2.0)
    create(admin._client, a_pod(namespace))
    eventually("a new Pod", lambda: "web" in told.there)
    assert told.replaced == 1
    assert informer.failure == ""


def test_an_informer_ends_at_once_though_nothing_happens(
    binder: Api, namespace: str, inform: Callable[..., Informer[Any]]
) -> None:
    informer = inform(binder, PODS, Told(namespace))
    eventually("its watch", lambda: informer._stream is not None)
    informer.stop()
    informer.join(10)
    assert not informer._thread.is_alive()


def test_an_api_server_that_was_away_is_caught_up_with(
    programs: Programs, inform: Callable[..., Informer[Any]]
) -> None:
    with ControlPlane(programs) as plane, plane.client() as client:
        api, told = Api(client), Told("default")
        kept = inform(api, PODS, told, timing=Timing(first=0.1, most=0.2))
        eventually("the list", lambda: kept.synced)
        plane.kill("kube-apiserver")
        eventually("that it is noticed", lambda: kept.failure != "")
        plane.start("kube-apiserver")
        plane.wait_ready()
        accounts = "/api/v1/namespaces/default/serviceaccounts"
        eventually("its account", lambda: bool(api.call("GET", accounts)["items"]))
        create(client, a_pod("default"))
        eventually("a new Pod", lambda: "web" in told.there)
        assert kept.failure == ""

        # A server that has just started knows nothing of what happened before it.
        late = Informer[Any](api, PODS, Told("default"))
        late._version = "1"
        assert late._turn() > 0
        assert "too old resource version" in late.failure
        assert late._version == "", "the next turn is a list"


def test_all_kinds_are_followed_though_one_does_not_exist(
    binder: Api, admin: Api, namespace: str
) -> None:
    create(admin._client, a_pod(namespace), a_service(namespace), an_ingress(namespace))
    told: dict[str, Told] = {}

    def sink(resource: Resource[Any]) -> Told:
        return told.setdefault(resource.plural, Told(namespace))

    informers = Informers(binder, sink)
    assert not informers.changes().synced
    began = time.monotonic()
    informers.start()
    try:
        eventually("all kinds", lambda: informers.changes().synced)
        assert informers.changes().seen_at >= began
        kinds = {
            plural: type(one.there["web"]).__name__ for plural, one in told.items() if one.there
        }
        assert kinds == {"pods": "Pod", "services": "Service", "ingresses": "Ingress"}
        assert informers.failures() == []
    finally:
        informers.stop()


def test_a_kind_that_comes_later_is_found(
    binder: Api, admin: Api, namespace: str, inform: Callable[..., Informer[Any]]
) -> None:
    told = Told(namespace)
    timing = Timing(watch=1.0, spread=0.0, absent=0.2)
    informer = inform(binder, SERVICE_CONFIGS, told, timing=timing)
    eventually("that there are none", lambda: informer.synced)
    definition = service_config_definition()
    admin.call("POST", CRD, body=definition)
    try:
        config = {
            "apiVersion": f"{SERVICE_CONFIG_GROUP}/v1alpha1",
            "kind": "TkeServiceConfig",
            "metadata": {"name": "web"},
            "spec": {"loadBalancer": {"l4Listeners": [{"protocol": "TCP", "port": 80}]}},
        }
        eventually("its kind", lambda: _made(admin, SERVICE_CONFIGS.path(namespace), config))
        eventually("the object", lambda: "web" in told.there)
        assert told.there["web"].settings == {("TCP", 80, "", ""): {}}
    finally:
        admin.call("DELETE", f"{CRD}/{definition['metadata']['name']}")
    eventually("that there are none again", lambda: not told.there)


def service_config_definition() -> Object:
    names = {"plural": "tkeserviceconfigs", "singular": "tkeserviceconfig"}
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1alpha1", "served": True, "storage": True}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"tkeserviceconfigs.{SERVICE_CONFIG_GROUP}"},
        "spec": {
            "group": SERVICE_CONFIG_GROUP,
            "scope": "Namespaced",
            "names": {**names, "kind": "TkeServiceConfig", "listKind": "TkeServiceConfigList"},
            "versions": [{**version, "schema": {"openAPIV3Schema": schema}}],
        },
    }


def _made(api: Api, path: str, body: Object) -> bool:
    try:
        api.call("POST", path, body=body)
    except Refused as error:
        assert error.status in (404, 409, 429, 503)
        return False
    return True


def test_the_gate_is_written_beside_other_conditions(
    binder: Api, admin: Api, namespace: str
) -> None:
    create(admin._client, a_pod(namespace))
    found = the_pod(binder, namespace)
    other = [{"type": "ContainersReady", "status": "True"}]
    path = PODS.path(namespace, "web", "status")
    admin.call("PATCH", path, None, {"status": {"conditions": other}}, STRATEGIC)
    statuses = Statuses(binder, wall=lambda: 1_800_000_000.0)
    assert statuses.set_gate(gate_of(found, "False"), None) is Outcome.DONE
    now = the_pod(binder, namespace)
    assert (now.containers_ready, now.condition) == (True, Condition("False", "Because", "of this"))
    assert condition_of(admin, namespace)["lastTransitionTime"] == "2027-01-15T08:00:00Z"
    later = Statuses(binder, wall=lambda: 1_800_000_060.0)
    again = gate_of(found, "False", message="of that")
    assert later.set_gate(again, now.condition) is Outcome.DONE
    assert condition_of(admin, namespace)["message"] == "of that"
    assert condition_of(admin, namespace)["lastTransitionTime"] == "2027-01-15T08:00:00Z"
    assert later.set_gate(gate_of(found, "True"), now.condition) is Outcome.DONE
    assert condition_of(admin, namespace)["lastTransitionTime"] == "2027-01-15T08:01:00Z"
    assert condition_of(admin, namespace)["lastProbeTime"] is None


def condition_of(api: Api, namespace: str) -> Object:
    found = api.call("GET", PODS.path(namespace, "web"))["status"]["conditions"]
    return next(one for one in found if one["type"] == READINESS_GATE)


@pytest.mark.parametrize("fields", [{"uid": "another"}, {"resource_version": "1"}])
def test_a_write_for_another_pod_or_version_is_a_conflict(
    binder: Api, admin: Api, namespace: str, fields: dict[str, str]
) -> None:
    create(admin._client, a_pod(namespace))
    action = gate_of(the_pod(binder, namespace), **fields)
    assert Statuses(binder).set_gate(action, None) is Outcome.CONFLICT
    assert the_pod(binder, namespace).condition is None


def test_the_version_that_is_there_may_be_written_over(
    binder: Api, admin: Api, namespace: str
) -> None:
    create(admin._client, a_pod(namespace))
    found = the_pod(binder, namespace)
    action = gate_of(found, resource_version=found.resource_version)
    assert Statuses(binder).set_gate(action, None) is Outcome.DONE
    assert Statuses(binder).set_gate(action, None) is Outcome.CONFLICT


def test_a_pod_that_has_gone_is_an_outcome(binder: Api, namespace: str) -> None:
    action = SetGate(Name(namespace, "web"), "u", "True", "Because", "of this")
    assert Statuses(binder).set_gate(action, None) is Outcome.GONE


def test_addresses_of_services_and_ingresses_are_written_and_taken_back(
    binder: Api, admin: Api, namespace: str
) -> None:
    create(admin._client, a_service(namespace), an_ingress(namespace))
    statuses = Statuses(binder)
    for addresses in (("1.2.3.4", "lb.example"), ("1.2.3.5",), ()):
        now = live(binder, namespace)
        for each in (*now.services, *now.ingresses):
            action = SetAddresses(each.owner, addresses)
            assert statuses.set_addresses(action) is Outcome.DONE
        now = live(binder, namespace)
        assert [one.addresses for one in (*now.services, *now.ingresses)] == [addresses] * 2


@pytest.mark.parametrize("kind", ["Service", "Ingress"])
def test_addresses_are_not_written_to_another_of_that_name(
    binder: Api, admin: Api, namespace: str, kind: str
) -> None:
    create(admin._client, a_service(namespace), an_ingress(namespace))
    owner = Owner(kind, namespace, "web", "another")
    statuses = Statuses(binder)
    assert statuses.set_addresses(SetAddresses(owner, ("1.2.3.4",))) is Outcome.CONFLICT
    missing = owner._replace(name="missing")
    assert statuses.set_addresses(SetAddresses(missing, ())) is Outcome.GONE


def test_events_are_told_and_counted(binder: Api, api: ApiClient, namespace: str) -> None:
    about = Owner("Pod", namespace, "web", "u")
    tell = Tell(about, "Warning", "Because", "of this")
    events, stop = Events(binder, quiet=0.0), threading.Event()
    thread = threading.Thread(target=events.run, args=(stop,))
    thread.start()

    def seen() -> list[tuple[str, int]]:
        found: Any = CoreV1Api(api).list_namespaced_event(namespace).items
        return [(one.message, one.count) for one in found if one.source.component == COMPONENT]

    try:
        events.tell(tell)
        eventually("an event", lambda: seen() == [("of this", 1)])
        events.tell(tell)
        eventually("its count", lambda: seen() == [("of this", 2)])
    finally:
        stop.set()
        thread.join()
    assert (events.failed, events.dropped) == (0, 0)


class Candidate:
    """A lease that runs in a thread."""

    def __init__(self, api: Api, namespace: str, identity: str) -> None:
        settings = Settings(lease=3.0, renew=2.0, retry_lease=0.2)
        self.lease = Lease(api, namespace, "binder", identity, settings)
        self.stopping = threading.Event()
        self._thread = threading.Thread(target=self.lease.run, args=(self.stopping,))
        self._thread.start()

    def end(self) -> None:
        self.stopping.set()
        self._thread.join()


@pytest.fixture
def candidates(binder: Api, namespace: str) -> Iterator[Callable[[str], Candidate]]:
    running: list[Candidate] = []

    def start(identity: str) -> Candidate:
        running.append(Candidate(binder, namespace, identity))
        return running[-1]

    yield start
    for each in running:
        each.end()


def test_the_next_takes_over_at_once_when_the_first_releases_it(
    candidates: Callable[[str], Candidate],
) -> None:
    first = candidates("first")
    eventually("a leader", first.lease.held)
    second = candidates("second")
    eventually("it sees who leads", lambda: second.lease.holder == "first")
    first.end()
    assert not first.lease.held()
    eventually("a new leader", second.lease.held)
    assert second.lease.holder == "second"


def test_the_next_takes_over_when_the_first_is_silent(
    candidates: Callable[[str], Candidate],
) -> None:
    first = candidates("first")
    eventually("a leader", first.lease.held)
    second = candidates("second")
    eventually("it sees who leads", lambda: second.lease.holder == "first")
    crashed, first.lease.step = first.lease.step, lambda: None  # type: ignore[method-assign]
    eventually("a new leader", second.lease.held)
    assert not first.lease.held()
    assert second.lease.since is not None
    crashed()
    assert not first.lease.held()
    assert first.lease.holder == "second"


def test_what_an_account_may_not_do_is_said(binder: Api, namespace: str) -> None:
    with pytest.raises(Refused, match=r"GET /api/v1/namespaces/.*/secrets: 403 secrets is forbid"):
        binder.call("GET", f"/api/v1/namespaces/{namespace}/secrets")
