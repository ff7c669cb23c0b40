"""Rules without a host behind an IPv6 CLB.

## What it does

Finds Ingresses that make a CLB with IPv6 addresses (`AddressIPVersion` in the parameters) and
have a rule without `host`.

## Why it matters

A rule without host is for the IPv4 address of the CLB, and this one has none.
TKE reports E4034 and does not sync the Ingress.

## Example

```yaml
metadata:
  annotations:
    kubernetes.io/ingress.extensiveParameters: '{"AddressIPVersion": "IPv6FullChain"}'
spec:
  rules:
    - http:
        paths:
          - path: /
```

## Use instead

```yaml
spec:
  rules:
    - host: shop.example.com
      http:
        paths:
          - path: /
```
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.contract import EXISTING_CLB, INGRESS_PARAMETERS
from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import WARNING, Finding, Rule
from transformer.rules.ingress._routes import served
from transformer.rules.service._service import parsed
from transformer.values import at, items, mapping, text

RULE = Rule(WARNING, "A", "TKE docs, event code E4034")


def check(ingress: Object, build: Build) -> Iterator[Finding]:
    """Yield a finding for each such rule of one Ingress."""
    # The parameters are for a CLB that is made: they say nothing of an existing one.
    if INGRESS_PARAMETERS not in ingress.annotations or not served(ingress, build):
        return
    if EXISTING_CLB["ingress"] in ingress.annotations:
        return
    version = text(at(parsed(ingress, INGRESS_PARAMETERS), "AddressIPVersion")) or ""
    if not version.lower().startswith("ipv6"):
        return
    for index, rule in enumerate(items(ingress.get("spec", "rules"))):
        if mapping(rule) and not at(rule, "host"):
            yield Finding(
                ("spec", "rules", index, "host"),
                f"is missing: a CLB with AddressIPVersion {version} has no IPv4 address to stand "
                "for it (E4034), name the host",
            )
