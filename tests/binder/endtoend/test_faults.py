"""What the soak test does at length, once and quickly."""

from __future__ import annotations

from contextlib import ExitStack

from tests.binder.endtoend.bed import FRONT, Bed
from tests.binder.endtoend.policies import POLICIES, OpensWhenRegistered
from tests.binder.endtoend.scenarios import Scenario, Shape, killed_at, play
from tests.controlplane.kubelet import Kubelet
from tests.controlplane.plane import ControlPlane

LATE = {"interval_s": 2, "timeout_s": 1, "healthy": 5, "unhealthy": 2}  # Alive after 8 seconds
SHORT_LEASE = {"lease": 4.0, "renew": 2.5, "retry_lease": 0.5, "quarantine": 8.0}


def test_without_evidence_of_health_requests_fail(
    control_plane: ControlPlane, kubelet: Kubelet, namespace: str
) -> None:
    """The same rollout three times, side by side: only what opens the gate differs."""
    with Bed(control_plane, kubelet, namespace) as bed, ExitStack() as stack:
        bed.facts.pop("min_available")
        bed.start_binder()
        stack.enter_context(OpensWhenRegistered(bed))
        names = {f"policy-{number}": policy for number, policy in enumerate(POLICIES)}
        for name, policy in names.items():
            lb = f"lb-{name.replace('-', '')}"
            bed.sow(lb, {"protocol": "TCP", "port": FRONT, "health_check": LATE})
            bed.service(name, lb=lb)
            bed.deploy(3, gate=POLICIES[policy], pre_stop=3, surge="100%", name=name)
        for name in names:
            bed.ready(3, name)
        for name in names:
            bed.alive(f"lb-{name.replace('-', '')}")
        with ExitStack() as people:
            clients = {
                policy: people.enter_context(bed.load(50, lb=f"lb-{name.replace('-', '')}"))
                for name, policy in names.items()
            }
            for name in names:
                bed.begin_roll(name)
            for name in names:
                bed.end_roll(name)
        failures = {policy: each.result.failures for policy, each in clients.items()}
        print(f"\n{failures} of {clients['no gate'].result.sent} requests each")
        assert failures.pop("evidence of health") == 0, bed.logs()
        assert all(number > 0 for number in failures.values()), failures


def test_another_replica_takes_over_from_one_that_is_killed_while_pods_end(
    control_plane: ControlPlane, kubelet: Kubelet, namespace: str
) -> None:
    shape = Shape(replicas=4, pre_stop=12, surge="100%", binders=2, timing=SHORT_LEASE)
    scenario = Scenario("killed", killed_at("Pods deleted"), shape)
    row = play(control_plane, kubelet, namespace, scenario)
    print(f"\n{row.result}, {row.seconds:.0f} s")
    assert row.result.failures == 0
