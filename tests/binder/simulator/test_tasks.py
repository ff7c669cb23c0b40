"""Tasks and locks: a write holds its load balancer, and nobody else's."""

from __future__ import annotations

import pytest

from tests.binder.simulator.bed import LB, TCP, Bed

BUSY = "FailedOperation.ResourceInOperating"
TARGET = {"EniIp": "10.0.0.1", "Port": 80}


def registering(bed: Bed) -> str:
    reply = bed.call("RegisterTargets", LoadBalancerId=LB, ListenerId=TCP, Targets=[TARGET])
    return str(reply.RequestId)


def test_a_task_runs_then_is_done(bed: Bed) -> None:
    task = registering(bed)
    assert bed.shown("DescribeTaskStatus", TaskId=task)["Status"] == 2
    bed.simulator.advance(0.2)
    assert bed.call("DescribeTaskStatus", TaskId=task).Status == 2
    bed.simulator.advance(0.01)  # 0.2 s and 10 ms a target
    assert bed.call("DescribeTaskStatus", TaskId=task).Status == 0


def test_a_held_load_balancer_refuses_writes_in_the_real_words(bed: Bed) -> None:
    registering(bed)
    error = bed.error("DeleteListener", LoadBalancerId=LB, ListenerId=TCP)
    assert error.code == BUSY
    assert error.message == (
        "Loadbalancer(lb-1) is not in normal desState, "
        "maybe some tasks are being processed, please try later."
    )
    bed.simulator.advance(1)
    assert bed.call("DeleteListener", LoadBalancerId=LB, ListenerId=TCP).RequestId


def test_reads_go_on_and_so_do_other_load_balancers(bed: Bed) -> None:
    bed.admin("seed", load_balancers=[{"id": "lb-2"}])
    registering(bed)
    assert bed.call("DescribeTargets", LoadBalancerId=LB).Listeners
    assert bed.call("CreateListener", LoadBalancerId="lb-2", Ports=[80], Protocol="TCP").RequestId


def test_deleting_two_needs_both_free(bed: Bed) -> None:
    bed.admin("seed", load_balancers=[{"id": "lb-2"}])
    registering(bed)
    error = bed.error("DeleteLoadBalancer", LoadBalancerIds=["lb-2", LB])
    assert error.code == "FailedOperation"  # it documents no code of its own for this
    assert "Loadbalancer(lb-1) is not in normal desState" in error.message


@pytest.mark.parametrize("locks", [True, False])
def test_whether_weighing_holds_is_a_switch(bed: Bed, locks: bool) -> None:
    bed.switch(weight_change_locks=locks)
    bed.bind("10.0.0.1")
    rule = {"ListenerId": TCP, "Targets": [TARGET], "Weight": 0}
    bed.call("BatchModifyTargetWeight", LoadBalancerId=LB, ModifyList=[rule])
    row = {"ListenerId": TCP, **TARGET}
    outcome = bed.raw("BatchDeregisterTargets", {"LoadBalancerId": LB, "Targets": [row]})
    assert getattr(outcome, "code", None) == (BUSY if locks else None)


def test_an_unknown_task_is_a_switch(bed: Bed) -> None:
    assert bed.error("DescribeTaskStatus", TaskId="x").code == "InvalidParameter"
    bed.switch(unknown_task_code="FailedOperation")
    assert bed.error("DescribeTaskStatus", TaskId="x").code == "FailedOperation"
    assert bed.error("DescribeTaskStatus").code == "InvalidParameter"


def test_tasks_are_forgotten(bed: Bed) -> None:
    bed.switch(task_ids_kept_s=100)
    task = registering(bed)
    bed.simulator.advance(100)
    assert bed.call("DescribeTaskStatus", TaskId=task).Status == 0
    bed.simulator.advance(1)
    assert bed.error("DescribeTaskStatus", TaskId=task).code == "InvalidParameter"


def test_many_tasks_are_asked_for_at_once_and_in_pages(bed: Bed) -> None:
    bed.admin("seed", load_balancers=[{"id": f"lb-{at}"} for at in range(10, 15)])
    tasks = [
        bed.call("CreateListener", LoadBalancerId=f"lb-{at}", Ports=[80], Protocol="TCP").RequestId
        for at in range(10, 15)
    ]
    seen, token = [], None
    while token != "":
        page = bed.call("DescribeAsyncJobs", MaxResults=2, NextToken=token)
        seen += [job.RequestId for job in page.Jobs]
        assert page.TotalCount == 5
        token = page.NextToken
    assert seen == tasks
    assert {job.Status for job in bed.call("DescribeAsyncJobs").Jobs} == {"Processing"}
    bed.simulator.advance(1)
    (job,) = bed.call("DescribeAsyncJobs", RequestIds=tasks[:1]).Jobs
    assert (job.Status, job.ApiName) == ("Succeeded", "CreateListener")
    assert job.ResourceIds == ["lb-10"]
