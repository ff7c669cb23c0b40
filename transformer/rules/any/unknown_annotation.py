"""An annotation that looks like one of TKE's and is none.

## What it does

Finds annotations whose name nearly is one of TKE's or of tke-direct's, and names that articles
made up and TKE does not have.
TKE knows more annotations than its documents show: what resembles none of them is left alone.

## Why it matters

Nobody reads a misspelled annotation, and nobody complains about it.

## Example

```yaml
metadata:
  annotations:
    service.cloud.tencent.com/direct-acess: "true"
```

## Use instead

```yaml
metadata:
  annotations:
    service.cloud.tencent.com/direct-access: "true"
```
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from schemas.annotations import DEPRECATED, FAMILIES, INVENTED, OWN, WRITTEN_ANNOTATIONS
from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import WARNING, Finding, Rule
from transformer.rules.any._annotations import places, rows

RULE = Rule(WARNING, "A", 'TKE docs, "Service annotations", "Ingress annotations" and "VPC-CNI"')

_WRITTEN = {row.key for row in WRITTEN_ANNOTATIONS}
_TOLD_ELSEWHERE = _WRITTEN | {row.key for row in DEPRECATED}
_DOMAINS = tuple(domain for family in FAMILIES for domain in family.domains)


def check(one: Object, build: Build) -> Iterator[Finding]:
    """Yield the findings in one object."""
    known = rows()
    for place in places(one):
        for key in place.entries:
            if key in known or key in OWN or key in _TOLD_ELSEWHERE:
                continue
            if key.startswith(_DOMAINS) and (message := _message(key)):
                yield Finding((*place.path, key), message, at_key=True)


@cache
def _message(key: str) -> str:
    """What is wrong with a key in one of the domains, '' when it may be right."""
    for row in INVENTED:
        whole, _, rest = row.key.partition("*")
        if key == row.key or (row.key.endswith("*") and key.startswith(whole + rest)):
            return f"is not an annotation of TKE and has no effect: {row.instead}"
    meant = _meant(key)
    return f"is in no document of TKE or tke-direct: did you mean {meant}?" if meant else ""


def _meant(key: str) -> str:
    """The annotation that `key` nearly is, '' when it is like none."""
    from difflib import get_close_matches  # late: few keys are unknown

    domains, alike = next(family for family in FAMILIES if key.startswith(family.domains))
    names = {_name(row, domains): row for row in (*rows(), *OWN) if row.startswith(domains)}
    found = get_close_matches(_name(key, domains), names, 1, alike)
    return names[found[0]] if found else ""


def _name(key: str, domains: tuple[str, ...]) -> str:
    """`key` without its domain, in small letters, so that neither counts."""
    domain = next(domain for domain in domains if key.startswith(domain))
    return key[len(domain) :].lower()
