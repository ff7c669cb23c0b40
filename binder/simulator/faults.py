"""Faults: which calls they hit, how often, for how long, and what they do.

A fault is matched against every call after the rate limit and before the parameters. What it does
is one of EFFECTS, with parameters of its own; the admin port takes and lists them as objects.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from random import Random
from typing import Any

EFFECTS: Mapping[str, str] = {
    # Answered instead of executed.
    "error": "reply with error `code`, and `message` if given",
    "http": "reply with HTTP `status` (500) and a page of HTML",
    "drop-before": "close the connection unread",
    "hang-before": "say nothing for `seconds` (3600), then close",
    # Executed, but not answered as it should be.
    "drop-after": "execute, then close the connection",
    "hang-after": "execute, then say nothing for `seconds` (3600), and close",
    "stall": "send half of the reply, then nothing for `seconds` (3600), and close",
    "truncate": "send half of the reply, and close",
    "drip": "send the reply in `pieces` (10), `seconds` (0.2) apart",
    "not-json": "reply with a page of HTML and status 200",
    "no-response": "reply with JSON that has no Response",
    "no-request-id": "leave the RequestId out",
    "content-type": "reply as `value` (application/json; charset=utf-8)",
    "delay": "answer `seconds` of the clock later",
    # What a write does, or does not.
    "task-fails": "the task ends with Status 1 and `message`, nothing is applied",
    "task-stuck": "the task stays at Status 2 and holds the load balancer",
    "task-half": "the task applies its first half, and ends with Status 1 and `message`",
    "task-not-applied": "the task ends with Status 0, nothing is applied",
    "fail-listeners": "the listeners of `ids` (all) go to FailListenerIdSet, untouched",
    "lose-targets": "the last `count` (1) targets are left out, and nobody is told",
    "poison": "the call fails with `code` (InvalidParameter) if it has a target of `ip`",
    "empty-ids": "LoadBalancerIds of CreateLoadBalancer is empty",
    # What a read shows.
    "stale": "reads show what was `seconds` ago",
    "hide-from-health": "DescribeTargetHealth leaves out targets bound within `seconds` (5)",
    "truncate-health": "DescribeTargetHealth shows the first `count` (1) listeners only",
    "say-health": "DescribeTargetHealth says `health` of targets of `ip` (all)",
    "quota-shown": "DescribeQuota shows `limit` for `name`",
    # Somebody else, or the world.
    "refuse": "the API port refuses connections for `seconds` (5)",
    "hold": "somebody else holds the load balancer for `seconds` (5)",
    "limit": "the rate limit is `limit` while the fault lasts",
    "delete-listener": "the listener `id` is gone, or all of them",
    "recreate-listener": "the listener `id` is there under another id, without targets",
    "delete-rule": "the rule `id` is gone",
    "delete-lb": "the load balancer is gone",
    "add-target": "`ip`:`port` is bound to listener `id` (all) with `weight` (10)",
    "weight": "targets of `ip` (all) have `weight`",
    "remove-target": "targets of `ip` (all) are gone",
    "security-groups": "the load balancer has `groups`",
    "set-health": "targets of `ip` (all) are `health` until a probe says otherwise",
    "set-quota": "the quota `name` is `limit`",
}

# Done to the world at the moment when they match, or at once without an action to wait for.
OUT_OF_BAND = frozenset(list(EFFECTS)[list(EFFECTS).index("delete-listener") :]) | {
    "hold",
    "refuse",
}


@dataclass
class Fault:
    """An effect, and which calls have it."""

    effect: str
    parameters: dict[str, Any] = field(default_factory=dict)
    action: str = "*"  # patterns
    lb: str = "*"
    account: str = "*"
    nth: int | None = None  # only the nth call that matches, from 1
    probability: float = 1.0
    duration: float | None = None  # seconds of the clock from when it was set
    budget: int | None = None  # how often at most
    id: int = 0
    set_at: float = 0.0
    seen: int = 0  # calls that matched
    done: int = 0  # times that it took effect

    def __post_init__(self) -> None:
        if self.effect not in EFFECTS:
            raise ValueError(f"no such effect: {self.effect}; there are {', '.join(EFFECTS)}")
        if not 0 <= self.probability <= 1:
            raise ValueError(f"a probability is between 0 and 1, not {self.probability!r}")

    def active(self, now: float) -> bool:
        """Whether it can still happen."""
        over = self.duration is not None and now >= self.set_at + self.duration
        return not over and (self.budget is None or self.done < self.budget)

    def matches(self, action: str, lbs: tuple[str, ...], account: str) -> bool:
        """Whether it is about this call."""
        return (
            fnmatchcase(action, self.action)
            and (self.lb == "*" or any(fnmatchcase(lb, self.lb) for lb in lbs))
            and fnmatchcase(account, self.account)
        )


@dataclass
class Faults:
    """All that were set, and the dice."""

    random: Random
    rows: list[Fault] = field(default_factory=list)

    def add(self, fault: Fault, now: float) -> Fault:
        """Set `fault`."""
        fault.id, fault.set_at = max((row.id for row in self.rows), default=0) + 1, now
        self.rows.append(fault)
        return fault

    def remove(self, number: int | None = None) -> None:
        """Take one back, or all."""
        self.rows = [row for row in self.rows if number is not None and row.id != number]

    def hit(self, action: str, lbs: tuple[str, ...], account: str, now: float) -> list[Fault]:
        """Which take effect on this call; each counts it. That of the limit came before."""
        return [
            row
            for row in self.rows
            if row.effect != "limit" and self._hits(row, action, lbs, account, now)
        ]

    def limit(self, action: str, lbs: tuple[str, ...], account: str, now: float) -> int | None:
        """The lowered rate limit of this call, if there is one."""
        for row in self.rows:
            if row.effect == "limit" and self._hits(row, action, lbs, account, now):
                return int(row.parameters.get("limit", 1))
        return None

    def _hits(
        self, row: Fault, action: str, lbs: tuple[str, ...], account: str, now: float
    ) -> bool:
        return row.active(now) and row.matches(action, lbs, account) and self._strikes(row)

    def _strikes(self, row: Fault) -> bool:
        row.seen += 1
        if row.nth is not None and row.seen != row.nth:
            return False
        if row.probability < 1 and self.random.random() >= row.probability:
            return False
        row.done += 1
        return True

    def listed(self) -> list[dict[str, Any]]:
        """All of them, for the admin port."""
        return [asdict(row) for row in self.rows]


class Effects:
    """The faults of one call, asked for by effect."""

    def __init__(self, rows: list[Fault]) -> None:
        self.rows = rows

    def get(self, *effects: str) -> Fault | None:
        """The first of `effects` that this call has."""
        return next((row for row in self.rows if row.effect in effects), None)

    def value(self, effect: str, name: str, default: Any) -> Any:
        """A parameter of `effect`, or None where this call does not have it."""
        row = self.get(effect)
        return row.parameters.get(name, default) if row else None
