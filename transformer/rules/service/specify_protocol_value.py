"""A listener protocol that CLB does not have or cannot use here.

## What it does

Finds mistakes in the annotation `specify-protocol`: protocols that do not exist, TCP_SSL, HTTPS and
QUIC without a certificate, and, without direct access, a TCP port that is turned into UDP or the
reverse.
One finding for each annotation; the first mistake is named.
Ports that the Service does not have are `specify-protocol-unused-port`.

## Why it matters

TKE cannot make the listener, and one wrong listener stops the sync of the whole CLB.

## Example

```yaml
metadata:
  annotations:
    service.cloud.tencent.com/specify-protocol: '{"443":{"protocol":["HTTPS"]}}'
```

## Use instead

```yaml
metadata:
  annotations:
    service.cloud.tencent.com/specify-protocol: >-
      {"443":{"protocol":["HTTPS"],"hosts":{"a.example.com":{"tls":"cert-a"}}}}
```

`cert-a` is a Secret of type Opaque whose key `qcloud_cert_id` holds the certificate's ID.
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.contract import (
    LISTENER_PROTOCOLS,
    SERVICE_DIRECT_ACCESS,
    SPECIFY_PROTOCOL,
    NetworkMode,
)
from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import ERROR, WARNING, Finding, Rule
from transformer.rules.service._service import (
    annotation,
    by_tke,
    protocol_of,
    specified,
    specified_protocols,
)
from transformer.values import Value, at, integer, items, mapping, text

RULE = Rule(ERROR, "A", 'TKE docs, "Service extension protocol"')

_KNOWN = ", ".join(LISTENER_PROTOCOLS)


def check(service: Object, build: Build) -> Iterator[Finding]:
    """Yield one finding for a wrong annotation."""
    rows = specified(service)
    if not rows or service.skipped or not by_tke(service):
        return
    ports = {str(integer(port.get("port"))): protocol_of(port) for port in service.ports}
    shared = len(ports) < len(service.ports)  # one number over TCP and UDP: both are there
    found: list[tuple[str, str]] = []
    for number, row in rows.items():
        if number not in ports:
            continue  # ignored by TKE
        found += [(grave, f"port {number}: {words}") for grave, words in _wrong(row)]
        if not shared and not _may_change(service, build):
            off = service.annotations.get(SERVICE_DIRECT_ACCESS, "").lower() == "false"
            severity = ERROR if off else WARNING
            found += [(severity, f"port {number} {words}") for words in _turned(row, ports[number])]
    if found:
        severity, message = min(found)  # errors sort before warnings
        more = f" (and {len(found) - 1} more here)" if len(found) > 1 else ""
        yield Finding(annotation(SPECIFY_PROTOCOL), message + more, severity=severity)


def _wrong(row: Value) -> Iterator[tuple[str, str]]:
    """What is wrong with a row, whatever its port is: severity and words."""
    names = at(row, "protocol")
    if names is not None and not isinstance(names, list):
        yield ERROR, f'"protocol" is not a list: write ["TCP"], with one or more of {_KNOWN}'
    for item in items(names):
        name = text(item)
        if name is None:
            yield ERROR, f"every protocol is a text, one of {_KNOWN}"
        elif name.upper() not in LISTENER_PROTOCOLS:
            yield ERROR, f'"{name}" is no protocol of a listener; known: {_KNOWN}'
        elif name not in LISTENER_PROTOCOLS:
            yield WARNING, f'"{name}" is documented in capitals only: write "{name.upper()}"'
    needy = [name for name in specified_protocols(row) if LISTENER_PROTOCOLS[name].certificate]
    if needy and not _has_certificate(row):
        yield (
            ERROR,
            (
                f'{needy[0]} needs a certificate: add "tls" with the name of its Secret, '
                'or "hosts" that have one'
            ),
        )


def _has_certificate(row: Value) -> bool:
    hosts = mapping(at(row, "hosts")).values()
    return any(bool(text(at(one, "tls"))) for one in (row, *hosts))


def _may_change(service: Object, build: Build) -> bool:
    """Whether a port may change between TCP and UDP: in direct mode there is no restriction."""
    return build.is_direct(service) or build.settings.mode is NetworkMode.SERVERLESS


def _turned(row: Value, own: str) -> Iterator[str]:
    names = specified_protocols(row)
    if names and all(LISTENER_PROTOCOLS[name].transport != own for name in names):
        yield (
            f"is {own} in spec.ports and cannot become {names[0]} without direct access: "
            "correct one of the two"
        )
