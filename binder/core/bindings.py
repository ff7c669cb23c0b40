"""Services and Ingresses to bindings: which Pods are wanted behind which frontend."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple, TypeAlias, TypeVar

from binder.core.actions import Tell
from binder.core.attributes import Row, attributes, is_integer
from binder.core.clb import LONGEST_DOMAIN, LONGEST_URL, Attributes, Frontend
from binder.core.objects import (
    Ingress,
    IngressPath,
    Owner,
    Pod,
    Service,
    ServiceConfig,
    ServicePort,
)
from binder.core.serving import By, kind_of, served_by
from binder.settings import Settings
from schemas.contract import (
    AUTO_REWRITE,
    BINDER_CERTIFICATE,
    BINDER_GATE,
    EXISTING_CLB,
    LISTEN_PORTS,
    RULE_MIX,
    RULE_MIX_BOTH,
    SERVICE_CONFIG,
    SPECIFY_PROTOCOL,
)

_ID = re.compile(r"lb-[0-9a-z]+")

# What an Ingress gets without LISTEN_PORTS (TKE docs, "Ingress annotations").
_USUAL_PORTS = {"HTTP": (80,), "HTTPS": (443,)}
_PORTS = range(1, 65536)

# Annotations that give an Ingress rules besides those of its spec.
_MORE_RULES = (RULE_MIX, RULE_MIX_BOTH, AUTO_REWRITE)

_Rows: TypeAlias = Mapping[tuple[str, int, str, str], Row]
_Kind = TypeVar("_Kind", Service, Ingress)


class Binding(NamedTuple):
    """Pods that an owner wants behind a frontend of a load balancer.

    `lb` is "" as long as the owner names no load balancer. `selector` chooses Pods of the owner's
    namespace; `target_port` is a port of theirs, by number or by name, for `transport` (TCP, UDP).
    `attributes` are what the owner wants of the listener or rule, and nothing else of it.
    """

    owner: Owner
    lb: str
    frontend: Frontend
    selector: tuple[tuple[str, str], ...]
    target_port: int | str
    transport: str
    attributes: Attributes = Attributes()
    certificate: str = ""  # the id of one in CLB
    gating: bool = True  # False: no readiness gate waits for this one


class Elsewhere(NamedTuple):
    """Pods whose gates TKE's own controller opens, for this owner."""

    owner: Owner
    selector: tuple[tuple[str, str], ...]


class Resolved(NamedTuple):
    """What the objects of one namespace want, and what is wrong with them."""

    bindings: tuple[Binding, ...]
    tells: tuple[Tell, ...]
    elsewhere: tuple[Elsewhere, ...] = ()


def bindings(
    services: Iterable[Service],
    ingresses: Iterable[Ingress],
    configs: Iterable[ServiceConfig],
    settings: Settings,
) -> Resolved:
    """What the objects of one namespace want; the same for any order of them."""
    by_name = {one.name: one for one in services}
    ingresses = list(ingresses)
    rows = {one.name: one.settings for one in configs}
    found = [
        *(_of_service(one, rows) for one in _served(by_name.values(), By.BINDER, settings)),
        *(
            _of_ingress(one, by_name, rows, settings)
            for one in _served(ingresses, By.BINDER, settings)
        ),
    ]
    return Resolved(
        tuple(binding for one in found for binding in one.bindings),
        tuple(dict.fromkeys(tell for one in found for tell in one.tells)),
        tuple(dict.fromkeys(_elsewhere(by_name, ingresses, settings))),
    )


def _elsewhere(
    services: Mapping[str, Service], ingresses: Iterable[Ingress], settings: Settings
) -> Iterator[Elsewhere]:
    for service in _served(services.values(), By.TKE, settings):
        yield Elsewhere(service.owner, service.selector)
    for ingress in _served(ingresses, By.TKE, settings):
        for path in ingress.paths:
            backend = services.get(path.backend[0])
            if backend is not None:
                yield Elsewhere(ingress.owner, backend.selector)


def _served(them: Iterable[_Kind], by: By, settings: Settings) -> list[_Kind]:
    found = [one for one in them if served_by(one, settings) is by and not one.terminating]
    return sorted(found, key=lambda one: one.name)


def selects(one: Binding | Elsewhere, pod: Pod) -> bool:
    """Whether `one` wants `pod`, whatever state that is in."""
    return (
        pod.namespace == one.owner.namespace
        and bool(one.selector)
        and all(pod.labels.get(key) == value for key, value in one.selector)
    )


