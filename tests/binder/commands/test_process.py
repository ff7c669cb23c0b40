"""The commands as processes, between a real API server and the simulator."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator

import pytest

from binder.simulator.simulator import KEY
from tests.binder.endtoend.bed import FRONT, Bed
from tests.controlplane.access import account
from tests.controlplane.kubelet import Kubelet
from tests.controlplane.plane import ControlPlane

PATIENCE = 60


@pytest.fixture
def bed(control_plane: ControlPlane, kubelet: Kubelet, namespace: str) -> Iterator[Bed]:
    with Bed(control_plane, kubelet, namespace) as made:
        yield made


def start(bed: Bed, command: str, *more: str) -> subprocess.Popen[str]:
    environment = {
        **os.environ,
        "TENCENTCLOUD_SECRET_ID": KEY.secret_id,
        "TENCENTCLOUD_SECRET_KEY": KEY.secret_key,
        "NO_PROXY": "127.0.0.1",
    }
    cloud = ["--region", "ap-guangzhou", "--endpoint", f"http://{bed.simulator.endpoint}"]
    cluster = [
        *("--kubeconfig", str(bed.directory / "kubeconfig"), "--cluster-id", "cls-test"),
        *("--namespace", bed.namespace, "--listeners", "existing"),
    ]
    options = [*cloud, *([] if command == "selftest" else cluster), *more]
    return subprocess.Popen(
        [sys.executable, "-m", "binder", command, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )


def run(bed: Bed, command: str, *more: str) -> tuple[int, str, str]:
    """Exit code, stdout, stderr."""
    with start(bed, command, *more) as process:
        out, error = process.communicate(timeout=PATIENCE)
    return process.returncode, out, error


def writes(bed: Bed) -> list[str]:
    """Which calls of CLB's API wrote."""
    calls = (row["action"] for row in bed.journal() if row["kind"] == "call")
    return [action for action in calls if not action.startswith("Describe")]


def listeners(bed: Bed) -> list[str]:
    """All that there are on the load balancer."""
    return bed.simulator.do(lambda: list(bed.simulator.world.load_balancers[bed.lb].listeners))


def has_ready_containers(bed: Bed) -> bool:
    pods = bed.pods()
    return bool(pods) and all(
        any(one.type == "ContainersReady" and one.status == "True" for one in conditions)
        for conditions in ((pod.status.conditions or ()) for pod in pods)
    )


def test_plan_and_explain_follow_a_pod_from_unbound_to_served(bed: Bed) -> None:
    bed.service()
    bed.deploy(1)
    bed.wait("containers", lambda: has_ready_containers(bed))
    (pod,) = bed.pods()
    name = f"{bed.namespace}/{pod.metadata.name}"

    code, out, error = run(bed, "plan", "-o", "json")
    assert (code, error) == (1, "")
    (row,) = [one for one in json.loads(out)["load_balancers"] if one["id"] == bed.lb]
    assert [one["call"] for one in row["doing"]] == ["BatchRegisterTargets"]
    assert name in {one["pod"] for one in json.loads(out)["gates"]}

    code, out, error = run(bed, "explain", name)
    assert (code, error) == (1, "")
    assert "not bound" in out
    assert "Nobody opens gates now" in out
    assert "\x1b[" not in out
    assert writes(bed) == []
    assert [bed.gate_of(one) for one in bed.pods()] == [None]

    bed.start_binder()
    bed.ready(1)
    code, out, error = run(bed, "explain", "-n", bed.namespace, pod.metadata.name)
    assert (code, error) == (0, "")
    assert re.search(r"OPEN  Pod .*\n", out)
    assert re.search(r"weight 10, Alive, ours", out)
    assert " leads, renewed " in out

    code, out, error = run(bed, "plan")
    assert error == ""
    assert f"{bed.lb}  " in out
    assert "nothing to do" in out


def test_a_developer_of_one_namespace_gets_an_explanation_too(bed: Bed) -> None:
    bed.service()
    bed.deploy(1)
    bed.wait("a Pod", lambda: bool(bed.pods()))
    kinds = ["pods", "services", "ingresses", "tkeserviceconfigs"]
    rules = [{"apiGroups": ["*"], "resources": kinds, "verbs": ["list"]}]
    token = account(bed.api, bed.namespace, "developer", rules)
    file = bed.directory / "developer"
    file.write_text(bed.control_plane.kubeconfig(token))
    name = f"{bed.namespace}/{bed.pods()[0].metadata.name}"
    seen: list[tuple[int, str, str]] = []

    def explained() -> bool:  # rights take a moment to be known
        seen.append(run(bed, "explain", "--kubeconfig", str(file), name))
        return seen[-1][0] != 2

    bed.wait("an explanation", explained)
    code, out, error = seen[-1]
    assert (code, error) == (1, "")
    assert f"note: only namespace {bed.namespace} may be read" in out
    assert "binder      not known, its lease could not be read: " in out
    assert f"Service {bed.namespace}/web  TCP {FRONT}" in out


def test_observe_logs_what_would_be_done_and_writes_nothing(bed: Bed) -> None:
    bed.service()
    bed.deploy(1)
    with start(bed, "observe", "--metrics-port", "0", "--log-format", "json") as process:
        assert process.stderr
        try:
            lines = (json.loads(line) for line in process.stderr)
            port = next(line["metrics_port"] for line in lines if "metrics_port" in line)
            done = next(line for line in lines if line["message"] == "would")
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
                metrics = answer.read().decode()
        finally:
            process.send_signal(signal.SIGTERM)
            process.stderr.read()
            assert process.wait(PATIENCE) == 0
    found = (done["lb"], done["where"], done["do"])
    assert found == (bed.lb, f"TCP {FRONT}", "bind, weight 10")
    # Other tests may have left Pods that wait.
    assert re.search(r"tke_direct_binder_gates_pending [1-9]", metrics)
    assert "tke_direct_binder_leader 0.0" in metrics
    assert writes(bed) == []
    assert [bed.gate_of(pod) for pod in bed.pods()] == [None]


def test_a_self_test_that_is_interrupted_leaves_nothing(bed: Bed) -> None:
    options, before = ("--lb", bed.lb, "--target", "127.0.0.1:8080", "--yes"), listeners(bed)
    with start(bed, "selftest", *options) as process:
        assert process.stderr
        next(line for line in process.stderr if "new target" in line)
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
        assert process.wait(PATIENCE) == 2
    assert "interrupted; what was made has been removed" in rest
    assert listeners(bed) == before


@pytest.mark.parametrize(
    ("command", "more", "message"),
    [
        ("explain", ["default/none"], "Error: there is no Pod default/none"),
        ("explain", ["none"], "names no Pod: write NAMESPACE/POD"),
        ("plan", ["--context", "elsewhere"], "Error: no cluster: "),
        ("selftest", ["--lb", "lb-none", "--target", "1.2.3.4:5"], "no load balancer lb-none"),
        ("selftest", ["--lb", "lb-none", "--target", "web"], "write IP:PORT"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    command: str, more: list[str], message: str, bed: Bed
) -> None:
    code, out, error = run(bed, command, *more)
    assert (code, out) == (2, "")
    assert message in error
    assert len(error.splitlines()) == 1


def test_nothing_is_tried_before_somebody_agrees(bed: Bed) -> None:
    with start(bed, "selftest", "--lb", bed.lb, "--target", "127.0.0.1:1") as process:
        pass
    assert process.returncode != 0
    assert writes(bed) == []
