"""Paths of an Ingress that the API or CLB do not take.

## What it does

Finds paths that do not start with `/`, that are longer than 200 characters, and, for the types
Exact and Prefix, paths that are missing or have `//`, `/./`, `/../`, `%2f` in them.

It warns of characters that only mean something to other controllers, as `*` in `/*`.

## Why it matters

The Kubernetes API refuses most of these, TKE reports E4031 for the others.
CLB matches prefixes, so `/api` is all that `/api/*` means elsewhere.

## Example

```yaml
paths:
  - path: api
    pathType: Prefix
```

## Use instead

```yaml
paths:
  - path: /api
    pathType: Prefix
```
"""

from __future__ import annotations

from collections.abc import Iterator

from transformer.lint.build import Build
from transformer.lint.objects import Object
from transformer.lint.rule import ERROR, WARNING, Finding, Rule
from transformer.rules.ingress._routes import routes, served
from transformer.values import is_filled_in_later, text

RULE = Rule(ERROR, "A", "Kubernetes API; TKE docs, event code E4031; CLB docs")

_LONGEST = 200  # CLB's limit for a URL
_STRICT = ("Exact", "Prefix")
_NEVER_INSIDE = ("//", "/./", "/../", "%2f", "%2F")
_NEVER_LAST = ("/..", "/.")
_FOREIGN = '*()|^$[]{}\\ <>"`'


def check(ingress: Object, build: Build) -> Iterator[Finding]:
    """Yield a finding for each such path of one Ingress."""
    if not served(ingress, build):
        return
    for route in routes(ingress):
        place = (*route.path, "path")
        said = text(ingress.get(*place)) or ""
        if is_filled_in_later(said):
            continue
        strict = ingress.get(*route.path, "pathType") in _STRICT
        if wrong := _wrong(said, strict):
            yield Finding(place, wrong)
        elif foreign := [sign for sign in _FOREIGN if sign in said]:
            yield Finding(
                place,
                f"has {foreign[0]!r} in it, which CLB takes for no pattern: write the plain "
                "prefix, CLB matches everything below it",
                severity=WARNING,
            )


def _wrong(path: str, strict: bool) -> str:
    """What is wrong with a path, '' when nothing is."""
    if not path:
        missing = "is missing: pathType Exact and Prefix want one that starts with /"
        return missing if strict else ""
    if not path.startswith("/"):
        return "does not start with /: the Kubernetes API refuses it, write the whole path"
    if len(path) > _LONGEST:
        return f"has {len(path)} characters, CLB takes {_LONGEST}: shorten it"
    inside = [part for part in _NEVER_INSIDE if part in path]
    inside += [part for part in _NEVER_LAST if path.endswith(part)]
    if strict and inside:
        return f"has {inside[0]!r} in it, which the Kubernetes API refuses: write the plain path"
    return ""
