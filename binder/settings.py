"""Every number that the binder decides by, with its source. Times are in seconds."""

from __future__ import annotations

from typing import NamedTuple

from schemas.contract import READINESS_GATE


class Settings(NamedTuple):
    """The defaults; the command line may change them."""

    cluster: str = "default"  # cls-...: part of every tag and listener name of ours
    manage_listeners: bool = True  # --listeners=owned; False: bind to those that exist
    adopt_all: bool = False  # every Service of type LoadBalancer, for clusters without TKE's
    allow_mass_removal: bool = False
    gate: str = READINESS_GATE  # the conditionType; that of TKE's own controller, too
    endpoint: str = "clb.internal.tencentcloudapi.com"

    weight: int = 10  # CLB's own default
    read_lag: float = 3.0  # how far what CLB says may lag behind what is
    window_slack: float = 3.0  # added to a health check's window
    fresh: float = 15.0  # how old a reading may be that opens a gate
    stale: float = 60.0  # a view of the cluster that is older decides nothing destructive
    drain: float = 30.0  # at weight 0 before a target is unbound, while its Pod is there
    last_moment: float = 3.0  # before the kubelet kills: then even the last target is drained
    quarantine: float = 14.0  # after taking over, nothing is unbound: lease + time-out of a call
    confirm_absent: float = 30.0  # between two looks that agree that something has gone
    forget_lb: float = 60.0  # how long a Service that loses its load balancer is waited for
    brake: float = 0.25  # the share of a group's targets that may leave without confirmation
    brake_window: float = 60.0
    say_again: float = 30.0  # between two messages of one condition for the same reason
    retry_first: float = 1.0
    retry_most: float = 30.0

    coalesce: float = 0.2  # changes of the cluster are collected for so long
    poll_first: float = 1.0  # health, while something is pending
    poll_most: float = 10.0
    poll_quick: float = 30.0  # how long it is asked for every poll_first
    audit: float = 600.0  # listeners and targets, when nothing happens
    early_audits: tuple[float, ...] = (5.0, 30.0)  # after taking over
    call_timeout: float = 4.0  # of a call, below the lease's margin
    rate: float = 8.0  # calls per second and action, of CLB's 20
    lease: float = 10.0
    renew: float = 6.0
    retry_lease: float = 2.0
    pre_stop: float = 20.0  # what the guide recommends for hooks

    @property
    def take_over(self) -> float:
        """How long nobody may lead: the lease, from the last look of the next one at it."""
        return self.lease + 1.5 * self.retry_lease
