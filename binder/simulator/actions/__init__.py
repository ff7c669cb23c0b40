"""What can be called: one row per action."""

from __future__ import annotations

from collections.abc import Mapping

from binder.simulator.actions import (
    listeners,
    load_balancers,
    rules,
    sts,
    target_reads,
    targets,
    task_reads,
)
from binder.simulator.actions.documented import ERRORS
from binder.simulator.actions.fields import LISTENER
from binder.simulator.call import Action, Run
from binder.simulator.parameters import Schema


def _read(name: str, schema: Schema, run: Run, *, service: str = "clb") -> Action:
    return Action(name, schema, run, ERRORS[name], service=service)


def _write(name: str, schema: Schema, run: Run, *, synchronous: bool = False) -> Action:
    return Action(name, schema, run, ERRORS[name], writes=True, synchronous=synchronous)


_ROWS = (
    _write("CreateLoadBalancer", load_balancers.CREATE, load_balancers.create),
    _read("DescribeLoadBalancers", load_balancers.DESCRIBE, load_balancers.describe),
    _write("DeleteLoadBalancer", load_balancers.DELETE, load_balancers.delete),
    _write("ModifyLoadBalancerAttributes", load_balancers.MODIFY, load_balancers.modify),
    _write(
        "SetLoadBalancerSecurityGroups",
        load_balancers.SECURITY_GROUPS,
        load_balancers.set_security_groups,
    ),
    _write("CreateListener", listeners.CREATE, listeners.create),
    _read("DescribeListeners", listeners.DESCRIBE, listeners.describe),
    _write("ModifyListener", listeners.MODIFY, listeners.modify),
    _write("DeleteListener", LISTENER, listeners.delete),
    _write("DeleteLoadBalancerListeners", listeners.DELETE_MANY, listeners.delete_many),
    _write("CreateRule", rules.CREATE, rules.create),
    _write("ModifyRule", rules.MODIFY, rules.modify),
    _write("ModifyDomainAttributes", rules.MODIFY_DOMAIN, rules.modify_domain),
    _write("DeleteRule", rules.DELETE, rules.delete),
    _write("RegisterTargets", targets.REGISTER, targets.register),
    _write("DeregisterTargets", targets.REGISTER, targets.deregister),
    _write("ModifyTargetWeight", targets.WEIGH, targets.weigh),
    _write("BatchRegisterTargets", targets.BATCH, targets.batch_register, synchronous=True),
    _write("BatchDeregisterTargets", targets.BATCH, targets.batch_deregister, synchronous=True),
    _write("BatchModifyTargetWeight", targets.BATCH_WEIGH, targets.batch_weigh),
    _write("BatchModifyTargetTag", targets.BATCH_TAG, targets.batch_tag, synchronous=True),
    _read("DescribeTargets", target_reads.TARGETS, target_reads.targets),
    _read("DescribeTargetHealth", target_reads.HEALTH, target_reads.health),
    _read("DescribeLBListeners", target_reads.BACKENDS, target_reads.listeners_of_backends),
    _read("DescribeTaskStatus", task_reads.STATUS, task_reads.status),
    _read("DescribeAsyncJobs", task_reads.JOBS, task_reads.jobs),
    _read("DescribeQuota", {}, task_reads.quota),
    _read("AssumeRoleWithWebIdentity", sts.ASSUME, sts.assume, service="sts"),
)
ACTIONS: Mapping[str, Action] = {row.name: row for row in _ROWS}
