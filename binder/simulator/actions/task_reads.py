"""How tasks stand, and how much of the quotas is used."""

from __future__ import annotations

from binder.simulator.call import Call, Reply
from binder.simulator.errors import ApiError
from binder.simulator.parameters import integer, many, text
from binder.simulator.tasks import Status, Task
from binder.simulator.world import QUOTAS

STATUS = {"TaskId": text(), "DealName": text()}
JOBS = {
    "RequestIds": many(text(), most=100),
    "NextToken": text(),
    "MaxResults": integer(low=1, high=100),
}
_JOB = {Status.SUCCEEDED: "Succeeded", Status.FAILED: "Failed", Status.RUNNING: "Processing"}


def status(call: Call) -> Reply:
    """DescribeTaskStatus: 0 done, 1 failed, 2 under way."""
    task_id, deal = call.params.get("TaskId", ""), call.params.get("DealName", "")
    if not task_id and not deal:
        raise ApiError("InvalidParameter", "one of TaskId and DealName is needed")
    task = call.world.tasks.find(task_id, deal, _oldest(call))
    if task is None:
        code = call.world.switches.unknown_task_code
        raise ApiError(code, f"task {task_id or deal} not found")
    return {
        "Status": int(task.status),
        "LoadBalancerIds": list(task.created),
        "Message": task.message,
    }


def jobs(call: Call) -> Reply:
    """DescribeAsyncJobs: those of RequestIds, or all, in pages; NextToken is where to go on."""
    oldest, wanted = _oldest(call), call.params.get("RequestIds")
    rows = [
        task
        for task in call.world.tasks.known.values()
        if task.started >= oldest and (not wanted or task.id in wanted)
    ]
    start = call.params.get("NextToken", "0") or "0"
    if not start.isdecimal():
        raise ApiError("InvalidParameter", "NextToken is not one of ours")
    most = call.params.get("MaxResults", 20)
    end = int(start) + most
    return {
        "Jobs": [_job(task) for task in rows[int(start) : end]],
        "NextToken": str(end) if end < len(rows) else "",
        "MaxResults": most,
        "TotalCount": len(rows),
    }


def _job(task: Task) -> Reply:
    return {
        "ApiName": task.action,
        "RequestId": task.id,
        "Status": _JOB[task.status],
        "ResourceIds": list(task.lbs),
    }


def _oldest(call: Call) -> float:
    return call.world.now() - call.world.switches.task_ids_kept_s


def quota(call: Call) -> Reply:
    """DescribeQuota: QuotaCurrent is null where it has no meaning for the whole region."""
    shown = call.effects.get("quota-shown")
    lies = {shown.parameters["name"]: shown.parameters["limit"]} if shown else {}
    lbs = [lb for lb in call.world.load_balancers.values() if lb.region == call.region]
    used: dict[str, int] = {
        f"TOTAL_{kind}_CLB_QUOTA": sum(lb.kind == kind for lb in lbs)
        for kind in ("OPEN", "INTERNAL")
    }
    return {
        "QuotaSet": [
            {
                "QuotaId": name,
                "QuotaCurrent": used.get(name),
                "QuotaLimit": lies.get(name, call.world.quota(name)),
            }
            for name in (*QUOTAS, "TOTAL_TARGET_BIND_QUOTA")
        ]
    }
