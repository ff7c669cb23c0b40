"""Gates never wait for what does not come, and never close for what happens to a load balancer."""

from __future__ import annotations

import pytest

from schemas import contract
from tests.binder.endtoend.bed import GATE, Bed
from tests.binder.endtoend.gates import released
from tests.controlplane.access import create
from tests.controlplane.kubelet import Kubelet
from tests.controlplane.plane import ControlPlane
from tests.controlplane.watching import condition

# Shorter than the binder's own, which the soak test waits for.
QUICK = {"confirm_absent": 4.0, "forget_lb": 6.0, "poll_most": 1.0}


@pytest.mark.parametrize("mode", ["existing", "owned"])
def test_a_gate_opens_when_there_is_nothing_to_wait_for(
    control_plane: ControlPlane, kubelet: Kubelet, namespace: str, mode: str
) -> None:
    with Bed(control_plane, kubelet, namespace, listeners=mode, timing=QUICK) as bed:
        for one in released(bed, mode, QUICK):
            print(f"{mode} {one.case.name}: {one.seconds:.1f} s, {one.reason}")


@pytest.mark.parametrize("gate", [GATE, "example.com/served"])
def test_a_pod_that_tkes_controller_serves_keeps_its_gate(
    control_plane: ControlPlane, kubelet: Kubelet, namespace: str, gate: str
) -> None:
    """One that is behind no load balancer opens meanwhile; a gate of our own is always ours."""
    with Bed(control_plane, kubelet, namespace) as bed:
        bed.facts.pop("min_available")
        legacy = {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {
                "name": "legacy",
                "namespace": namespace,
                "annotations": {contract.SERVICE_DIRECT_ACCESS: "true"},
            },
            "spec": {
                "type": "LoadBalancer",
                "selector": {"app": "legacy"},
                "ports": [{"port": 80, "targetPort": "http"}],
            },
        }
        create(bed.api, legacy)
        bed.start_binder("--readiness-gate", gate)
        bed.deploy(1, name="legacy", gate=gate)
        bed.wait("that it is up", lambda: _is(bed, "legacy", "ContainersReady"))
        bed.deploy(1, name="free", gate=gate)
        bed.wait("the gate of the other", lambda: _is(bed, "free", gate))
        assert _is(bed, "legacy", gate) is (gate != GATE)


def _is(bed: Bed, name: str, kind: str) -> bool:
    return any(condition(pod, kind) == "True" for pod in bed.pods(name))


def test_a_gate_that_somebody_closes_is_noticed_by_the_bed(
    control_plane: ControlPlane, kubelet: Kubelet, namespace: str
) -> None:
    with Bed(control_plane, kubelet, namespace) as bed:
        bed.deploy(1)
        bed.wait("a Pod that is up", lambda: any(life.up for life in bed.recorder.lives.values()))
        (life,) = bed.recorder.lives.values()
        for status in ("True", "False"):
            condition = {"type": GATE, "status": status, "reason": "ByHand"}
            body = {"status": {"conditions": [condition]}}
            bed.core.patch_namespaced_pod_status(life.name, namespace, body)
            bed.wait("the kubelet", lambda: life.ready is life.open is (status == "True"))  # noqa: B023
        with pytest.raises(AssertionError, match=r"was closed.*was Ready and is not"):
            bed.verify()
        bed.recorder.problems.clear()
