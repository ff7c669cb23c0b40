"""From the API's JSON to values: what is kept, and that nothing odd raises."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from binder.cluster import project
from binder.core.objects import (
    Backend,
    Condition,
    ContainerPort,
    Ingress,
    IngressPath,
    Pod,
    Service,
    ServiceConfig,
    ServicePort,
)
from schemas.contract import (
    EXISTING_CLB,
    IGNORE,
    INGRESS_CLASS_ANNOTATION,
    LISTEN_PORTS,
    POD_WEIGHT,
    READINESS_GATE,
    SERVICE_CONFIG,
    SERVICE_DIRECT_ACCESS,
    SYNC_MODE,
)
from tests.binder.cluster.objects import Object, pod, with_lifecycle

ASKED = 1_798_761_600.0  # 2027-01-01T00:00:00Z


def test_of_a_pod_what_decisions_need_is_kept() -> None:
    assert project.pod(pod()) == Pod(
        uid="uid-web-1",
        namespace="shop",
        name="web-1",
        resource_version="1",
        labels={"app": "web", "pod-template-hash": "5d8f7c9b6d"},
        ip="10.0.0.7",
        phase="Running",
        node="node-1",
        ports=(ContainerPort("http", 8080),),
        containers_ready=True,
        gated=True,
        condition=Condition("False", "r", "m"),
    )


def test_a_pod_that_terminates_says_when_that_began_and_when_it_ends() -> None:
    times = {"deletionTimestamp": "2027-01-01T00:00:30Z", "deletionGracePeriodSeconds": 30}
    found = project.pod(pod(**times))
    assert (found.deleted_at, found.dies_at) == (ASKED, ASKED + 30)
    assert found.terminating


def test_a_pod_that_is_deleted_at_once_has_no_grace() -> None:
    found = project.pod(pod(deletionTimestamp="2027-01-01T00:00:00Z"))
    assert (found.deleted_at, found.dies_at) == (ASKED, ASKED)


@pytest.mark.parametrize(
    ("hook", "seconds"),
    [
        ({"sleep": {"seconds": 20}}, 20.0),
        ({"exec": {"command": ["sleep", "20"]}}, 20.0),
        ({"exec": {"command": ["/bin/sleep", "2.5"]}}, 2.5),
        ({"exec": {"command": ["sh", "-c", "sleep 15 && nginx -s quit"]}}, 15.0),
        ({"exec": {"command": ["sh", "-c", "sleep 1m; sleep 5s"]}}, 65.0),
        ({"exec": {"command": ["sh", "-c", "usleep 20"]}}, None),
        ({"exec": {"command": ["nosleep", "20"]}}, None),
        ({"exec": {"command": "sleep 20"}}, None),
        ({"httpGet": {"path": "/stop"}}, None),
        ({"sleep": {"seconds": 0}}, None),
        ("sleep 20", None),
    ],
)
def test_how_long_a_pre_stop_hook_sleeps(hook: Any, seconds: float | None) -> None:
    assert project.pod(with_lifecycle(hook)).pre_stop == seconds


def test_ports_and_hooks_of_native_sidecars_count() -> None:
    item = with_lifecycle({"sleep": {"seconds": 5}})
    port = {"name": "mesh", "containerPort": 15000}
    hook = {"preStop": {"sleep": {"seconds": 25}}}
    sidecar = {"name": "proxy", "restartPolicy": "Always", "ports": [port], "lifecycle": hook}
    before = {"name": "setup", "ports": [{"name": "setup", "containerPort": 1}]}
    item["spec"]["initContainers"] = [before, sidecar]
    pod = project.pod(item)
    assert ("mesh", 15000) in [(one.name, one.number) for one in pod.ports]
    assert "setup" not in [one.name for one in pod.ports]
    assert pod.pre_stop == 25.0


def test_the_longest_pre_stop_hook_counts() -> None:
    item = with_lifecycle({"sleep": {"seconds": 5}})
    other = {"name": "side", "lifecycle": {"preStop": {"sleep": {"seconds": 25}}}}
    item["spec"]["containers"].append(other)
    assert project.pod(item).pre_stop == 25.0


@pytest.mark.parametrize(
    ("text", "weight"),
    [("0", 0), ("100", 100), ("101", None), ("-1", None), ("", None), ("ten", None), ("²", None)],
)
def test_the_weight_of_a_pod(text: str, weight: int | None) -> None:
    assert project.pod(pod(annotations={POD_WEIGHT: text})).weight == weight


@pytest.mark.parametrize(
    ("gates", "status", "updating"),
    [
        ([project.UPDATE_GATES[0]], "False", True),
        ([project.UPDATE_GATES[1]], "False", True),
        ([project.UPDATE_GATES[0]], "True", False),
        ([project.UPDATE_GATES[0]], None, False),  # not said yet
        ([], "False", False),  # not a gate of this Pod
    ],
)
def test_a_pod_is_updated_in_place_while_a_gate_for_that_is_false(
    gates: list[str], status: str | None, updating: bool
) -> None:
    item = pod()
    item["spec"]["readinessGates"] = [{"conditionType": gate} for gate in gates]
    if status:
        both = [{"type": gate, "status": status} for gate in project.UPDATE_GATES]
        item["status"]["conditions"] += both
    assert project.pod(item).updating == updating


def test_pods_with_the_same_labels_share_them() -> None:
    first, second = project.pod(pod("web-1")), project.pod(pod("web-2"))
    assert first.labels is second.labels
    assert first.ports is second.ports
    assert first.node is second.node


def test_of_a_service_what_decisions_need_is_kept() -> None:
    known = {
        SERVICE_DIRECT_ACCESS: "true",
        SYNC_MODE["service"]: "skip",
        EXISTING_CLB["service"]: "lb-1",
        SERVICE_CONFIG["service"]: "web",
        IGNORE: "true",
    }
    item = {
        "metadata": {
            "uid": "u",
            "namespace": "shop",
            "name": "web",
            "annotations": {**known, "kubectl.kubernetes.io/last-applied-configuration": "{}"},
        },
        "spec": {
            "type": "LoadBalancer",
            "loadBalancerClass": "tke-direct.dev/binder",
            "selector": {"b": "2", "a": "1"},
            "ports": [
                {"name": "http", "port": 80, "protocol": "TCP", "targetPort": "http"},
                {"port": 53, "protocol": "UDP"},
                {"port": 81, "targetPort": 8081},
                {"name": "no number"},
            ],
        },
        "status": {"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}, {"hostname": "lb.example"}]}},
    }
    assert project.service(item) == Service(
        uid="u",
        namespace="shop",
        name="web",
        type="LoadBalancer",
        load_balancer_class="tke-direct.dev/binder",
        annotations=known,
        selector=(("a", "1"), ("b", "2")),
        ports=(
            ServicePort("http", 80, "TCP", "http"),
            ServicePort("", 53, "UDP", 53),
            ServicePort("", 81, "TCP", 8081),
        ),
        addresses=("1.2.3.4", "lb.example"),
    )


def an_ingress(**spec: Any) -> Ingress:
    annotations = {INGRESS_CLASS_ANNOTATION: "qcloud", LISTEN_PORTS: "[]", "other": "gone"}
    meta = {"uid": "u", "namespace": "shop", "name": "web", "annotations": annotations}
    return project.ingress({"metadata": meta, "spec": spec})


def to(service: str, **port: Any) -> Object:
    return {"service": {"name": service, "port": port}}


def test_of_an_ingress_paths_and_the_default_backend_are_kept() -> None:
    rules = [
        {
            "host": "a.example",
            "http": {
                "paths": [
                    {"path": "/a", "backend": to("web", number=80)},
                    {"backend": to("web", name="http")},
                    {"path": "/r", "backend": {"resource": {"kind": "Bucket", "name": "b"}}},
                ]
            },
        },
        {"host": "empty.example"},
    ]
    found = an_ingress(rules=rules, defaultBackend=to("rest", number=81))
    assert found.paths == (
        IngressPath("a.example", "/a", Backend("web", 80)),
        IngressPath("a.example", "/", Backend("web", "http")),
        IngressPath("", "/", Backend("rest", 81)),
    )
    assert set(found.annotations) == {INGRESS_CLASS_ANNOTATION, LISTEN_PORTS}


@pytest.mark.parametrize(
    ("spec", "expected"), [({}, "qcloud"), ({"ingressClassName": "nginx"}, "nginx")]
)
def test_the_class_of_an_ingress_is_its_field_before_its_annotation(
    spec: Object, expected: str
) -> None:
    assert an_ingress(**spec).ingress_class == expected


@pytest.mark.parametrize(
    ("tls", "hosts"),
    [
        (None, None),
        ([], None),
        ([{"hosts": ["a", "b"]}, {"hosts": ["c"]}], {"a", "b", "c"}),
        ([{"secretName": "s"}], set()),
        ([{"hosts": ["a"]}, {"secretName": "s"}], set()),
    ],
)
def test_the_hosts_with_tls(tls: Any, hosts: set[str] | None) -> None:
    assert an_ingress(tls=tls).tls_hosts == hosts


def test_a_service_config_is_kept_by_listener_and_rule() -> None:
    check = {"enable": True, "intervalTime": 10}
    item = {
        "metadata": {"namespace": "shop", "name": "web"},
        "spec": {
            "loadBalancer": {
                "l4Listeners": [
                    {"protocol": "TCP", "port": 80, "healthCheck": check, "scheduler": "WRR"}
                ],
                "l7Listeners": [
                    {
                        "protocol": "https",
                        "port": 443,
                        "domains": [
                            {
                                "domain": "a.example",
                                "rules": [{"url": "/", "healthCheck": check}, {"url": "/b"}],
                            }
                        ],
                    }
                ],
            }
        },
    }
    assert project.service_config(item) == ServiceConfig(
        "shop",
        "web",
        {
            ("TCP", 80, "", ""): {"healthCheck": check, "scheduler": "WRR"},
            ("HTTPS", 443, "a.example", "/"): {"healthCheck": check},
            ("HTTPS", 443, "a.example", "/b"): {},
        },
    )


PROJECTIONS = [project.pod, project.service, project.ingress, project.service_config]
NAMES = """
metadata spec status labels annotations containers ports conditions readinessGates type lifecycle
preStop sleep exec command seconds selector rules http paths backend service port tls hosts
loadBalancer ingress l4Listeners l7Listeners domains protocol deletionTimestamp containerPort name
deletionGracePeriodSeconds targetPort hostNetwork conditionType
"""
FIELDS = st.sampled_from(NAMES.split())
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
ODD = st.recursive(
    SCALARS | st.sampled_from(["2027-01-01T00:00:00Z", "9999-12-31T23:59:59Z"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(FIELDS | st.text(max_size=3), inner, max_size=6)
    ),
    max_leaves=12,
)


@pytest.mark.parametrize("projection", PROJECTIONS)
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(item=st.dictionaries(FIELDS, ODD, max_size=4))
def test_no_object_is_too_odd(projection: Any, item: Object) -> None:
    projection(item)


@pytest.mark.parametrize("value", [None, 0, "", "text", [], [None], {"a": None}, True, 1.5])
def test_no_field_is_too_odd(value: Any) -> None:
    """Each field of a Pod in turn is something else."""
    item = pod(deletionTimestamp="2027-01-01T00:00:30Z", deletionGracePeriodSeconds=30)

    def walk(part: Any) -> None:
        pairs = part.items() if isinstance(part, dict) else enumerate(part)
        for key, was in list(pairs):
            part[key] = value
            project.pod(item)
            part[key] = was
            if isinstance(was, dict | list):
                walk(was)

    walk(item)
    assert project.pod(item).gated


def test_the_gate_is_the_one_of_the_contract() -> None:
    item = pod()
    item["spec"]["readinessGates"] = [{"conditionType": f"{READINESS_GATE}-not"}]
    assert not project.pod(item).gated