def port_of(pod: Pod, binding: Binding) -> int | None:
    """The port of `pod` that `binding` wants; None when the Pod has none of that name."""
    if isinstance(binding.target_port, int):
        return binding.target_port
    wanted = binding.target_port, binding.transport
    return next((one.number for one in pod.ports if (one.name, one.protocol) == wanted), None)


class _Asking:
    """What one Service or Ingress wants, and what is wrong with it."""

    def __init__(self, one: Service | Ingress, configs: Mapping[str, _Rows]) -> None:
        self.owner = one.owner
        self.bindings: list[Binding] = []
        self.tells: list[Tell] = []
        self._annotations, self._kind = one.annotations, kind_of(one)
        self._lb = self._named_lb()
        self.certificate = one.annotations.get(BINDER_CERTIFICATE, "")
        self._config = one.annotations.get(SERVICE_CONFIG[self._kind], "")
        self._rows = configs.get(self._config, {})
        if self._config and self._config not in configs:
            self.warn("ServiceConfigNotFound", f"there is no TkeServiceConfig {self._config}")

    def warn(self, reason: str, message: str) -> None:
        self.tells.append(Tell(self.owner, "Warning", reason, message))

    def bind(self, frontend: Frontend, service: Service, port: ServicePort) -> None:
        """Want the Pods of `service` behind `frontend`."""
        row = self._rows.get((frontend.protocol, frontend.port, frontend.domain, frontend.url), {})
        wanted, problems = attributes(row, frontend)
        for problem in problems:
            message = f"TkeServiceConfig {self._config}, {frontend}: {problem}"
            self.warn("InvalidServiceConfig", message)
        self.bindings.append(
            Binding(
                self.owner,
                self._lb,
                frontend,
                service.selector,
                port.target_port,
                port.protocol,
                wanted,
                self.certificate if frontend.protocol == "HTTPS" else "",
                self._annotations.get(BINDER_GATE, "").lower() != "false",
            )
        )

    def json(self, key: str) -> object:
        """What the JSON in an annotation says; None, and a warning, where it is broken."""
        try:
            found: object = json.loads(self._annotations.get(key, "null"))
        except (ValueError, RecursionError):
            self.warn("InvalidAnnotation", f"{key} is no JSON")
            return None
        return found

    def is_true(self, key: str) -> bool:
        return self._annotations.get(key, "").lower() == "true"

    def has(self, key: str) -> bool:
        return key in self._annotations

    def _named_lb(self) -> str:
        key = EXISTING_CLB[self._kind]
        named = self._annotations.get(key, "").strip()
        if named and not _ID.fullmatch(named):
            self.warn("InvalidLoadBalancer", f"{key} is {named!r}, not the id of a CLB (lb-...)")
            return ""
        return named


# Services:


def _of_service(service: Service, configs: Mapping[str, _Rows]) -> _Asking:
    asking = _Asking(service, configs)
    if not service.selector:
        asking.warn("NoSelector", "the Service selects no Pods, so there is nothing to bind")
        return asking
    said = asking.json(SPECIFY_PROTOCOL)
    rows = said if isinstance(said, dict) else {}
    for port in service.ports:
        if _is_plain(port, rows.get(str(port.port)), asking):
            asking.bind(Frontend(port.protocol, port.port), service, port)
    return asking


def _is_plain(port: ServicePort, row: object, asking: _Asking) -> bool:
    """Whether a port gets a listener of its own protocol, one that the binder can make."""
    if port.protocol not in ("TCP", "UDP"):
        asking.warn("UnsupportedProtocol", f"port {port.port}: CLB has no {port.protocol} listener")
        return False
    said = row.get("protocol") if isinstance(row, dict) else None
    wanted = said if isinstance(said, list) else [] if said is None else [said]
    for other in wanted:
        if other != port.protocol:
            message = f"port {port.port}: the binder makes no {other} listener of a {port.protocol}"
            asking.warn("UnsupportedProtocol", f"{message} port ({SPECIFY_PROTOCOL})")
    return not wanted or port.protocol in wanted


# Ingresses:


