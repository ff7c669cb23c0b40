"""How a Pod of the loopback kubelet lives, misbehaves on command, and ends."""

from __future__ import annotations

import errno
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from kubernetes.client import ApiClient, CoreV1Api

from tests.controlplane.access import create
from tests.controlplane.client import get, serves
from tests.controlplane.kubelet import Kubelet, Pod
from tests.controlplane.manifests import PORT, pod
from tests.controlplane.watching import are_ready, condition, eventually, wait_for

Start = Callable[..., Pod]
WELL, ILL = ("True",), ("False",)


@pytest.fixture
def core(api: ApiClient) -> CoreV1Api:
    return CoreV1Api(api)


@pytest.fixture
def start(api: ApiClient, core: CoreV1Api, namespace: str, kubelet: Kubelet) -> Start:
    """Create a Pod and wait until it is ready."""

    def call(name: str = "web", **spec: Any) -> Pod:
        create(api, pod(namespace, name, **spec))
        wait_for(
            f"{name} is ready",
            core.list_namespaced_pod,
            are_ready(1),
            namespace,
            field_selector=f"metadata.name={name}",
        )
        return kubelet.pod(namespace, name)

    return call


def wait_gone(core: CoreV1Api, namespace: str) -> None:
    wait_for("no Pod", core.list_namespaced_pod, lambda pods: not pods, namespace)


def see(core: CoreV1Api, namespace: str, *expected: str) -> Any:
    """Wait until Ready has had these values, one after the other; the Pod at the end."""
    seen: list[str] = []

    def check(pods: Any) -> bool:
        now = condition(pods[0], "Ready")
        if not seen or seen[-1] != now:
            seen.append(now)
        return tuple(seen[-len(expected) :]) == expected

    return wait_for(f"Ready {expected}", core.list_namespaced_pod, check, namespace)[0]


def test_a_pod_says_who_it_is_and_counts(start: Start, namespace: str) -> None:
    web = start()
    status, body = get(web.ip)
    assert (status, body["pod"], body["namespace"]) == (200, "web", namespace)
    assert (body["uid"], body["ip"]) == (web.uid, web.ip)
    get(web.ip, "/elsewhere")
    assert web.requests == 2  # its probes are not among them


def test_a_pod_without_pre_stop_stops_accepting_at_once(
    start: Start, core: CoreV1Api, namespace: str
) -> None:
    web = start()
    core.delete_namespaced_pod("web", namespace)
    wait_gone(core, namespace)
    assert not serves(web.ip)


def test_pre_stop_keeps_a_pod_serving_while_it_sleeps(
    start: Start, core: CoreV1Api, namespace: str
) -> None:
    web = start(lifecycle={"preStop": {"sleep": {"seconds": 2}}})
    began = time.monotonic()
    core.delete_namespaced_pod("web", namespace)
    leaving: Any = core.read_namespaced_pod("web", namespace)
    assert leaving.metadata.deletion_timestamp and condition(leaving, "Ready") == "True"
    assert serves(web.ip)
    wait_gone(core, namespace)
    assert 2.0 <= time.monotonic() - began < 10.0
    assert not serves(web.ip)


def test_a_request_under_way_is_answered_during_the_grace_period(
    start: Start, core: CoreV1Api, namespace: str
) -> None:
    web = start()
    web.answer_after(1.0)
    with ThreadPoolExecutor() as pool:
        request = pool.submit(get, web.ip)
        eventually("the request is there", lambda: web.requests == 1)
        core.delete_namespaced_pod("web", namespace)
        eventually("others are refused", lambda: is_refused(web.ip))
        assert request.result()[0] == 200


def is_refused(address: str) -> bool:
    with socket.socket() as connection:
        return connection.connect_ex((address, PORT)) == errno.ECONNREFUSED


def test_a_program_that_ignores_sigterm_is_killed_after_the_grace_period(
    start: Start, core: CoreV1Api, namespace: str
) -> None:
    web = start(terminationGracePeriodSeconds=2)
    web.ignore_term()
    began = time.monotonic()
    core.delete_namespaced_pod("web", namespace)
    assert serves(web.ip)
    wait_gone(core, namespace)
    assert 2.0 <= time.monotonic() - began < 10.0


def test_deletion_with_force_ends_a_pod_at_once(
    start: Start, core: CoreV1Api, namespace: str
) -> None:
    web = start(lifecycle={"preStop": {"sleep": {"seconds": 20}}})
    core.delete_namespaced_pod("web", namespace, grace_period_seconds=0)
    eventually("nobody answers", lambda: not serves(web.ip), seconds=5)


def test_an_address_is_reused_on_command(
    start: Start, core: CoreV1Api, namespace: str, kubelet: Kubelet
) -> None:
    first, other = start("first"), start("other")
    assert first.ip != other.ip
    kubelet.reuse(first.ip)
    core.delete_namespaced_pod("first", namespace)
    wait_for("one left", core.list_namespaced_pod, lambda pods: len(pods) == 1, namespace)
    second = start("second")
    assert second.ip == first.ip and second.uid != first.uid
    assert get(second.ip)[1]["pod"] == "second"


def test_a_program_that_dies_is_started_again(
    start: Start, core: CoreV1Api, namespace: str
) -> None:
    start().die(exit_code=3)
    now = see(core, namespace, "False", "True")
    container = now.status.container_statuses[0]
    assert container.restart_count == 1
    assert container.last_state.terminated.exit_code == 3


def test_a_pod_that_hangs_fails_its_probe(start: Start, core: CoreV1Api, namespace: str) -> None:
    web = start()
    web.hang()
    see(core, namespace, "False")
    with pytest.raises(TimeoutError):
        get(web.ip, seconds=0.2)
    web.recover()
    see(core, namespace, "True")
    assert serves(web.ip)


def test_a_pod_that_is_unready_serves_on(start: Start, core: CoreV1Api, namespace: str) -> None:
    web = start()
    web.fail_readiness()
    see(core, namespace, "False")
    assert get(web.ip, "/ready")[0] == 503
    assert serves(web.ip)


def test_a_pod_flaps(start: Start, core: CoreV1Api, namespace: str) -> None:
    web = start()
    web.flap()
    see(core, namespace, "False", "True", "False", "True")
    web.recover()


def test_a_slow_pod_takes_its_time(start: Start) -> None:
    web = start()
    web.answer_after(0.3)
    began = time.monotonic()
    assert get(web.ip)[0] == 200
    assert time.monotonic() - began >= 0.3


def test_a_node_without_heartbeat_is_given_up_while_its_pods_serve(
    start: Start, core: CoreV1Api, namespace: str, kubelet: Kubelet
) -> None:
    web = start()
    bound: Any = core.read_namespaced_pod("web", namespace)
    node = bound.spec.node_name
    kubelet.silence(node)
    try:
        see(core, namespace, "False")
        assert condition(core.read_node(node), "Ready") == "Unknown"
        assert serves(web.ip)
    finally:
        kubelet.resume(node)
    see(core, namespace, "True")
    wait_for(
        "the node is ready",
        core.list_node,
        lambda nodes: all(condition(each, "Ready") == "True" for each in nodes),
    )
