"""What only a real account could settle: one switch per question, with the default we chose.

Everything else in the simulator follows the CLB API documentation, the SDK's models or the source
of controllers that run against CLB. Whoever has an account answers these with a dozen calls, and
changes the default here.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, get_type_hints

FAIL_LISTENER = "fail-listener"
OK = "ok"
ERROR = "error"


def _switch(default: Any, question: str, *choices: str) -> Any:
    return field(default=default, metadata={"question": question, "choices": choices})


@dataclass
class Switches:
    """The answers that the simulator gives."""

    deregister_missing: str = _switch(
        FAIL_LISTENER,
        "What does BatchDeregisterTargets say of a target that is not bound?",
        *(FAIL_LISTENER, OK, ERROR),
    )
    reregister_updates_weight: bool = _switch(
        False, "Does registering a bound target again change its weight?"
    )
    batch_is_synchronous: bool = _switch(
        True, "Is a batch call committed when it returns, so that DescribeTargets shows it?"
    )
    unknown_task_code: str = _switch(
        "InvalidParameter", "Which code has DescribeTaskStatus for an unknown or old TaskId?"
    )
    task_ids_kept_s: float = _switch(86400.0, "How many seconds can a task be asked for?")
    content_type: str = _switch(
        "application/json",
        "What is the Content-Type of a reply, to the letter? The Python SDK finds no error in a "
        "reply with a charset.",
    )
    requests_per_second: int = _switch(
        20, "How often may an action be called per second, region and sub-account?"
    )
    requests_per_second_and_account: int = _switch(
        0, "The same for a whole account, over all actions; 0: no limit."
    )
    requests_per_second_and_ip: int = _switch(
        0, "The same for a source address, over all actions; 0: no limit."
    )
    weight_change_locks: bool = _switch(
        True, "Does BatchModifyTargetWeight hold the load balancer until its task has ended?"
    )
    target_quota: int = _switch(
        200, "TOTAL_TARGET_BIND_QUOTA: targets per listener or rule, 200 or 100?"
    )
    tag_longest: int = _switch(64, "How long may the Tag of a target be?")
    tags_kept: bool = _switch(True, "Does DescribeTargets give back the Tag of an ENI target?")
    sticky_at_weight_zero: bool = _switch(
        True, "Does a target of weight 0 keep the clients that session persistence gave it?"
    )
    health_reply_most_targets: int = _switch(
        0, "How many targets fit into one DescribeTargetHealth reply? 0: all."
    )
    outside_vpc: str = _switch(
        OK, "Is an EniIp outside of the VPC refused when it is registered?", OK, ERROR
    )
    batch_over_quota: str = _switch(
        ERROR,
        "Does one listener over its quota fail the whole batch, or only that listener?",
        *(ERROR, FAIL_LISTENER),
    )
    unknown_listener_described: str = _switch(
        OK, "Does DescribeListeners leave out an unknown ListenerId, or refuse it?", OK, ERROR
    )
    health_of_unchecked: bool = _switch(
        True, "What is HealthStatus of a target whose HealthStatusDetail is Close?"
    )

    def set(self, name: str, value: Any) -> None:
        """Change one; ValueError says what is wrong with it."""
        row = next((row for row in fields(self) if row.name == name), None)
        if row is None:
            raise ValueError(f"no such switch: {name}")
        kind = get_type_hints(Switches)[name]
        if type(value) is not kind and not (kind is float and type(value) is int):
            raise ValueError(f"{name} takes {kind.__name__}, not {value!r}")
        choices = row.metadata["choices"]
        if choices and value not in choices:
            raise ValueError(f"{name} is one of {', '.join(choices)}, not {value!r}")
        setattr(self, name, value)

    def described(self) -> dict[str, dict[str, Any]]:
        """Each switch with its value, default, question and choices, for the admin port."""
        return {
            row.name: {
                "value": getattr(self, row.name),
                "default": row.default,
                "question": row.metadata["question"],
                **({"choices": list(row.metadata["choices"])} if row.metadata["choices"] else {}),
            }
            for row in fields(self)
        }
