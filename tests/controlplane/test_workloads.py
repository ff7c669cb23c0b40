"""Workloads on the loopback kubelet: readiness, gates, and rollouts that wait for them."""

from __future__ import annotations

import time
from typing import Any

from kubernetes.client import ApiClient, AppsV1Api, CoreV1Api

from tests.controlplane.access import create
from tests.controlplane.kubelet import Kubelet
from tests.controlplane.manifests import deployment, pod
from tests.controlplane.watching import are_ready, condition, wait_for

GATE = "tke-direct.dev/test"
GATED: dict[str, Any] = {"readinessGates": [{"conditionType": GATE}]}


def confirm(core: CoreV1Api, each: Any, status: str = "True") -> None:
    """Set the gate's condition, as the binder does."""
    gate = {"type": GATE, "status": status}
    core.patch_namespaced_pod_status(
        each.metadata.name, each.metadata.namespace, {"status": {"conditions": [gate]}}
    )


def test_a_deployment_of_20_pods_becomes_ready(
    api: ApiClient, namespace: str, kubelet: Kubelet
) -> None:
    core, began = CoreV1Api(api), time.monotonic()
    create(api, deployment(namespace, "web", 20))
    pods = wait_for("20 Pods", core.list_namespaced_pod, are_ready(20), namespace)
    print(f"\n20 Pods ready after {time.monotonic() - began:.1f} s")
    assert len({each.status.pod_ip for each in pods}) == 20
    assert {each.spec.node_name for each in pods} == set(kubelet.names)


def test_a_pod_is_not_ready_before_its_gate_is(
    api: ApiClient, namespace: str, kubelet: Kubelet
) -> None:
    core = CoreV1Api(api)
    create(api, pod(namespace, "web", **GATED))

    def expect(containers: str, whole: str) -> Any:
        def check(pods: Any) -> bool:
            kinds = ("ContainersReady", "Ready")
            return [condition(pods[0], kind) for kind in kinds] == [containers, whole]

        return wait_for("the gate", core.list_namespaced_pod, check, namespace)[0]

    waiting = expect("True", "False")
    reasons = {each.type: each.reason for each in waiting.status.conditions}
    assert reasons["Ready"] == "ReadinessGatesNotReady"
    confirm(core, waiting)
    expect("True", "True")
    confirm(core, waiting, "False")
    expect("True", "False")


def test_a_rolling_update_is_paced_by_the_gate(
    api: ApiClient, namespace: str, kubelet: Kubelet
) -> None:
    core, apps = CoreV1Api(api), AppsV1Api(api)
    create(api, deployment(namespace, "web", 3, **GATED))
    first = wait_for("3 Pods", core.list_namespaced_pod, wait_at_gate(3, set()), namespace)
    for each in first:
        confirm(core, each)
    wait_for("their readiness", core.list_namespaced_pod, are_ready(3), namespace)

    change = {"spec": {"template": {"metadata": {"annotations": {"version": "2"}}}}}
    apps.patch_namespaced_deployment("web", namespace, change)
    seen = {each.metadata.uid for each in first}
    for _ in range(3):
        # One more than is wanted, and the rollout goes no further until it is confirmed.
        pods = wait_for("the next", core.list_namespaced_pod, wait_at_gate(1, seen), namespace)
        assert sum(condition(each, "Ready") == "True" for each in pods) >= 3
        for each in pods:
            if each.metadata.uid not in seen:
                confirm(core, each)
                seen.add(each.metadata.uid)
    done = wait_for("the end", core.list_namespaced_pod, are_ready(3), namespace)
    assert all(each.metadata.annotations == {"version": "2"} for each in done)
    assert len(seen) == 6


def wait_at_gate(number: int, known: set[str]) -> Any:
    """So many new Pods whose containers are ready, and which are not."""

    def check(pods: Any) -> bool:
        new = [each for each in pods if each.metadata.uid not in known]
        assert len(new) <= number, "the rollout did not wait for the gate"
        return len(new) == number and all(
            (condition(each, "ContainersReady"), condition(each, "Ready")) == ("True", "False")
            for each in new
        )

    return check
