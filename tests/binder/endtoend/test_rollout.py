"""The promise: a rolling update under load drops no request. And that a test of it can fail."""

from __future__ import annotations

from tests.binder.endtoend.bed import Bed
from tests.controlplane.kubelet import Kubelet
from tests.controlplane.plane import ControlPlane

RATE = 200.0


def test_rolling_updates_of_ten_pods_drop_no_request(
    control_plane: ControlPlane, kubelet: Kubelet, namespace: str
) -> None:
    with Bed(control_plane, kubelet, namespace) as bed:
        bed.facts["min_available"] = {bed.listener: 10}
        bed.start_binder()
        bed.service()
        bed.deploy(10, pre_stop=4)
        bed.ready(10)
        with bed.load(RATE) as clients:
            took = [bed.roll(), bed.roll()]
        print(f"\n2 rollouts, {took[0]:.0f} and {took[1]:.0f} s: {clients.result}")
        assert clients.result.failures == 0, bed.logs()
        assert clients.result.sent > RATE * sum(took) * 0.8
        bed.bound_to(10)
