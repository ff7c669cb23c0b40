"""The rows of a TkeServiceConfig that set how CLB sends and checks: listeners and L7 rules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from transformer.lint.objects import Object
from transformer.values import Path, Value, at, integer, items, mapping, text

_BALANCER: Path = ("spec", "loadBalancer")


class Row(NamedTuple):
    """One L4 listener, or one rule of an L7 listener (``domain`` is None for the former)."""

    path: Path
    data: dict[str, Value]
    protocol: str
    port: int
    domain: str | None
    url: str

    @property
    def health_check(self) -> dict[str, Value]:
        """How CLB checks the targets."""
        return mapping(self.data.get("healthCheck"))


def rows(config: Object) -> Iterator[Row]:
    """Every such row, in order."""
    balancer = config.get(*_BALANCER)
    for index, listener in enumerate(items(at(balancer, "l4Listeners"))):
        path = (*_BALANCER, "l4Listeners", index)
        yield Row(path, mapping(listener), *_listener(listener), None, "")
    for index, listener in enumerate(items(at(balancer, "l7Listeners"))):
        yield from _rules(listener, (*_BALANCER, "l7Listeners", index))


def _rules(listener: Value, path: Path) -> Iterator[Row]:
    for index, domain in enumerate(items(at(listener, "domains"))):
        named = text(at(domain, "domain")) or ""
        for number, rule in enumerate(items(at(domain, "rules"))):
            place = (*path, "domains", index, "rules", number)
            url = text(at(rule, "url")) or ""
            yield Row(place, mapping(rule), *_listener(listener), named, url)


def _listener(row: Value) -> tuple[str, int]:
    return text(at(row, "protocol")) or "", integer(at(row, "port")) or 0
