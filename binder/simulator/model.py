"""What a simulated account holds.

All of it lives in one asyncio loop: whoever reads or writes it does so between two awaits.
Fields are those of the API (facts: CLB API 2018-03-17), times are seconds of the clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple


class Health(str, Enum):
    """What probes say of a target; the values of HealthStatusDetail."""

    UNKNOWN = "Unknown"  # probing: gets no traffic
    ALIVE = "Alive"
    DEAD = "Dead"
    CLOSE = "Close"  # nobody checks: gets traffic


class Endpoint(NamedTuple):
    """Where a target listens: the key of a target in its group."""

    ip: str
    port: int


@dataclass
class HealthCheck:
    """How targets are probed."""

    enabled: bool = True
    timeout_s: int = 2
    interval_s: int = 5
    healthy: int = 3  # successes in a row until a target is Alive
    unhealthy: int = 3  # failures in a row until it is Dead
    kind: str = "TCP"  # TCP, HTTP; others are taken and never succeed
    port: int | None = None  # None: the target's own
    http_codes: int = 31  # bit mask: 1 for 1xx, 2 for 2xx, 4 for 3xx, 8 for 4xx, 16 for 5xx
    path: str = "/"
    domain: str = ""
    method: str = "HEAD"
    version: str = "HTTP/1.1"
    source_ip_type: int = 1  # 1: probes come from 100.64.0.0/10, 0: from the VIP
    extended_code: str = "12"  # GRPC only


@dataclass(eq=False)
class Target:
    """One address and port that a listener or rule sends traffic to."""

    endpoint: Endpoint
    weight: int = 10
    tag: str = ""
    registered_at: float = 0.0
    health: Health = Health.UNKNOWN
    instance: str = ""  # the InstanceId that it was bound by, if not by address


@dataclass(eq=False)
class Group:
    """The targets behind an L4 listener, or behind a rule of an L7 listener.

    ``id`` is the rule's LocationId, or that of the pseudo-rule of an L4 listener.
    """

    id: str
    health_check: HealthCheck
    scheduler: str = "WRR"
    session_s: int = 0
    targets: dict[Endpoint, Target] = field(default_factory=dict)
    domain: str = ""  # of a rule
    url: str = ""  # of a rule
    default_server: bool = False  # of a rule: its domain answers for unknown hosts
    forward_type: str = "HTTP"  # of a rule
    http2: bool = False  # of a rule
    created_at: float = 0.0


@dataclass(eq=False)
class Listener:
    """A port of a load balancer; ``groups`` has exactly one row for TCP and UDP."""

    id: str
    name: str
    protocol: str  # TCP, UDP, HTTP, HTTPS
    port: int
    groups: dict[str, Group] = field(default_factory=dict)
    reset_on_deregister: bool = False
    idle_s: int = 900
    stopped: bool = False
    end_port: int = 0  # last port of a range, 0 for a single port
    created_at: float = 0.0
    # What only the API sees: fields that are taken and given back (certificates, SNI, ...).
    echoed: dict[str, object] = field(default_factory=dict)

    @property
    def is_l7(self) -> bool:
        """Whether rules by host and path choose the targets."""
        return self.protocol in ("HTTP", "HTTPS")


@dataclass(eq=False)
class LoadBalancer:
    """A CLB instance; ``vip`` is the loopback address that its listeners have."""

    id: str
    name: str
    vip: str
    kind: str = "OPEN"  # or INTERNAL
    vpc_id: str = "vpc-sim"
    tags: dict[str, str] = field(default_factory=dict)
    security_groups: list[str] = field(default_factory=list)
    pass_to_target: bool = False
    running: bool = True
    region: str = "ap-guangzhou"
    subnet_id: str = ""
    created_at: float = 0.0
    delete_protected: bool = False
    traffic_mbps: float = 0.0  # peak of the last five minutes, as the deletion check sees it
    owner: str = ""  # the sub-account that created it
    listeners: dict[str, Listener] = field(default_factory=dict)

    def groups(self) -> Iterator[tuple[Listener, Group]]:
        """Every group of targets, with its listener."""
        for listener in self.listeners.values():
            for group in listener.groups.values():
                yield listener, group
