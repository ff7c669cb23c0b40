"""The control plane itself: what it grants, whom it asks, and that nothing of it is left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest
from kubernetes import config
from kubernetes.client import ApiClient, ApiException, CoreV1Api, DiscoveryV1Api, VersionApi

from tests.conftest import ROOT
from tests.controlplane import webhook
from tests.controlplane.access import account, create
from tests.controlplane.kubelet import Kubelet
from tests.controlplane.leftovers import leftovers
from tests.controlplane.manifests import pod
from tests.controlplane.plane import ControlPlane
from tests.controlplane.programs import Programs
from tests.controlplane.watching import are_ready, eventually, wait_for

READ_PODS = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}]


def test_it_is_ready_within_seconds(control_plane: ControlPlane, api: ApiClient) -> None:
    version = VersionApi(api).get_code().git_version
    print(f"\n{version} ready after {control_plane.start_seconds:.1f} s")
    assert control_plane.start_seconds < 60


def test_a_kubeconfig_is_enough_for_the_official_client(
    control_plane: ControlPlane, tmp_path: Path
) -> None:
    text = json.loads(control_plane.kubeconfig())
    with config.new_client_from_config_dict(text, temp_file_path=str(tmp_path)) as client:
        assert CoreV1Api(client).list_namespace().items


def test_an_account_may_do_what_its_role_grants_and_no_more(
    control_plane: ControlPlane, api: ApiClient, namespace: str
) -> None:
    token = account(api, namespace, "reader", READ_PODS)
    with control_plane.client(token) as client:
        core = CoreV1Api(client)
        core.list_namespaced_pod(namespace)
        for forbidden in (
            lambda: core.list_namespaced_service(namespace),
            lambda: core.list_namespaced_pod("kube-system"),
            lambda: core.delete_namespaced_pod("any", namespace),
        ):
            with pytest.raises(ApiException, match="403"):
                forbidden()


def test_a_cluster_role_grants_it_everywhere(
    control_plane: ControlPlane, api: ApiClient, namespace: str
) -> None:
    token = account(api, namespace, "reader", READ_PODS, everywhere=True)
    with control_plane.client(token) as client:
        CoreV1Api(client).list_pod_for_all_namespaces()


def test_a_mutating_webhook_is_asked_and_obeyed(
    control_plane: ControlPlane, api: ApiClient, namespace: str
) -> None:
    def label(request: dict[str, Any]) -> dict[str, Any]:
        patch = {"op": "add", "path": "/metadata/labels/judged", "value": "yes"}
        return {"allowed": True, "patch": [patch]}

    with (
        webhook.serve(control_plane.authority, label) as hook,
        webhook.installed(api, hook, namespace),
    ):
        create(api, pod(namespace, "web"))
    created: Any = CoreV1Api(api).read_namespaced_pod("web", namespace)
    assert created.metadata.labels["judged"] == "yes"
    assert [each["object"]["metadata"]["name"] for each in hook.requests].count("web") == 1


def test_a_validating_webhook_can_refuse(
    control_plane: ControlPlane, api: ApiClient, namespace: str
) -> None:
    def refuse(request: dict[str, Any]) -> dict[str, Any]:
        return {"allowed": False, "status": {"message": "not today"}}

    with (
        webhook.serve(control_plane.authority, refuse) as hook,
        webhook.installed(api, hook, namespace, "Validating"),
        pytest.raises(Exception, match="not today"),
    ):
        create(api, pod(namespace, "web"))


def test_endpoint_slices_refuse_addresses_of_loopback(api: ApiClient, namespace: str) -> None:
    """Why Pods of this kubelet are in no EndpointSlice: the real API server does not take them."""
    slices: Any = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": "web", "namespace": namespace},
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["127.64.0.16"]}],
    }
    with pytest.raises(ApiException, match="may not be in the loopback range"):
        DiscoveryV1Api(api).create_namespaced_endpoint_slice(namespace, slices)


def test_a_program_that_crashed_can_be_started_again(programs: Programs) -> None:
    with ControlPlane(programs) as plane, plane.client() as client:
        create(client, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kept"}})
        plane.kill("kube-apiserver")
        plane.start("kube-apiserver")
        plane.wait_ready()
        assert CoreV1Api(client).read_namespace("kept")


def test_two_stand_side_by_side_and_leave_nothing(
    control_plane: ControlPlane, api: ApiClient, namespace: str, programs: Programs
) -> None:
    with ControlPlane(programs) as other, other.client() as client, Kubelet(other, nodes=1):
        assert not other.block.network.overlaps(control_plane.block.network)
        core = CoreV1Api(client)
        with pytest.raises(ApiException, match="404"):
            core.read_namespace(namespace)
        accounts = core.list_namespaced_service_account
        wait_for("the default service account", accounts, bool, "default")
        create(client, pod("default", "web"))
        wait_for("its Pod", core.list_namespaced_pod, are_ready(1), "default")
        assert leftovers(other.directory, other.block.network)
    assert not leftovers(other.directory, other.block.network)
    assert CoreV1Api(api).read_namespace(namespace)


CRASH = """
from tests.controlplane.plane import ControlPlane
from tests.controlplane.programs import find
plane = ControlPlane(find())
print(plane.directory, plane.block.network, flush=True)
input()
"""


def test_nothing_is_left_when_the_test_run_is_killed(programs: Programs) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", CRASH],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as run:
        assert run.stdout
        directory, network = run.stdout.readline().split()
        place = Path(directory), IPv4Network(network)
        assert len(leftovers(*place)) >= 5
        os.kill(run.pid, signal.SIGKILL)
        eventually("nothing is left", lambda: not leftovers(*place), seconds=10)


def test_a_program_that_does_not_start_is_an_error_with_its_log(programs: Programs) -> None:
    with pytest.raises(RuntimeError, match=r"(?s)kube-apiserver ended.*unknown flag: --nonsense"):
        ControlPlane(programs, {"kube-apiserver": ["--nonsense"]})
