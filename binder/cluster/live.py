"""What the API server itself says now of one namespace, for what no cache may decide."""

from __future__ import annotations

from typing import NamedTuple

from binder.cluster.api import Api
from binder.cluster.project import INGRESSES, SERVICES, Item, Resource, pods
from binder.core.objects import Ingress, Pod, Service
from schemas.contract import READINESS_GATE


class Live(NamedTuple):
    """A namespace; each kind was read after the call began."""

    pods: tuple[Pod, ...]
    services: tuple[Service, ...]
    ingresses: tuple[Ingress, ...]


def live(api: Api, namespace: str, gate: str = READINESS_GATE) -> Live:
    """Lists of a quorum of etcd, that is without a resourceVersion; Failed if one cannot be had.

    Services and Ingresses come last: a Pod that is there is compared with no older ones.
    """
    return Live(
        pods=_listed(api, pods(gate), namespace),
        services=_listed(api, SERVICES, namespace),
        ingresses=_listed(api, INGRESSES, namespace),
    )


def _listed(api: Api, resource: Resource[Item], namespace: str) -> tuple[Item, ...]:
    pages = api.pages(resource.path(namespace))
    return tuple(resource.project(item) for _, page in pages for item in page)
