"""What a webhook process is told, and every number that it decides by. Times are in seconds."""

from __future__ import annotations

from typing import NamedTuple

from schemas.contract import READINESS_GATE

DAY = 24 * 3600.0
NAME = "tke-direct-webhook"


class Limits(NamedTuple):
    """What a client may take; together they bound the memory."""

    # The API server takes objects up to 3 MiB (its limit of a request), and a review holds one.
    body: int = 4 << 20
    bodies: int = 64 << 20  # of all requests together
    # Beyond them, new ones wait in the kernel. Each costs some 300 KiB, most of it asyncio's
    # buffer for TLS.
    connections: int = 512
    handshake: float = 3.0
    first_byte: float = 5.0  # until the header of a connection's first request has come
    body_time: float = 3.0
    # Longer than the 90 s after which the API server closes what it does not use (Go, net/http),
    # so that none is closed under a request.
    idle: float = 120.0
    idle_when_full: float = 1.0


class Options(NamedTuple):
    """What the command line says."""

    namespace: str  # our own
    name: str = NAME  # of the configuration, the Secret and the Deployment
    service: str = NAME
    service_port: int = 443
    readiness_gate: str = READINESS_GATE  # the conditionType
    failure_policy: str = "Ignore"  # Ignore, Fail
    object_selector: tuple[tuple[str, str], ...] = ()  # labels of the Pods that are asked about
    certificates: str = ""  # a folder that somebody else keeps, such as cert-manager
    inject_ca_from: str = ""  # namespace/name of cert-manager's Certificate
    lifetime: float = 90 * DAY
    ready_above: float = DAY  # not ready when the certificate has less left than this
    # After a bundle was seen, until what it trusts is served: API servers see it a little later.
    settle: float = 5.0
    resync: float = 10.0  # everything is looked at this often, whatever watches say
    retry_most: float = 30.0
    writes: int = 60  # at once; then one per second, whoever else writes the same fields
    call_timeout: float = 5.0

    @property
    def names(self) -> tuple[str, ...]:
        """The DNS names of the serving certificate; API servers call the first one."""
        host = f"{self.service}.{self.namespace}.svc"
        return host, f"{host}.cluster.local"

    @property
    def owns_bundle(self) -> bool:
        return not self.certificates
