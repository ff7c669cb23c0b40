"""The CLB view: listeners, rules, targets and their health, as values.

Names and limits are those of the CLB API 2018-03-17.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

LAYER_7 = ("HTTP", "HTTPS")
LONGEST_DOMAIN, LONGEST_URL = 80, 200  # characters (CreateRule, RuleInput)


class Frontend(NamedTuple):
    """Where clients come in: a listener's protocol and port, and for layer 7 a rule of it."""

    protocol: str  # TCP, UDP, TCP_SSL, HTTP, HTTPS
    port: int
    domain: str = ""  # of a rule; "" on layer 4, and for the load balancer's own address
    url: str = ""  # "" on layer 4

    @property
    def listener(self) -> tuple[str, int]:
        return self.protocol, self.port

    @property
    def layer_7(self) -> bool:
        return self.protocol in LAYER_7

    def __str__(self) -> str:
        rule = f" {self.domain or '*'}{self.url}" if self.layer_7 else ""
        return f"{self.protocol} {self.port}{rule}"


class Check(NamedTuple):
    """A health check; times in seconds."""

    enabled: bool = True
    interval: int = 5
    timeout: int = 2
    healthy: int = 3  # HealthNum
    unhealthy: int = 3  # UnHealthNum

    def window(self, slack: float) -> float:
        """Within this time a target that does not serve has turned Dead."""
        return self.unhealthy * (self.interval + self.timeout) + slack


class Attributes(NamedTuple):
    """What a listener (layer 4) or rule (layer 7) can be told; None: left as it is."""

    check: Check | None = None
    scheduler: str | None = None  # WRR, LEAST_CONN, IP_HASH
    session: int | None = None  # seconds; 0: none
    http_path: str | None = None
    http_domain: str | None = None
    http_method: str | None = None
    http_code: int | None = None
    check_type: str | None = None
    check_port: int | None = None
    source_ip: int | None = None  # 0: the VIP, 1: 100.64.0.0/10


class Group(NamedTuple):
    """What targets are bound to: a listener of layer 4, or a rule of a listener of layer 7."""

    listener: str  # lbl-...
    location: str  # loc-...; "" on layer 4
    frontend: Frontend
    check: Check
    attributes: Attributes = Attributes()


class Listener(NamedTuple):
    """A listener and its groups: exactly one on layer 4, one per rule on layer 7."""

    id: str
    name: str
    protocol: str
    port: int
    groups: tuple[Group, ...]


class Key(NamedTuple):
    """A target of one load balancer: where it is bound, and what receives the traffic."""

    listener: str
    location: str
    ip: str
    port: int


class Target(NamedTuple):
    """What CLB says is bound."""

    weight: int
    tag: str = ""


class Health(NamedTuple):
    """What CLB says of a target's health; ALIVE, DEAD, UNKNOWN, CLOSE."""

    detail: str
    weight: int


ALIVE, DEAD, UNKNOWN, CLOSE = "Alive", "Dead", "Unknown", "Close"


class LoadBalancer(NamedTuple):
    """What has been read of one load balancer.

    Each part was read by a call that started at the time beside it, in seconds of our own
    monotonic clock; None: not read yet. `absent` are the times at which CLB said, without an
    error, that there is no such load balancer, first and last.
    """

    id: str
    addresses: tuple[str, ...] = ()  # VIPs, else the domain name
    listeners: tuple[Listener, ...] = ()
    listeners_at: float | None = None
    targets: Mapping[Key, Target] = {}
    targets_at: float | None = None
    health: Mapping[Key, Health] = {}
    health_at: float | None = None
    absent: tuple[float, float] | None = None

    def groups(self) -> dict[Frontend, Group]:
        return {group.frontend: group for one in self.listeners for group in one.groups}
