"""Who serves a Service or Ingress: the binder, TKE's own controller, or neither with the gate."""

from __future__ import annotations

from enum import Enum

from binder.core.objects import Ingress, Service
from binder.settings import Settings
from schemas.contract import (
    BINDER_INGRESS_CLASS,
    INGRESS_CLASS,
    INGRESS_DIRECT_ACCESS,
    LOAD_BALANCER_CLASS,
    SERVICE_DIRECT_ACCESS,
    SYNC_MODE,
    SYNC_SKIP,
)

_DIRECT_ACCESS = {"service": SERVICE_DIRECT_ACCESS, "ingress": INGRESS_DIRECT_ACCESS}


class By(Enum):
    """Who binds the Pods behind it, and opens their gates."""

    BINDER = "the binder"
    TKE = "TKE's own controller"
    NOBODY = "nobody"  # as far as gates go: it is no load balancer, or not in direct mode


def kind_of(one: Service | Ingress) -> str:
    """As the tables of annotations have it."""
    return "ingress" if isinstance(one, Ingress) else "service"


def served_by(one: Service | Ingress, settings: Settings) -> By:
    """The binder serves by class, or because TKE's controller is told to leave alone what asks
    for direct access, or because there is no such controller.
    """
    if _names_us(one):
        return By.BINDER
    if not _is_for_tke(one):
        return By.NOBODY
    kind = kind_of(one)
    direct = one.annotations.get(_DIRECT_ACCESS[kind], "").lower()
    if direct == "true" and one.annotations.get(SYNC_MODE[kind]) == SYNC_SKIP:
        return By.BINDER
    # An Ingress without a class may be meant for others that take such ones, too.
    certain = not isinstance(one, Ingress) or bool(one.ingress_class)
    if settings.adopt_all and certain and direct != "false":
        return By.BINDER
    return By.TKE if direct == "true" and not settings.adopt_all else By.NOBODY


def _names_us(one: Service | Ingress) -> bool:
    if isinstance(one, Ingress):
        return one.ingress_class == BINDER_INGRESS_CLASS
    return one.type == "LoadBalancer" and one.load_balancer_class == LOAD_BALANCER_CLASS


def _is_for_tke(one: Service | Ingress) -> bool:
    """Whether TKE's controller would serve it (TKE docs, "Service annotations", "Ingress")."""
    if isinstance(one, Ingress):
        return not one.ingress_class or one.ingress_class == INGRESS_CLASS
    return one.type == "LoadBalancer" and not one.load_balancer_class
