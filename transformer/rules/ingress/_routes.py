"""What an Ingress of TKE's CLB routes, and where to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from schemas.contract import EXISTING_CLB, SYNC_MODE, SYNC_SKIP
from transformer.lint.build import Build, is_clb_ingress
from transformer.lint.objects import Object
from transformer.rules.service._service import is_one_clb
from transformer.values import Path, Value, at, is_filled_in_later, items, text

# What TKE's console writes as the backend of rules that have none, as those that redirect.
_NO_BACKEND = "non-service"


class Route(NamedTuple):
    """One path of one rule; ``host`` is '' when the rule has none."""

    path: Path
    host: str
    url: str


class Backend(NamedTuple):
    """A backend Service: where it is named, where its port, and the Services of that name.

    ``port`` is a number, a name or None.
    """

    path: Path
    port_path: Path
    name: str
    port: Value
    services: list[Object]


def served(ingress: Object, build: Build) -> bool:
    """Whether TKE's CLB controller acts on `ingress`, and nobody asked to leave it alone."""
    parked = ingress.annotations.get(SYNC_MODE["ingress"]) == SYNC_SKIP
    return not (parked or ingress.skipped) and is_clb_ingress(ingress, build.settings)


def routes(ingress: Object) -> Iterator[Route]:
    """Every host and path of an Ingress; what is not text is left out."""
    for index, rule in enumerate(items(ingress.get("spec", "rules"))):
        host = at(rule, "host")
        for number, row in enumerate(items(at(rule, "http", "paths"))):
            url = at(row, "path")
            inside: Path = ("spec", "rules", index, "http", "paths", number)
            if (host is None or isinstance(host, str)) and (url is None or isinstance(url, str)):
                yield Route(inside, host or "", url or "/")


def backends(ingress: Object, build: Build) -> Iterator[Backend]:
    """Every backend Service and port of an Ingress, each pair once."""
    seen = set()
    for place, name, port in ingress.backends():
        if (name, str(port)) in seen or name == _NO_BACKEND or is_filled_in_later(name):
            continue
        seen.add((name, str(port)))
        if isinstance(port, bool) or not isinstance(port, (int, str)):
            port = None  # structural validation tells
        services = build.services_named(ingress.namespace, name)
        if text(ingress.get(*place, "service", "name")) is not None:
            key = "number" if isinstance(port, int) else "name"
            paths: tuple[Path, Path] = (("service", "name"), ("service", "port", key))
        else:
            paths = ("serviceName",), ("servicePort",)
        yield Backend((*place, *paths[0]), (*place, *paths[1]), name, port, services)


def backend_services(ingress: Object, build: Build) -> Iterator[Backend]:
    """The backends that are in the build, each Service once.

    A Service without ports is a patch for one that is elsewhere: it says nothing for sure.
    """
    seen = set()
    for backend in backends(ingress, build):
        whole = backend.services and all(service.ports for service in backend.services)
        if whole and backend.name not in seen:
            seen.add(backend.name)
            yield backend


def has_no_selector(backend: Backend) -> bool:
    """Whether the endpoints of a backend Service are written by hand, or are none."""
    return not any(service.get("spec", "selector") for service in backend.services)


def existing_clb(ingress: Object) -> str:
    """The existing CLB that an Ingress names; '' for none, and for ``lb-xxxxxxxx`` of a sample."""
    clb = ingress.annotations.get(EXISTING_CLB["ingress"], "")
    return clb if is_one_clb(clb) else ""
