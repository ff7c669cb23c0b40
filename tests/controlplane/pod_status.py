"""What a kubelet says of a Pod, computed from the Pod and its containers; nothing here does I/O."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Object = dict[str, Any]


def status(
    pod: Object, containers: Sequence[Object], address: str, node_address: str, now: str
) -> Object:
    """The parts of `status` that are the kubelet's; other people's conditions are not in it."""
    old = pod.get("status", {})
    return {
        "observedGeneration": pod["metadata"].get("generation", 0),
        "phase": phase(pod, containers),
        "hostIP": node_address,
        "podIP": address,
        "podIPs": [{"ip": address}],
        "startTime": old.get("startTime", now),
        "conditions": conditions(pod, containers, now),
        "containerStatuses": list(containers),
    }


def phase(pod: Object, containers: Sequence[Object]) -> str:
    ended = [each["state"].get("terminated") for each in containers]
    if all(each["restartCount"] == 0 and "waiting" in each["state"] for each in containers):
        return "Pending"
    policy = pod["spec"].get("restartPolicy", "Always")
    deleted = "deletionTimestamp" in pod["metadata"]
    if not all(ended) or (policy == "Always" and not deleted):
        return "Running"
    failed = any(end["exitCode"] for end in ended if end)
    if failed and policy == "OnFailure" and not deleted:
        return "Running"
    return "Failed" if failed else "Succeeded"


def conditions(pod: Object, containers: Sequence[Object], now: str) -> list[Object]:
    present = {each["type"]: each for each in pod.get("status", {}).get("conditions", ())}
    unready = [each["name"] for each in containers if not each["ready"]]
    all_ready = _condition(
        "ContainersReady",
        reason="ContainersNotReady" if unready else "",
        message=f"containers with unready status: [{' '.join(unready)}]" if unready else "",
    )
    wanted = [
        _condition("PodReadyToStartContainers"),
        _condition("Initialized"),
        _ready(pod, all_ready, present),
        all_ready,
    ]
    return [_timed(each, present.get(each["type"]), pod, now) for each in wanted]


def _ready(pod: Object, all_ready: Object, present: dict[str, Object]) -> Object:
    """Ready is the containers' readiness and that of every gate."""
    if all_ready["status"] == "False":
        return {**all_ready, "type": "Ready"}
    problems = []
    for gate in pod["spec"].get("readinessGates", ()):
        kind = gate["conditionType"]
        if kind not in present:
            problems.append(
                f'corresponding condition of pod readiness gate "{kind}" does not exist.'
            )
        elif present[kind]["status"] != "True":
            problems.append(
                f'the status of pod readiness gate "{kind}" is not "True", '
                f"but {present[kind]['status']}"
            )
    reason = "ReadinessGatesNotReady" if problems else ""
    return _condition("Ready", reason=reason, message=", ".join(problems))


def _condition(kind: str, *, reason: str = "", message: str = "") -> Object:
    """A reason is given only for what is not so."""
    if not reason:
        return {"type": kind, "status": "True", "reason": None, "message": None}
    return {"type": kind, "status": "False", "reason": reason, "message": message}


def _timed(condition: Object, before: Object | None, pod: Object, now: str) -> Object:
    same = before and before["status"] == condition["status"]
    since = before["lastTransitionTime"] if before and same else now
    generation = pod["metadata"].get("generation", 0)
    return {**condition, "lastTransitionTime": since, "observedGeneration": generation}


def differs(wanted: Any, present: Any) -> bool:
    """Whether `present` lacks something of `wanted`; None and empty stand for absence."""
    if not wanted and wanted != 0 and wanted is not False:
        return bool(present)
    if isinstance(wanted, dict):
        present = present or {}
        return any(differs(value, present.get(key)) for key, value in wanted.items())
    if isinstance(wanted, list):
        return _lists_differ(wanted, present or [])
    return bool(wanted != present)


def _lists_differ(wanted: list[Any], present: list[Any]) -> bool:
    if wanted and "type" in wanted[0]:  # conditions, among which are those of others
        by_type = {each["type"]: each for each in present}
        return any(differs(each, by_type.get(each["type"])) for each in wanted)
    return len(wanted) != len(present) or any(map(differs, wanted, present))
