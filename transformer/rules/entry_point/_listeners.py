"""Which listeners TKE makes at the CLB for a Service or Ingress."""

from __future__ import annotations

from schemas.contract import (
    AUTO_REWRITE,
    CERTIFICATE,
    HTTP_RULES,
    HTTPS_RULES,
    LISTEN_PORTS,
    RULE_MIX,
    RULE_MIX_BOTH,
    SPECIFY_PROTOCOL,
)
from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.rules.ingress._routes import served
from transformer.rules.service import _service
from transformer.rules.service._service import by_tke, is_true, parsed
from transformer.values import at, integer, items, mapping, text

Listener = tuple[str, int]  # protocol and port

# What may make an Ingress listen for HTTP and HTTPS alike.
_BOTH = (RULE_MIX, RULE_MIX_BOTH, AUTO_REWRITE)


def has_listeners(one: Object, build: Build) -> bool:
    """Whether TKE makes listeners for a Service or Ingress, and nobody asked to leave it alone."""
    return served(one, build) if one.subject == "ingress" else by_tke(one) and not one.skipped


def listeners(one: Object) -> frozenset[Listener] | None:
    """The listeners of a Service or Ingress; None when that cannot be told.

    Of an Ingress with mixed rules, those that it may have.
    """
    return _of_ingress(one) if one.subject == "ingress" else _of_service(one)


def of_config(config: Object) -> frozenset[Listener]:
    """The listeners that a TkeServiceConfig has a row for."""
    found = set()
    for kind in ("l4Listeners", "l7Listeners"):
        for row in items(config.get("spec", "loadBalancer", kind)):
            protocol, port = text(at(row, "protocol")), integer(at(row, "port"))
            if protocol is not None and port is not None:
                found.add((protocol, port))
    return frozenset(found)


def shown(found: frozenset[Listener]) -> str:
    """``TCP 80, UDP 53``: listeners for messages."""
    return _service.listed([f"{protocol} {port}" for protocol, port in sorted(found)])


def _of_service(service: Object) -> frozenset[Listener] | None:
    if SPECIFY_PROTOCOL in service.annotations and parsed(service, SPECIFY_PROTOCOL) is None:
        return None
    return frozenset((row.protocol, row.port) for row in _service.listeners(service)) or None


def _of_ingress(ingress: Object) -> frozenset[Listener] | None:
    if LISTEN_PORTS in ingress.annotations:
        return _listed(ingress)
    tls = bool(items(ingress.get("spec", "tls"))) or CERTIFICATE in ingress.annotations
    both = any(is_true(ingress, key) for key in _BOTH)
    found: set[Listener] = set()
    if not tls or both or _rules(ingress, HTTP_RULES):
        found.add(("HTTP", 80))
    if tls or both or _rules(ingress, HTTPS_RULES):
        found.add(("HTTPS", 443))
    return frozenset(found)


def _rules(ingress: Object, key: str) -> bool:
    """Whether an annotation lists rules; the console writes ``null`` for none."""
    return bool(items(parsed(ingress, key)))


def _listed(ingress: Object) -> frozenset[Listener] | None:
    found: set[Listener] = set()
    for row in items(parsed(ingress, LISTEN_PORTS)):
        for protocol, said in mapping(row).items():
            port = integer(said)
            if port is None:
                return None
            found.add((protocol.upper(), port))
    return frozenset(found) or None