def _of_ingress(
    ingress: Ingress,
    services: Mapping[str, Service],
    configs: Mapping[str, _Rows],
    settings: Settings,
) -> _Asking:
    asking = _Asking(ingress, configs)
    for key in filter(asking.is_true, _MORE_RULES):
        asking.warn("UnsupportedAnnotation", f"{key}: the binder serves the rules of spec only")
    ports = _listen_ports(asking)
    if ports is None:
        return asking
    used: set[str] = set()
    seen: set[tuple[str, str]] = set()
    for path in ingress.paths:
        protocol = "HTTPS" if _has_tls(path.host, ingress.tls_hosts) else "HTTP"
        used.add(protocol)
        if _may_listen(path, protocol, ports, seen, asking, settings):
            found = _backend(path, services, asking)
            for number in ports[protocol] if found else ():
                url = path.path or "/"
                asking.bind(Frontend(protocol, number, path.host, url), *found)
    for protocol in sorted(ports.keys() - used) if asking.has(LISTEN_PORTS) else ():
        asking.warn("UnusedListenPort", f"{LISTEN_PORTS}: no rule is for {protocol}")
    return asking


def _may_listen(
    path: IngressPath,
    protocol: str,
    ports: Mapping[str, tuple[int, ...]],
    seen: set[tuple[str, str]],
    asking: _Asking,
    settings: Settings,
) -> bool:
    place = path.host, path.path or "/"
    if protocol not in ports:
        message = f"{LISTEN_PORTS} names no {protocol} port, which {path.host!r} needs"
        asking.warn("ListenPortMissing", message)
    elif protocol == "HTTPS" and settings.manage_listeners and not asking.certificate:
        # A listener that exists has one already. Secrets are not read: least privilege.
        message = f"HTTPS needs {BINDER_CERTIFICATE}, the id of a certificate in CLB"
        asking.warn("CertificateMissing", message)
    elif len(path.host) > LONGEST_DOMAIN or len(place[1]) > LONGEST_URL:
        message = f"CLB takes domains up to {LONGEST_DOMAIN} and paths up to {LONGEST_URL}"
        asking.warn("UnsupportedPath", f"{message} characters: {path.host}{place[1]}")
    elif place in seen:
        asking.warn("DuplicatePath", f"{path.host}{place[1]} stands twice; the first one counts")
    else:
        seen.add(place)
        return True
    return False


def _backend(
    path: IngressPath, services: Mapping[str, Service], asking: _Asking
) -> tuple[Service, ServicePort] | tuple[()]:
    """The Service of `path` and the port of it; nothing, and a warning, when there is none."""
    name, wanted = path.backend
    service = services.get(name)
    if service is None:
        asking.warn("ServiceNotFound", f"there is no Service {name}")
        return ()
    if not service.selector:
        asking.warn("NoSelector", f"Service {name} selects no Pods, so there is nothing to bind")
        return ()
    for port in service.ports:
        if port.protocol == "TCP" and wanted in (port.port, port.name):
            return service, port
    asking.warn("ServicePortNotFound", f"Service {name} has no TCP port {wanted}")
    return ()


def _has_tls(host: str, hosts: frozenset[str] | None) -> bool:
    if not hosts:
        return hosts is not None
    return host in hosts or f"*.{host.partition('.')[2]}" in hosts


def _listen_ports(asking: _Asking) -> Mapping[str, tuple[int, ...]] | None:
    """The ports by protocol; None when what is said cannot be followed.

    Then there are no listeners: nobody asked for those on the usual ports.
    """
    if not asking.has(LISTEN_PORTS):
        return _USUAL_PORTS
    said = asking.json(LISTEN_PORTS)
    pairs = list(_pairs(said))
    found: dict[str, tuple[int, ...]] = {}
    for protocol, port in pairs:
        if protocol not in _USUAL_PORTS or port not in _PORTS:
            pairs = []
            break
        found[protocol] = tuple(dict.fromkeys((*found.get(protocol, ()), port)))
    if not pairs:
        example = '[{"HTTP": 80}, {"HTTPS": 443}]'
        asking.warn("InvalidAnnotation", f"{LISTEN_PORTS} must be like {example}")
        return None
    return found


def _pairs(said: object) -> Iterator[tuple[str, int]]:
    """Protocol and port of each listener; port 0 for what is none."""
    for row in said if isinstance(said, list) else ():
        for protocol, port in row.items() if isinstance(row, dict) else [("", 0)]:
            yield str(protocol).upper(), port if is_integer(port) else 0
