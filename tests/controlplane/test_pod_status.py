"""What the kubelet says of a Pod, without a cluster."""

from __future__ import annotations

from typing import Any

import pytest

from tests.controlplane.pod import pre_stop
from tests.controlplane.pod_status import conditions, differs, phase, status

GATE = "tke-direct.dev/bound"
THEN, NOW = "2026-01-01T00:00:00Z", "2026-01-01T00:00:09Z"
RUNNING = {"running": {"startedAt": THEN}}


def container(*, ready: bool = True, restarts: int = 0, **state: Any) -> dict[str, Any]:
    return {"name": "web", "ready": ready, "restartCount": restarts, "state": state or RUNNING}


def a_pod(*present: dict[str, Any], gates: tuple[str, ...] = (), **spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "web", "generation": 1},
        "spec": {"readinessGates": [{"conditionType": gate} for gate in gates], **spec},
        "status": {"conditions": list(present)},
    }


def ready(pod: dict[str, Any], **state: Any) -> dict[str, Any]:
    found = {each["type"]: each for each in conditions(pod, [container(**state)], NOW)}
    return found["Ready"]


def test_a_pod_without_gates_is_ready_when_its_containers_are() -> None:
    assert ready(a_pod())["status"] == "True"
    assert ready(a_pod(), ready=False)["reason"] == "ContainersNotReady"


@pytest.mark.parametrize(
    ("present", "expected"),
    [((), "False"), (("False",), "False"), (("Unknown",), "False"), (("True",), "True")],
)
def test_a_gate_must_be_there_and_true(present: tuple[str, ...], expected: str) -> None:
    pod = a_pod(*({"type": GATE, "status": value} for value in present), gates=(GATE,))
    verdict = ready(pod)
    assert verdict["status"] == expected
    assert expected == "True" or verdict["reason"] == "ReadinessGatesNotReady"


def test_the_time_of_a_transition_moves_only_on_a_transition() -> None:
    before = {"type": "Ready", "status": "True", "lastTransitionTime": THEN}
    assert ready(a_pod(before))["lastTransitionTime"] == THEN
    assert ready(a_pod(before), ready=False)["lastTransitionTime"] == NOW


@pytest.mark.parametrize(
    ("policy", "state", "expected"),
    [
        ("Always", {"waiting": {}}, "Pending"),
        ("Always", RUNNING, "Running"),
        ("Always", {"terminated": {"exitCode": 1}}, "Running"),
        ("OnFailure", {"terminated": {"exitCode": 1}}, "Running"),
        ("Never", {"terminated": {"exitCode": 1}}, "Failed"),
        ("Never", {"terminated": {"exitCode": 0}}, "Succeeded"),
    ],
)
def test_the_phase_follows_the_restart_policy(
    policy: str, state: dict[str, Any], expected: str
) -> None:
    assert phase(a_pod(restartPolicy=policy), [container(**state)]) == expected


def test_a_status_that_was_written_does_not_differ_even_beside_conditions_of_others() -> None:
    pod = a_pod()
    wanted = status(pod, [container()], "127.64.0.16", "127.64.0.1", NOW)
    assert differs(wanted, pod["status"])
    present = {**wanted, "conditions": [{"type": GATE, "status": "True"}, *wanted["conditions"]]}
    assert not differs(wanted, present)
    present["conditions"] = present["conditions"][:-1]
    assert differs(wanted, present)


@pytest.mark.parametrize(
    ("hook", "seconds"),
    [
        ({}, 0.0),
        ({"sleep": {"seconds": 5}}, 5.0),
        ({"exec": {"command": ["sleep", "15"]}}, 15.0),
        ({"exec": {"command": ["/bin/sh", "-c", "sleep 3; nginx -s quit"]}}, 3.0),
        ({"exec": {"command": ["nginx", "-s", "quit"]}}, 0.0),
    ],
)
def test_a_pre_stop_hook_takes_as_long_as_it_sleeps(hook: dict[str, Any], seconds: float) -> None:
    assert pre_stop({"lifecycle": {"preStop": hook}}) == seconds
