"""Hosts that CLB does not take.

## What it does

Finds hosts of Ingress rules that are no domain name, or not the kind that TKE documents: at
least two labels of lower-case letters, digits and dashes, a leading `*` for all names below, 80
characters at most, no address.

## Why it matters

The Kubernetes API refuses upper case, ports and addresses; TKE reports E4052 for the others.
No rule of the Ingress gets to CLB then.

## Example

```yaml
rules:
  - host: shop.example.com:8080
```

## Use instead

```yaml
rules:
  - host: shop.example.com
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import ERROR, Finding, Rule
from transformer.rules.ingress._routes import served
from transformer.values import at, is_filled_in_later, items, text

RULE = Rule(ERROR, "A", "TKE docs, event code E4052; Kubernetes API")

# As TKE documents it.
_HOST = re.compile(
    r"(\*|[a-z0-9]([-a-z0-9]*[a-z0-9])?)(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+", re.ASCII
)
_LONGEST = 80  # CLB's limit for a domain


def check(ingress: Object, build: Build) -> Iterator[Finding]:
    """Yield a finding for each such host of one Ingress."""
    if not served(ingress, build):
        return
    for index, rule in enumerate(items(ingress.get("spec", "rules"))):
        host = text(at(rule, "host"))
        if host and not is_filled_in_later(host) and (wrong := _wrong(host)):
            yield Finding(("spec", "rules", index, "host"), wrong)


def _wrong(host: str) -> str:
    """What is wrong with a host, '' when nothing is."""
    if len(host) > _LONGEST:
        return f"has {len(host)} characters, CLB takes {_LONGEST}: shorten it"
    if _is_address(host):
        return (
            "is an address, expected a domain name: without host a rule is for the address of CLB"
        )
    if not _HOST.fullmatch(host):
        return (
            "is no domain name that CLB takes (E4052): at least two labels of a-z, 0-9 and -, no "
            "port, * only as the whole first label"
        )
    return ""


def _is_address(host: str) -> bool:
    labels = host.split(".")
    return len(labels) == 4 and all(label.isdecimal() and int(label) < 256 for label in labels)
