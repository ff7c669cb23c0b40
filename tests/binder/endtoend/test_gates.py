"""Gates never wait for what does not come, and never close for what happens to a load balancer."""

from __future__ import annotations

import pytest

from tests.binder.endtoend.bed import GATE, Bed
from tests.binder.endtoend.gates import released
from tests.controlplane.kubelet import Kubelet
from tests.controlplane.plane import ControlPlane

# Shorter than the binder's own, which the soak test waits for.
QUICK = {"confirm_absent": 4.0, "forget_lb": 6.0, "poll_most": 1.0}


@pytest.mark.parametrize("mode", ["existing", "owned"])
def test_a_gate_opens_when_there_is_nothing_to_wait_for(
    control_plane: ControlPlane, kubelet: Kubelet, namespace: str, mode: str
) -> None:
    with Bed(control_plane, kubelet, namespace, listeners=mode, timing=QUICK) as bed:
        for one in released(bed, mode, QUICK):
            print(f"{mode} {one.case.name}: {one.seconds:.1f} s, {one.reason}")


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
